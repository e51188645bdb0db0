#!/bin/sh
# One row too many in one query takes every metric away.
#
# To expect: a query of one's own that gives two rows with the same labels costs the exporter that
#   metric, or the second row, and is counted as an error; the rest of the page stands.
# Seen (prometheus-postgres-exporter 0.11.1 of Debian 12 with PostgreSQL 15.20, 2026-11): the whole
#   page is answered with status 500 and the name of the metric, for the process's own metrics and
#   pg_up too, until the second row is gone. What Prometheus keeps of it is that the exporter is
#   down: up is 0, and every alert on the server's metrics falls silent.
# It matters because labels are names: the first user with two agents of one name, or two names
#   that differ only in a column that was left out, blinds the monitoring of the whole server.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    prometheus-postgres-exporter=0.11.1-3+b5'
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
[ "$(id -u)" != 0 ] || id postgres >/dev/null || { echo 'SKIP: no user postgres'; exit 77; }
tmp=$(mktemp -d)
bin=$tmp/root/usr/lib/postgresql/15/bin
# The server will not run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
exporter=
finish() {
    [ ! -e "$tmp/data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$tmp/data" -m immediate -s stop
    [ -z "$exporter" ] || kill "$exporter" || true
    rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
# shellcheck disable=SC2086 # a list
apt-get download $packages >log 2>&1 || { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done
"$bin/postgres" --version || { echo 'SKIP: the server needs libraries that are not here'; exit 77; }
chmod 755 .
[ "$(id -u)" != 0 ] || chown postgres .
as "$bin/initdb" -D "$tmp/data" -U postgres -A trust -E UTF8 --no-locale -N >log 2>&1
as "$bin/pg_ctl" -D "$tmp/data" -l "$tmp/server.log" -s -w start -o \
    "-c listen_addresses= -c unix_socket_directories=$tmp -c fsync=off"
export PGHOST="$tmp" PGUSER=postgres PGDATABASE=postgres PGTZ=UTC
sql() { "$bin/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

command -v curl >/dev/null || { echo 'SKIP: needs curl'; exit 77; }
sql <<'EOF'
CREATE TABLE agents (id integer, name text, calls integer);
INSERT INTO agents VALUES (1, 'reception', 20), (2, 'billing', 30);
EOF
cat >queries.yaml <<'EOF'
agents:
  query: SELECT name, calls FROM agents
  metrics:
    - name: {usage: LABEL, description: the name}
    - calls: {usage: GAUGE, description: calls}
EOF
address=127.0.0.1:$((20000 + $$ % 20000))
DATA_SOURCE_NAME="host=$tmp user=postgres dbname=postgres sslmode=disable" \
    root/usr/bin/prometheus-postgres-exporter --web.listen-address="$address" \
    --extend.query-path=queries.yaml >exporter.log 2>&1 &
exporter=$!

# usage: page: status and what is on it
page() {
    status=$(curl -s -m 10 --retry 10 --retry-connrefused --retry-delay 1 \
        -o page -w '%{http_code}' "http://$address/metrics")
    echo "$status, agents $(grep -c '^agents_calls' page), pg_up $(grep -c '^pg_up 1' page)"
}
check 'two agents, two names' "$(page)" '200, agents 2, pg_up 1'
sql -c "INSERT INTO agents VALUES (3, 'reception', 5)"
check 'three agents, two names' "$(page)" '500, agents 0, pg_up 0'
sql -c 'DELETE FROM agents WHERE id = 3'
check 'two again' "$(page)" '200, agents 2, pg_up 1'
