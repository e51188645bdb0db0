#!/usr/bin/env python3
"""Shows which assertions of the pgTAP files can fail, by breaking the platform on purpose.

Each round copies a database with vrm, breaks in the copy everything of one kind (all policies, all
CHECKs, every RAISE in a function ...), runs the files there and remembers which assertions failed.
What no round breaks is listed at the end: an assertion that may be unable to fail, or damage that
nobody has thought of.  C++ is not broken here.

usage: mutants.py [TOPIC...]      on the server that PGHOST names, such as that of `./vrm environment`
A topic is a file of test/sql without its ending, such as calls/agents; all of them takes an hour.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent / 'sql'
TEMPLATE, COPY = 'vrm_mutants_template', 'vrm_mutants'
SCHEMAS = "('vrm'::regnamespace, 'vrm_private'::regnamespace)"
TABLES = f"(SELECT oid, oid::regclass AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace IN {SCHEMAS}) AS t"
CONSTRAINTS = f"""SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
    WHERE conrelid <> 0 AND connamespace IN {SCHEMAS} AND coninhcount = 0 AND contype = """
COLUMNS = f"""SELECT format('ALTER TABLE %s ALTER %I DROP WHAT', t.name, a.attname) FROM pg_attribute a JOIN {TABLES} ON t.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND """
POLICIES = """SELECT format('ALTER POLICY %I ON %I.%I USING (WHAT)' || CASE WHEN cmd IN ('ALL', 'UPDATE') THEN ' WITH CHECK (WHAT)' ELSE '' END,
    policyname, schemaname, tablename) FROM pg_policies WHERE schemaname = 'vrm' AND qual IS NOT NULL"""
FUNCTIONS = f"SELECT format('WHAT', p.oid::regprocedure) FROM pg_proc p WHERE pronamespace IN {SCHEMAS} AND prokind = 'f'"
EVERYTHING = ('GRANT ALL ON SCHEMA vrm, vrm_private, auth TO authenticated, anon;'
              'GRANT ALL ON ALL TABLES IN SCHEMA vrm, vrm_private, auth TO authenticated, anon;'
              'GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vrm, vrm_private TO authenticated, anon, PUBLIC;')

# Queries whose rows are the statements that do the damage.
GENERATED = {
    'no CHECKs': CONSTRAINTS + "'c'",
    'no foreign keys': CONSTRAINTS + "'f'",
    'no unique constraints': CONSTRAINTS + "'u'",
    'domains take anything': f"""SELECT format('ALTER DOMAIN %s DROP CONSTRAINT %I CASCADE', contypid::regtype, conname)
        FROM pg_constraint WHERE contypid <> 0 AND connamespace IN {SCHEMAS}""",
    'no defaults': COLUMNS.replace('WHAT', 'DEFAULT') + 'a.atthasdef',
    'null defaults': COLUMNS.replace('DROP WHAT', 'SET DEFAULT NULL') + "a.atthasdef AND a.attgenerated = ''",
    'columns may be null': COLUMNS.replace('WHAT', 'NOT NULL') + """a.attnotnull AND NOT EXISTS
        (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))""",
    'a column more': f"SELECT format('ALTER TABLE %s ADD surplus text', t.name) FROM {TABLES}",
    'no triggers': f"""SELECT format('DROP TRIGGER %I ON %s', g.tgname, c.oid::regclass) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
        WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND (c.relnamespace IN {SCHEMAS} OR c.oid = 'auth.users'::regclass)""",
    'policies let all through': POLICIES.replace('WHAT', 'true'),
    'policies let none through': POLICIES.replace('WHAT', 'false'),
    'no restrictive policies': "SELECT format('DROP POLICY %I ON %I.%I', policyname, schemaname, tablename) FROM pg_policies WHERE permissive = 'RESTRICTIVE'",
    'no policies': "SELECT format('DROP POLICY %I ON %I.%I', policyname, schemaname, tablename) FROM pg_policies WHERE schemaname = 'vrm'",
    'users write every column': f"SELECT format('GRANT INSERT, UPDATE, DELETE ON %s TO authenticated', t.name) FROM {TABLES}",
    'no definer functions': FUNCTIONS.replace('WHAT', 'ALTER FUNCTION %s SECURITY INVOKER') + ' AND prosecdef',
    'search_path as the caller has it': FUNCTIONS.replace('WHAT', 'ALTER FUNCTION %s RESET search_path') + ' AND proconfig IS NOT NULL',
    'functions are volatile': FUNCTIONS.replace('WHAT', 'ALTER FUNCTION %s VOLATILE'),
    'functions are null for null': FUNCTIONS.replace('WHAT', 'ALTER FUNCTION %s STRICT'),
    'no comments': FUNCTIONS.replace('WHAT', 'COMMENT ON FUNCTION %s IS NULL'),
    'views see as their owner': """SELECT format('ALTER VIEW %s RESET (security_invoker, security_barrier)', oid::regclass)
        FROM pg_class WHERE relkind = 'v' AND relnamespace = 'vrm'::regnamespace""",
}
STATEMENTS = {
    'everything is granted': EVERYTHING,
    'and no row level security': f"""{EVERYTHING} DO $$ DECLARE t record; BEGIN FOR t IN SELECT * FROM {TABLES} LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', t.name); END LOOP; END $$;""",
    'nothing is granted': 'REVOKE ALL ON ALL TABLES IN SCHEMA vrm FROM authenticated;'
                          'REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA vrm FROM authenticated;',
    'users are the superuser': 'GRANT postgres TO authenticated;',
    'users bypass row level security': 'ALTER ROLE authenticated BYPASSRLS;',
    'no indexes': ''.join(f'ALTER DATABASE {COPY} SET {scan} = off;'
                          for scan in ('enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan')),
    'no statistics': f'ALTER DATABASE {COPY} SET track_counts = off;',
    'an argument without a name': "CREATE FUNCTION vrm.nameless(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
    'a table is a member': 'ALTER EXTENSION vrm ADD TABLE vrm.metrics;',
    'a platform function is a member': 'ALTER EXTENSION vrm ADD FUNCTION vrm.live_calls();',
    'an old platform': "UPDATE vrm_private.platform_history SET version = '0.0.1';",
    'no history of the platform': 'TRUNCATE vrm_private.platform_history;',
    'no templates': 'TRUNCATE vrm.test_case_templates;',
}
# Words of SQL and PL/pgSQL, each replaced in every function.
WORDS = [
    (r'RAISE EXCEPTION', 'RAISE NOTICE'), (r"ERRCODE = '[^']*'", "ERRCODE = 'P0001'"), (r'\bDETAIL = ', 'COLUMN = '),
    (r'\bHINT = ', 'COLUMN = '), (r'\bvrm\.uid\(\)', "'018f0000-0000-7000-8000-00000000000d'::uuid"),
    (r'user_id = (caller|owner|who|u)\b', 'true'), (r'AND [a-z.]*deleted_at IS NULL', ''), (r'\bIS NULL\b', 'IS NOT NULL'),
    (r'\bNOT EXISTS\b', 'EXISTS'), (r'\bcoalesce\(', 'nullif('), (r' DESC\b', ''), (r' < ', ' >= '), (r' > ', ' <= '), (r' >= ', ' < '),
    (r' <= ', ' > '), (r' <> ', ' = '), (r'\btrue\b', 'false'), (r'\bfalse\b', 'true'), (r"'running'", "'queued'"), (r"'admin'", "'user'"),
    (r"'failed'", "'cancelled'"), (r'\b60\b', '61'), (r'\b1000\b', '1'), (r'WHEN OTHERS THEN', 'WHEN division_by_zero THEN'),
    (r'(?m)^ *PERFORM\b[^;]*;', 'NULL;'), (r'(?m)^ *UPDATE\b[^;]*;', 'NULL;'), (r'(?m)^ *DELETE FROM\b[^;]*;', 'NULL;'),
    (r'(?m)^ *INSERT INTO\b(?![^;]*RETURNING)[^;]*;', 'NULL;'), (r' - ', ' + '), (r'\bJOIN\b', 'LEFT JOIN'), (r'\bmin\(', 'max('),
    (r'\b[a-z_]+_(run|agent|transcript|action)\.[a-z_]+\b', 'NULL'), (r'\b3600\b', '3601'), (r'\b(floor|trunc)\(', 'ceil('),
    (r'\bIF ', 'IF NOT '), (r'\bAND [^;()\n]*(?=\n)', ''), (r'\bLIMIT [^;)\n]*', ''), (r'\bFOR UPDATE\b', ''),
]


