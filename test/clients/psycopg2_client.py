# Signs two people in by turns through psycopg2; prints what each sees, one "name: value" a line.
# usage: psycopg2_client.py CONNECTION TOKEN TOKEN
import sys

import psycopg2
from psycopg2 import errors

connection_string, first, second = sys.argv[1:]


def agents(connection, token):
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT vrm.login(%s)", (token,))
        cursor.execute("SELECT string_agg(agent_id, ',' ORDER BY agent_id) FROM vrm.agents")
        return cursor.fetchone()[0]


connections = [psycopg2.connect(connection_string) for _ in range(2)]
seen = {token: set() for token in (first, second)}
for turn in range(20):
    for token in (first, second):
        seen[token].add(agents(connections[turn % 2], token))
print("first sees:", *seen[first])
print("second sees:", *seen[second])

with connections[0], connections[0].cursor() as cursor:
    cursor.execute("SELECT vrm.uid()")
    print("afterwards:", *cursor.fetchone())

try:
    with connections[0], connections[0].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM vrm.agents")
except errors.InvalidAuthorizationSpecification as e:
    print("a forgotten login:", e.diag.message_primary)

try:
    agents(connections[1], first[:-8])
except errors.InvalidAuthorizationSpecification as e:
    print("a bad token:", e.diag.message_primary, e.diag.message_detail, e.diag.message_hint)

with connections[1], connections[1].cursor() as cursor:
    cursor.execute("SELECT vrm.login(%s)", (first,))
    cursor.execute("SELECT vrm.create_agent(%s)", ("by psycopg2",))
    cursor.execute("SELECT count(*) FROM vrm.agents")
    print("after making one:", *cursor.fetchone())
    connections[1].rollback()
