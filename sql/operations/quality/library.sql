-- Data quality: what is checked, and checking it: members of the extension

-- Where a literal ends depends on that setting: as it is read here, it has to be executed.
CREATE FUNCTION vrm.check_expression(expression text) RETURNS void
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET standard_conforming_strings = on
    AS 'MODULE_PATHNAME', 'vrm_check_expression';
COMMENT ON FUNCTION vrm.check_expression(text) IS
    'an error unless the text is one SQL expression, and nothing that reaches out of its place in a query';

-- Nobody but the owner: the role is an argument.
CREATE FUNCTION vrm.restricted_query(role_name name, query text) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vrm_restricted_query';
COMMENT ON FUNCTION vrm.restricted_query(name, text) IS
    'first value of a query that runs with a role''s rights, reading only, and as PostgreSQL runs functions of indexes';
