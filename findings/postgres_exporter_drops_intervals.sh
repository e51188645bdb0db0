#!/bin/sh
# A metric of type interval is not there, and the exporter reports no error.
#
# To expect: a column that the exporter cannot read shows in the metric that it has for errors;
#   and a column that is NULL gives no sample.
# Seen (prometheus-postgres-exporter 0.11.1 of Debian 12 with PostgreSQL 15.20, 2026-11): a column
#   of type interval is left out, with a line in the log at level info, while
#   pg_exporter_last_scrape_error stays 0; usage DURATION, meant for durations, does not read it
#   either. A NULL is there, as NaN, which is neither above nor below any threshold.
# It matters because durations of calls are intervals: an alert on the longest running call never
#   fires, as there is nothing to compare, and looks as quiet as one that is fine. The seconds,
#   extract(epoch FROM ...), are read.
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
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

command -v curl >/dev/null || { echo 'SKIP: needs curl'; exit 77; }
cat >queries.yaml <<'EOF'
calls:
  query: SELECT took AS gauge, took AS duration, extract(epoch FROM took) AS seconds,
    NULL::integer AS missing FROM (VALUES (interval '2 minutes 45 seconds')) AS v (took)
  metrics:
    - gauge: {usage: GAUGE, description: an interval}
    - duration: {usage: DURATION, description: an interval}
    - seconds: {usage: GAUGE, description: seconds}
    - missing: {usage: GAUGE, description: NULL}
EOF
address=127.0.0.1:$((20000 + $$ % 20000))
DATA_SOURCE_NAME="host=$tmp user=postgres dbname=postgres sslmode=disable" \
    root/usr/bin/prometheus-postgres-exporter --web.listen-address="$address" \
    --disable-default-metrics --disable-settings-metrics --extend.query-path=queries.yaml \
    >exporter.log 2>&1 &
exporter=$!
curl -s -m 10 --retry 10 --retry-connrefused --retry-delay 1 -o page "http://$address/metrics"
value() { sed -n "s/^$1\\({.*}\\)\\{0,1\\} //p" page; }
check 'seconds' "$(value calls_seconds)" 165
check 'interval as GAUGE' "$(value calls_gauge)" ''
check 'interval as DURATION' "$(value 'calls_duration[a-z_]*')" ''
check 'errors' "$(value pg_exporter_last_scrape_error)" 0
check 'NULL' "$(value calls_missing)" NaN
