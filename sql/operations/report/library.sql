-- Report: members of the extension

CREATE FUNCTION vrm.report_page(data jsonb, format text DEFAULT 'html', style_sheet text DEFAULT '') RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_report_page';
COMMENT ON FUNCTION vrm.report_page(jsonb, text, text) IS
    'writes what vrm.report_data() says, html or md; everything in it is escaped but the style sheet';
GRANT EXECUTE ON FUNCTION vrm.report_page(jsonb, text, text) TO service_role;
