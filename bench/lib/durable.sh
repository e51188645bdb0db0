# Part of benchmarks that are about durability: a server of their own with PostgreSQL's defaults,
# because the throwaway server of ./vrm neither flushes nor waits.  To be sourced.

durable=$(mktemp -d /tmp/vrm-bench.XXXXXX)
bin=$(pg_config --bindir)

as_server() (
    cd "$durable" || exit
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
)

end_durable() {
    as_server "$bin/pg_ctl" -D "$durable/data" -m immediate -s stop >/dev/null 2>&1 || true
    rm -rf "$durable"
}
trap end_durable EXIT
trap 'exit 1' INT TERM

# usage: start_durable [SETTING...]     name=value
# shellcheck disable=SC2120 # some benchmarks keep the defaults
start_durable() {
    [ "$(id -u)" -ne 0 ] || chown postgres "$durable"
    as_server "$bin/initdb" -D "$durable/data" -U postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 >/dev/null
    options="-k $durable -c listen_addresses= -c shared_buffers=256MB -c max_wal_size=4GB"
    for setting in "$@"; do options="$options -c $setting"; done
    as_server "$bin/pg_ctl" -D "$durable/data" -l "$durable/log" -w -s -o "$options" start \
        >/dev/null
    PGHOST=$durable
    PGPORT=5432
    PGUSER=postgres
    PGDATABASE=bench
    export PGHOST PGPORT PGUSER PGDATABASE
    createdb bench
    psql -qX -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION vrm'
}

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# usage: target WHAT VALUE 'at least'|'at most' LIMIT
target() {
    awk -v what="$1" -v value="$2" -v side="$3" -v limit="$4" 'BEGIN {
        met = side == "at least" ? value >= limit : value <= limit
        away = value > limit ? value - limit : limit - value
        by = limit == 0 ? "" : sprintf(" by %.0f %%", 100 * away / limit)
        printf "%-56s %8.1f   %s %s: %s\n", what, value, side, limit, met ? "met" : "missed" by
    }'
}
