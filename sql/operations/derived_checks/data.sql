-- Quality checks that follow from a table's definition, and constraints made of checks: rows that come with it

-- Here because all tables are there.  Only at first: later vrm.install() would change a restored database;
-- vrm.run_quality_checks() follows the definitions.
SELECT vrm.derive_quality_checks() WHERE NOT EXISTS (SELECT FROM vrm.quality_check WHERE origin = 'catalog');
