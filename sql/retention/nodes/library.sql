-- Months of the archive on other nodes: members of the extension

CREATE FUNCTION vrm.nodes_handler() RETURNS fdw_handler
    AS 'MODULE_PATHNAME', 'vrm_nodes_handler'
    LANGUAGE C STRICT;
COMMENT ON FUNCTION vrm.nodes_handler() IS
    'implements foreign-data wrapper vrm_nodes, which vrm.distribute() makes: tables that Citus spreads over nodes';