def psql(database, *arguments, text=None):
    """What psql says, errors included."""
    environment = dict(os.environ, PGOPTIONS='-c client_min_messages=warning -c statement_timeout=30s')
    done = subprocess.run(['psql', '-XqAt', '-d', database, *arguments], input=text, capture_output=True, text=True, env=environment)
    return done.stdout + done.stderr


def damages():
    """To each kind of damage, the statements that do it."""
    for kind, query in GENERATED.items():
        yield kind, ';\n'.join(psql(TEMPLATE, '-c', query).splitlines()) + ';'
    for function in psql(TEMPLATE, '-c', f"SELECT DISTINCT tgfoid::regproc FROM pg_trigger g JOIN {TABLES} ON t.oid = g.tgrelid WHERE NOT tgisinternal").split():
        yield f'no triggers with {function}', ';\n'.join(
            psql(TEMPLATE, '-c', GENERATED['no triggers'] + f" AND g.tgfoid = '{function}'::regproc").splitlines()) + ';'
    yield from STATEMENTS.items()
    definitions = json.loads(psql(TEMPLATE, '-c', f"""SELECT json_agg(pg_get_functiondef(p.oid)) FROM pg_proc p
        JOIN pg_language l ON l.oid = p.prolang WHERE pronamespace IN {SCHEMAS} AND lanname IN ('sql', 'plpgsql')
        AND proname NOT IN ('platform_script', 'platform_steps')"""))
    for pattern, word in WORDS:
        changed = []
        for definition in definitions:
            head, mark, body = definition.partition('$function$')
            replaced = re.sub(pattern, word, body)
            if replaced != body:
                changed.append(f'{head}{mark}{replaced};\n')
        yield f'{pattern} becomes {word or "nothing"}', ''.join(changed)


