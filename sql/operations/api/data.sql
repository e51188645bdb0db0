-- API: schema vrm_api, for what makes HTTP and types of a schema: rows that come with it

-- Where it is there, it follows the functions of this version.
SELECT vrm.make_api() WHERE to_regnamespace('vrm_api') IS NOT NULL;
