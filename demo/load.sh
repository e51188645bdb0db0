#!/bin/sh
# Fills the fresh database that PGHOST, PGPORT and PGDATABASE name with the sample calls; ./vrm demo
# runs it once.  PGUSER is a superuser, here in the role of the DBA.
set -eu
cd "$(dirname "$0")"

# Sealed values need a master key.  It lies beside the data directory, never in it: whoever copies
# the data must not get the key along.
data=$(psql -XAtqc 'SHOW data_directory')
master_key=$(dirname "$data")/demo-master-key
if ! [ -e "$master_key" ]; then
    (
        umask 077
        echo "demo:$(head -c 32 /dev/urandom | base64)" >"$master_key"
    )
    chown --reference="$data" "$master_key"
fi
psql -qX -v ON_ERROR_STOP=1 -v master_key="$master_key" -f load.sql
