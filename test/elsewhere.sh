#!/bin/sh
# Runs the extension from a directory that is not PostgreSQL's, as CloudNativePG mounts it: made,
# filled by the demo, dumped, restored.  As root, on a server of its own; part of test/images.sh.
# usage: elsewhere.sh DIRECTORY     which has lib, share/extension and system
set -eu
cd "$(dirname "$0")/.."
directory=$1
bin=/usr/lib/postgresql/18/bin
work=$(mktemp -d)
export PATH="$bin:$PATH" LC_ALL=C.UTF-8 LD_LIBRARY_PATH="$directory/system"
as_server() {
    (cd "$work" && setpriv --reuid=postgres --regid=postgres --init-groups "$@")
}
trap 'as_server pg_ctl -D "$work/data" -m fast stop >/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chown postgres "$work"
as_server initdb -D "$work/data" -U postgres --auth=trust --encoding=UTF8 >/dev/null
cat >>"$work/data/postgresql.conf" <<CONF
extension_control_path = '\$system:$directory/share'
dynamic_library_path = '\$libdir:$directory/lib'
unix_socket_directories = '$work'
listen_addresses = ''
CONF
as_server pg_ctl -D "$work/data" -l "$work/log" -w start >/dev/null
export PGHOST="$work" PGUSER=postgres PGDATABASE=demo
createdb demo
psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION vrm'
demo/load.sh
demo/show.sh >/dev/null
as_server pg_dump -f "$work/dump" demo
createdb restored
psql -Xq -v ON_ERROR_STOP=1 -d restored -f "$work/dump" >/dev/null
for database in demo restored; do
    psql -XAtq -d "$database" -c 'SELECT count(*), vrm.version(), vrm.platform_version()
                                  FROM vrm.test_runs' >"$work/$database"
done
cat "$work/restored"
cmp "$work/demo" "$work/restored"
