#!/bin/sh
# Prints what the index of words costs a call: CPU of the queue and of the indexing, bytes of both,
# next to to_tsvector alone; and a search by the index next to one that reads every call.  Needs the
# server that PGHOST names, as a superuser.
# usage: bench/retention/search.sh [CALLS]
set -eu
cd "$(dirname "$0")"
PGDATABASE=vrm_bench_search; export PGDATABASE
dropdb --if-exists "$PGDATABASE" 2>/dev/null
createdb "$PGDATABASE"
psql -qAtX -v ON_ERROR_STOP=1 -v calls="${1:-5000}" -f search.sql
dropdb "$PGDATABASE"
