-- Privileges as data: what the platform means to have: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.intended (
    kind text NOT NULL CONSTRAINT kind_is_known
        CHECK (kind IN ('privilege', 'policy', 'trigger', 'trigger definition', 'event trigger',
                        'event trigger definition', 'row security', 'routine', 'member', 'object', 'column', 'default',
                        'constraint', 'domain constraint', 'unique index', 'view', 'api')),
    object text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    noted_by text NOT NULL,
    PRIMARY KEY (kind, object, name)
);
COMMENT ON TABLE vrm_private.intended IS
    'privileges, policies, triggers, functions, tables and views as they are after an installation; doctor compares';
COMMENT ON COLUMN vrm_private.intended.kind IS 'what it is';
COMMENT ON COLUMN vrm_private.intended.object IS 'table, routine or schema that it belongs to, or whose it is';
COMMENT ON COLUMN vrm_private.intended.name IS 'its name; of a privilege, who has it and which';
COMMENT ON COLUMN vrm_private.intended.definition IS 'what it says; of a routine of the platform, a hash';
COMMENT ON COLUMN vrm_private.intended.noted_by IS 'versions of vrm and of PostgreSQL: others may spell it differently';
