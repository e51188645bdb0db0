#!/bin/sh
# Builds the images of packaging/ with buildah and runs what is in them, in a network of their own:
# the server and PgBouncer as compose.yaml starts them, the server as Supabase's services find it,
# and the extension where CloudNativePG mounts it, on PostgreSQL 18.  As TAP.
# No registry is asked: Debian's image is made by debootstrap, and the official one of PostgreSQL is
# stood in for by Debian's packages on it, without that image's entry point.
# usage: images.sh [--fresh] [--packages]     as root; --packages takes the server's package
# from out/packages, where ./vrm package has put it, and leaves out the images that compile
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${VRM_MATRIX_DIR:-/var/cache/vrm-matrix}
fresh=no packages=
for argument; do
    case $argument in
    --fresh) fresh=yes ;;
    --packages) packages=$root/out/packages ;;
    *) echo "images.sh: what is $argument?" >&2; exit 2 ;;
    esac
done
[ "$(id -u)" -eq 0 ] || { echo 'images.sh: debootstrap and chroot need root' >&2; exit 1; }
command -v buildah >/dev/null || { echo '1..0 # SKIP buildah is not installed'; exit 0; }
mkdir -p "$cache"
work=$(mktemp -d "$cache/images.XXXXXX")
network=
trap '[ -z "$network" ] || kill "$network"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=bare_debian.sh
. "$root/test/bare_debian.sh"
# shellcheck source=tap.sh
. "$root/test/tap.sh"

build() {
    buildah --root "$work/images" --runroot "$work/running" --storage-driver vfs "$@"
}

# --- images ---------------------------------------------------------------------------------------

mkdir "$work/source"
git -C "$root" -c safe.directory='*' archive HEAD | tar -x -C "$work/source"

# usage: image NAME CONTAINERFILE [ARG...]
image() {
    name=$1 file=$2
    shift 2
    build build --isolation chroot --pull-never --tag "$name" --file "$file" "$@" "$work/source"
}

debian_itself() {
    made=$(build from scratch)
    cp -a "$system/." "$(build mount "$made")"
    # Debian's image knows updates of stable as well, which a package wants.
    sources=$(build mount "$made")/etc/apt
    rm -f "$sources/sources.list"
    cp -R /etc/apt/sources.list.d "$sources/"
    [ ! -e /etc/apt/sources.list ] || cp /etc/apt/sources.list "$sources/"
    build commit --rm "$made" docker.io/library/debian:12-slim
}

stand_in() {
    printf '%s\n' 'FROM docker.io/library/debian:12-slim' 'ENV PG_MAJOR=15' \
        'RUN apt-get update && apt-get install -y --no-install-recommends postgresql-15' \
        'RUN mkdir /docker-entrypoint-initdb.d' >"$work/stand_in"
    image docker.io/library/postgres:15 "$work/stand_in"
}

# The packages stand for the first stage, which would make them.
take_packages() {
    mkdir "$work/source/packages"
    cp "$packages"/postgresql-15-vrm_*.deb "$work/source/packages"
    sed -i '/^FROM .* AS build$/,/^# ---/c\
FROM scratch AS build\
COPY packages/ /build/\
' "$work/source/packaging/Containerfile"
}

make_system bookworm >&2 || { cat "$work/why" >&2; exit 1; }
enter_host_settings
try "Debian's image is stood in for" debian_itself
[ -z "$packages" ] || take_packages
try 'the server is built' image vrm "$work/source/packaging/Containerfile"
try 'PgBouncer is built' image vrm-pgbouncer "$work/source/packaging/Containerfile" \
    --target pgbouncer
compiled_images() {
    official=$work/source/packaging/official.Containerfile
    try 'the official image is stood in for' stand_in
    try 'a server is built on it' image official "$official" --build-arg POSTGRESQL=15
    try 'and what CloudNativePG mounts' image mounted "$official" --build-arg POSTGRESQL=15 \
        --target cloudnative_pg
}
[ -n "$packages" ] || compiled_images

# --- running them --------------------------------------------------------------------------------

