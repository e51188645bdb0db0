-- What the platform holds of a person, for that person: types and tables

-- Every column of every table is classed; what nobody has classed is exported to nobody, and is a finding.
CREATE TABLE IF NOT EXISTS vrm_private.column_classes (
    rel regclass NOT NULL,
    column_name name NOT NULL,
    class text NOT NULL CONSTRAINT known_class CHECK (class IN ('personal', 'secret', 'system', 'third_party')),
    names_person boolean NOT NULL DEFAULT false,
    PRIMARY KEY (rel, column_name),
    CONSTRAINT names_person_personally CHECK (class = 'personal' OR NOT names_person)
);
COMMENT ON TABLE vrm_private.column_classes IS
    'what columns are to the person whose row it is; see vrm.export_inventory';
COMMENT ON COLUMN vrm_private.column_classes.rel IS 'the table';
COMMENT ON COLUMN vrm_private.column_classes.column_name IS 'the column';
COMMENT ON COLUMN vrm_private.column_classes.class IS
    'personal: exported; secret: only that there is something; system, third_party (about others): left out';
COMMENT ON COLUMN vrm_private.column_classes.names_person IS 'the value is the id of the person whose row it is';
