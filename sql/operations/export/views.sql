-- What the platform holds of a person, for that person: views

CREATE VIEW vrm.export_inventory WITH (security_invoker = true) AS
    SELECT * FROM vrm_private.export_inventory();
COMMENT ON VIEW vrm.export_inventory IS
    'every column of the platform''s tables, and of tables that lead to a person, by its class';
COMMENT ON COLUMN vrm.export_inventory.relation IS 'the table';
COMMENT ON COLUMN vrm.export_inventory.column_name IS 'the column';
COMMENT ON COLUMN vrm.export_inventory.class IS
    'personal: exported; secret: only that there is something; system, third_party: left out; null: to be classed';
COMMENT ON COLUMN vrm.export_inventory.names_person IS 'the value is the id of the person whose row it is';
COMMENT ON COLUMN vrm.export_inventory.fix IS 'SQL that classes the column; change the class if it is another';
REVOKE ALL ON vrm.export_inventory FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.export_inventory TO service_role;