unshare --net sleep infinity &
network=$!
sleep 1
nsenter --net="/proc/$network/ns/net" ip link set lo up

# A command in the file system of an image, as its user with its environment.
# usage: enter IMAGE DIRECTORY COMMAND [ARG...]
enter() {
    settings=$(build inspect --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$1")
    user=$(build inspect --format '{{.OCIv1.Config.User}}' "$1")
    inside_of=$2
    shift 2
    # shellcheck disable=SC2016,SC2086 # expands in the inner shell; one word for each setting
    nsenter --net="/proc/$network/ns/net" unshare --mount --pid --fork --kill-child \
        --propagation private sh -euc '
            system=$1 user=$2
            shift 2
            mount -t proc proc "$system/proc"
            mount --rbind /dev "$system/dev"
            mount -t tmpfs -o mode=1777 tmpfs "$system/dev/shm"
            exec chroot --userspec="$user" "$system" /usr/bin/env -i "$@"
        ' sh "$inside_of" "$user" HOME=/ $settings $more "$@" </dev/null
}
more=

# The file system of a new container of an image, in $there.
container() { there=$(build mount "$(build from "$1")"); }

# psql of the host, in the network of the containers.
# usage: ask PASSWORD [ARG...]
ask() {
    PGPASSWORD=$1
    export PGPASSWORD
    shift
    nsenter --net="/proc/$network/ns/net" psql -XAtq -h 127.0.0.1 -v ON_ERROR_STOP=1 "$@"
}

wait_for() {
    tries=0
    until nsenter --net="/proc/$network/ns/net" pg_isready -q -h 127.0.0.1 -p "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 120 ] || return 1
        sleep 1
    done
}

# Ends what enter has started, as a container is stopped: by a signal to its first process.
# usage: stop PROCESS
stop() {
    kill -INT "$(pgrep -P "$(pgrep -P "$1")")"
    wait "$1" || true
}

secrets() {
    mkdir -p "$there/run/secrets" "$there/first-start"
    for secret in "$@"; do
        printf '%s-secret' "$secret" >"$there/run/secrets/$secret"
    done
}

container vrm
server=$there
secrets postgres app metrics pgbouncer
cp "$work/source/packaging/compose/first-start.sql" "$there/first-start/vrm.sql"
more='POSTGRES_DB=app POSTGRES_PASSWORD_FILE=/run/secrets/postgres'
start() {
    enter vrm "$server" start-server -c shared_preload_libraries=pg_stat_statements \
        >"$work/server.log" 2>&1 &
    running=$!
}
start
try 'the server starts' wait_for 5432
release=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root/extension/vrm.control")
is 'with the extension in the database that was named' "$release" \
    "$(ask postgres-secret -U postgres -c 'SELECT vrm.version()' app)"
is 'not as root' 0 "$(ask postgres-secret -U postgres -c \
    "SELECT count(*) FROM pg_stat_file('.'), pg_read_file('/proc/self/status') AS s
     WHERE s ~ 'Uid:\s+0'" app)"
is 'the role of exporters reads every family' t "$(ask metrics-secret -U prometheus -c \
    'SELECT count(DISTINCT family) > 5
     FROM vrm.monitoring() JOIN vrm.monitoring_metrics USING (name)' app)"

container vrm-pgbouncer
secrets pgbouncer
more='PGHOST=127.0.0.1 PGBOUNCER_PASSWORD_FILE=/run/secrets/pgbouncer'
enter vrm-pgbouncer "$there" start-pgbouncer >"$work/pgbouncer.log" 2>&1 &
pooler=$!
try 'PgBouncer starts before it' wait_for 6432
is 'and lets the application in' "$release" \
    "$(ask app-secret -p 6432 -U app app -c 'BEGIN' -c 'SET LOCAL ROLE authenticated' \
        -c 'SELECT vrm.version()' -c 'COMMIT')"
fails 'with its password alone' ask wrong -p 6432 -U app -c 'SELECT 1' app
fails 'and no superuser' ask postgres-secret -p 6432 -U postgres -c 'SELECT 1' app
stop $pooler
stop $running
more='POSTGRES_PASSWORD_FILE=/nowhere'
start
try 'the server starts once more' wait_for 5432
is 'with what it had' "$release" \
    "$(ask postgres-secret -U postgres -c 'SELECT vrm.version()' app)"
stop $running

# --- as Supabase's services find it ---------------------------------------------------------------

container vrm
server=$there
secrets postgres auth rest
cp "$work/source/packaging/supabase/first-start.sql" "$there/first-start/supabase.sql"
cp "$work/source/packaging/supabase/extension.sql" "$there/extension.sql"
more='POSTGRES_PASSWORD_FILE=/run/secrets/postgres'
start
try 'the server starts for Supabase' wait_for 5432
is 'without the extension' 0 "$(ask postgres-secret -U postgres -c \
    "SELECT count(*) FROM pg_extension WHERE extname = 'vrm'" postgres)"
try 'its Auth makes tables' ask auth-secret -U supabase_auth_admin -c \
    'CREATE TABLE users (id uuid PRIMARY KEY, email text, encrypted_password text, role text,
        email_confirmed_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb,
        banned_until timestamptz, deleted_at timestamptz, created_at timestamptz,
        updated_at timestamptz, phone text, last_sign_in_at timestamptz);
     CREATE TABLE identities (id uuid PRIMARY KEY, user_id uuid REFERENCES users)' postgres
