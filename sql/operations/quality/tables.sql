-- Data quality: what is checked, and checking it: types and tables

CREATE TABLE IF NOT EXISTS vrm.quality_check (
    name text PRIMARY KEY CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    rel regclass NOT NULL,
    kind text NOT NULL CONSTRAINT known_kind
        CHECK (kind IN ('fk', 'required', 'type', 'json', 'duplicate', 'range', 'freshness', 'custom')),
    severity text NOT NULL DEFAULT 'error'
        CONSTRAINT known_severity CHECK (severity IN ('error', 'warning', 'info')),
    columns name[] NOT NULL DEFAULT '{}',
    expression text,
    refers_to regclass,
    refers_columns name[],
    max_age interval,
    every interval NOT NULL DEFAULT '1 day' CONSTRAINT every_positive CHECK (every > '0'),
    enabled boolean NOT NULL DEFAULT true,
    hint text,
    origin text NOT NULL DEFAULT 'custom' CONSTRAINT known_origin CHECK (origin IN ('catalog', 'platform', 'custom')),
    registered_by name NOT NULL DEFAULT current_user,
    constraint_name name,
    CONSTRAINT says_what_is_checked
        CHECK (CASE kind WHEN 'fk' THEN refers_to IS NOT NULL AND cardinality(refers_columns) > 0
                                        AND CASE WHEN expression IS NULL THEN cardinality(columns) ELSE 1 END
                                            = cardinality(refers_columns)
                         WHEN 'freshness' THEN cardinality(columns) = 1 AND max_age > '0'
                         WHEN 'required' THEN expression IS NOT NULL OR cardinality(columns) > 0
                         WHEN 'duplicate' THEN expression IS NOT NULL OR cardinality(columns) > 0
                         ELSE expression IS NOT NULL END)
);
COMMENT ON TABLE vrm.quality_check IS 'what vrm.run_quality_checks() looks at; vrm.add_quality_check() adds to it';
COMMENT ON COLUMN vrm.quality_check.name IS 'the check';
COMMENT ON COLUMN vrm.quality_check.rel IS 'table or view that is checked';
COMMENT ON COLUMN vrm.quality_check.kind IS 'fk, required, type, json, duplicate, range, freshness or custom';
COMMENT ON COLUMN vrm.quality_check.severity IS 'error, warning or info';
COMMENT ON COLUMN vrm.quality_check.columns IS 'columns that it is about';
COMMENT ON COLUMN vrm.quality_check.expression IS
    'false where a row is bad, as in a CHECK constraint; of an fk the reference, of duplicates what should be unique';
COMMENT ON COLUMN vrm.quality_check.refers_to IS 'of an fk: table or view that has to have the row';
COMMENT ON COLUMN vrm.quality_check.refers_columns IS 'of an fk: columns there';
COMMENT ON COLUMN vrm.quality_check.max_age IS 'of freshness: how old the newest value may be';
COMMENT ON COLUMN vrm.quality_check.every IS 'how often vrm.maintain() runs it';
COMMENT ON COLUMN vrm.quality_check.enabled IS 'whether it is run at all';
COMMENT ON COLUMN vrm.quality_check.hint IS 'what to do about a finding; null for a query that shows the rows';
COMMENT ON COLUMN vrm.quality_check.origin IS
    'catalog: follows the table''s definition; platform: came with vrm; custom: added by somebody';
COMMENT ON COLUMN vrm.quality_check.registered_by IS 'role that wrote it, with whose rights it runs';
COMMENT ON COLUMN vrm.quality_check.constraint_name IS 'constraint that vrm.adopt_constraint() has made of it';

CREATE TABLE IF NOT EXISTS vrm.quality_run (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    check_name text NOT NULL,
    relation text NOT NULL,
    severity text NOT NULL,
    failed bigint,
    total bigint,
    sample_keys jsonb,
    error text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT counted_or_failed CHECK ((failed IS NULL) = (error IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS quality_run_check ON vrm.quality_run (check_name, at);
COMMENT ON TABLE vrm.quality_run IS 'what checks have found, kept for 90 days';
COMMENT ON INDEX vrm.quality_run_check IS 'history of a check; when it last ran';
COMMENT ON COLUMN vrm.quality_run.id IS 'order of the results';
COMMENT ON COLUMN vrm.quality_run.check_name IS 'the check, which may be gone';
COMMENT ON COLUMN vrm.quality_run.relation IS 'table that it looked at';
COMMENT ON COLUMN vrm.quality_run.severity IS 'its severity then';
COMMENT ON COLUMN vrm.quality_run.failed IS 'how many rows were bad; null when it could not be run';
COMMENT ON COLUMN vrm.quality_run.total IS 'rows of the table';
COMMENT ON COLUMN vrm.quality_run.sample_keys IS 'primary keys of a few of the bad rows';
COMMENT ON COLUMN vrm.quality_run.error IS 'why it could not be run';
COMMENT ON COLUMN vrm.quality_run.at IS 'when';
