#!/bin/sh
# Fills the fresh database that PGHOST, PGPORT and PGDATABASE name with the sample calls; ./vrm demo
# runs it once.  PGUSER is a superuser, here in the role of the DBA.
set -eu
cd "$(dirname "$0")"
psql -qX -v ON_ERROR_STOP=1 -f load.sql