extension() { ask postgres-secret -U postgres -f "$server/extension.sql" postgres; }
try 'the extension follows' extension
try 'and may follow twice' extension
is "PostgREST's login is believed" 018f0000-0000-7000-8000-00000000000a \
    "$(ask rest-secret -U authenticator postgres -c 'BEGIN' \
        -c "SET LOCAL request.jwt.claims = '{\"sub\": \"018f0000-0000-7000-8000-00000000000a\",
            \"role\": \"authenticated\"}'" \
        -c 'SET LOCAL ROLE authenticated' -c 'SELECT vrm.uid()' -c 'COMMIT')"
is 'and has the API' t "$(ask rest-secret -U authenticator postgres -c 'SET ROLE authenticated' \
    -c "SELECT has_schema_privilege('vrm_api', 'USAGE')")"
try 'the hooks of Auth answer' ask auth-secret -U supabase_auth_admin postgres -c \
    "SELECT vrm.hook_password_verification_attempt(
        '{\"user_id\": \"018f0000-0000-7000-8000-00000000000a\", \"valid\": true}')"
stop $running

# --- mounted by CloudNativePG --------------------------------------------------------------------

elsewhere() {
    cp -a "$work/source" "$system/root/mounted"
    # shellcheck disable=SC2016 # expands in the inner shell
    inside "$system" sh -euc '
        apt-get install -y --no-install-recommends g++ make postgresql-18 \
            postgresql-server-dev-18 libssl-dev libcrypt-dev libargon2-dev
        cd /root/mounted
        pg_config=/usr/lib/postgresql/18/bin/pg_config
        make -s -j "$(nproc)" PG_CONFIG=$pg_config
        make -s install PG_CONFIG=$pg_config DESTDIR=/root/mounted/installed
        rm -rf /extensions
        packaging/cloudnative_pg/layout installed /extensions/vrm
        [ -z "$(find /usr -name "vrm*.so" -o -name "vrm.control")" ]
        ./test/elsewhere.sh /extensions/vrm'
}
clean_up() { rm -rf "$system/root/mounted" "$system/extensions"; }

mounted() {
    container mounted
    is 'what is mounted has the layout' "lib/vrm.so share/extension/vrm.control" \
        "$(cd "$there" && echo lib/*.so share/extension/*.control)"
    make_system forky >&2 || { cat "$work/why" >&2; exit 1; }
    enter_host_settings
    clean_up
    try 'it works from there on PostgreSQL 18, and so do dump and restore' elsewhere
    clean_up
}
[ -n "$packages" ] || mounted
echo "1..$number"
