-- What many tables share ------------------------------------------------------------------------

CREATE FUNCTION vrm.set_updated_at() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_set_updated_at'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.set_updated_at() IS
    'BEFORE UPDATE trigger: sets updated_at to the start of the transaction';

CREATE FUNCTION vrm.announce_change() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_announce_change'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.announce_change() IS
    'AFTER trigger: has every backend, on standbys too, read again what it has kept of the table';