def run(topics):
    """Which assertions held and which failed in the copy, by name."""
    held, failed = set(), set()
    for topic in topics:
        for match in re.finditer(r'^(not )?ok \d+(?: - (.*))?$', psql(COPY, '-f', str(TESTS / f'{topic}.sql')), re.MULTILINE):
            name = re.sub(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'id', match[2] or '')[:100]
            (failed if match[1] else held).add(f'{topic}: {name}')
    return held, failed


def main():
    topics = sys.argv[1:] or sorted(str(file.relative_to(TESTS).with_suffix('')) for file in TESTS.glob('*/*.sql') if file.parent.name != 'include')
    unmade = ['-c', f'DROP DATABASE IF EXISTS {COPY} WITH (FORCE)', '-c', 'ALTER ROLE authenticated NOBYPASSRLS',
              '-c', 'REVOKE postgres FROM authenticated']
    psql('postgres', *unmade, '-c', f'DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)', '-c', f'CREATE DATABASE {TEMPLATE}')
    psql(TEMPLATE, '-c', 'CREATE EXTENSION pgtap', '-c', 'CREATE EXTENSION vrm')
    renewed = [*unmade, '-c', f'CREATE DATABASE {COPY} TEMPLATE {TEMPLATE}']
    psql('postgres', *renewed)
    unseen, failing = run(topics)
    if failing or not unseen:
        sys.exit('fails without any damage: ' + '; '.join(sorted(failing)))
    print(f'{len(unseen)} assertions')
    for kind, statements in damages():
        psql('postgres', *renewed)
        psql(COPY, text=statements)
        _, failed = run(topics)
        unseen -= failed
        print(f'{len(failed):5} fail, {len(unseen)} never did: {kind}', flush=True)
    psql('postgres', *unmade, '-c', f'DROP DATABASE {TEMPLATE}')
    print('never seen to fail:', *sorted(unseen), sep='\n    ')


main()
