-- Does all that table "broken" says, and has it repaired: pg_temp.findings() has each before, and none afterwards.
-- Two tests; what vrm.repair() says is in table "repaired".
DO $$
DECLARE
    step text;
BEGIN
    FOR step IN SELECT how FROM broken LOOP
        EXECUTE step;
    END LOOP;
END
$$;
SELECT is_empty('SELECT b.finding FROM broken b EXCEPT SELECT finding FROM pg_temp.findings()', 'each is found');
CREATE TEMP TABLE repaired AS SELECT * FROM vrm.repair();
SELECT is_empty('SELECT pg_temp.findings()', 'after one call none is left');
