# Part of ./vrm: builds the extension into a private copy of PostgreSQL and runs a server from it.
#
# PostgreSQL finds its files beside its own executable.  So $image holds copies of the programs,
# links to everything else and vrm's own files; neither the system nor another clone sees them.

fingerprint() {
    find "$@" -type f ! -name '*.[od]' -printf '%P %T@ %s\n' | sort | cksum
}

is_current() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

as_postgres() {
    if is_root; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# From a directory that user postgres can enter.
as_server() {
    cd "$image"
    as_postgres "$@"
}

# --- building ---------------------------------------------------------------------------------

build_extension() {
    make -C "$root" -j "$(nproc)" PG_CONFIG="$pg_config" all test-modules
}

copy_postgres() {
    rm -rf "${image:?}/usr"
    bin=$("$pg_config" --bindir)
    lib=$("$pg_config" --pkglibdir)
    share=$("$pg_config" --sharedir)
    mkdir -p "$image$bin" "$image$lib" "$image$share/extension"
    cp "$bin"/* "$image$bin"
    ln -s "$lib"/* "$image$lib"
    for file in "$share"/*; do
        [ "$file" = "$share/extension" ] || ln -s "$file" "$image$share"
    done
    ln -s "$share"/extension/* "$image$share/extension"
    rm -f "$image$lib/vrm.so" "$image$share/extension/vrm."* "$image$share/extension/vrm--"*
}

# pgTAP is SQL alone: where Debian has none for this server, that for another one does.
borrow_pgtap() {
    for file in /usr/share/postgresql/*/extension/pgtap*; do
        ! [ -e "$file" ] || [ -e "$image$share/extension/${file##*/}" ] ||
            ln -s "$file" "$image$share/extension"
    done
}

install_extension() {
    make -s -C "$root" PG_CONFIG="$pg_config" install DESTDIR="$image"
}

# Builds and installs what has changed since the last time.
build() {
    mkdir -p "$image"
    bin=/usr/lib/postgresql/$version/bin
    postgres=$(stat -L -c '%n %s %Y' "$bin/postgres" "/usr/lib/postgresql/$version/lib" \
        "/usr/share/postgresql/$version/extension" | cksum)
    built_from="$postgres $(fingerprint "$root/src" "$root/sql" "$root/extension" \
        "$root/test/module" "$root/Makefile" "$root/compile_flags.txt")"
    PATH=$image$bin:$PATH
    export PATH
    if ! is_current "$image/postgres" "$postgres"; then
        rm -f "$image/built"
        ! [ -e "$image/data/postmaster.pid" ] || stop_server
        step "copying PostgreSQL $version" copy_postgres
        echo "$postgres" >"$image/postgres"
    fi
    share=$("$pg_config" --sharedir)
    borrow_pgtap
    if ! is_current "$image/built" "$built_from"; then
        rm -f "$image/built"
        objects=$(make -n -C "$root" PG_CONFIG="$pg_config" all | grep -c -- ' -c -o ' || true)
        step "building for PostgreSQL $version, $objects files" build_extension
        step 'installing into a private directory' install_extension
        echo "$built_from" >"$image/built"
    fi
}

# --- the server -------------------------------------------------------------------------------

create_cluster() {
    rm -rf "$image/data"
    mkdir -m 700 "$image/data"
    touch "$image/server.log"
    ! is_root || chown postgres:postgres "$image/data" "$image/server.log"
    as_server initdb -D "$image/data" -U postgres --auth=trust --no-sync \
        --encoding=UTF8 --locale=C.UTF-8
    # Throwaway data: a crash of the machine may take it.  Nobody but the socket's owner gets in.
    as_server tee -a "$image/data/postgresql.conf" <<'SETTINGS'
listen_addresses = ''
unix_socket_permissions = 0700
fsync = off
synchronous_commit = off
full_page_writes = off
max_prepared_transactions = 10
log_statement = none
timezone = 'UTC'
SETTINGS
    touch "$image/cluster"
}

# The directory of the socket lies under /tmp because its path may have 107 bytes at most, and
# belongs to the server's user alone because whoever reaches the socket is let in.
socket_directory() {
    if [ -e "$image/socket" ]; then
        PGHOST=$(cat "$image/socket")
        [ -O "$PGHOST" ] && ! is_root && return
        is_root && [ "$(stat -c '%U %F' "$PGHOST" 2>/dev/null)" = 'postgres directory' ] && return
    fi
    ! [ -e "$image/data/postmaster.pid" ] || stop_server
    PGHOST=$(mktemp -d /tmp/vrm.XXXXXX)
    ! is_root || chown postgres:postgres "$PGHOST"
    echo "$PGHOST" >"$image/socket"
}

launch_server() {
    as_server pg_ctl -D "$image/data" -l "$image/server.log" -w -t 120 -s \
        -o "-k $PGHOST -p 5432" start 9>&- || {
        tail -n 30 "$image/server.log"
        return 1
    }
}

# Starts the server unless it runs, and points psql and its like at it.
start_server() {
    [ -e "$image/cluster" ] || step 'creating a throwaway cluster' create_cluster
    socket_directory
    PGPORT=5432
    PGUSER=postgres
    export PGHOST PGPORT PGUSER
    unset PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS PGSSLMODE
    if (as_server pg_ctl -D "$image/data" status) >/dev/null 2>&1; then
        server_was_running=yes
    else
        server_was_running=no
        step 'starting the server' launch_server
    fi
}

stop_server() {
    (as_server "$image"/usr/lib/postgresql/*/bin/pg_ctl -D "$image/data" -m immediate \
        -w -s stop) >/dev/null 2>&1 || true
    ! [ -e "$image/socket" ] || rm -rf "$(cat "$image/socket")" "$image/socket"
}

database_exists() {
    [ "$(psql -XAtd postgres -c "SELECT 1 FROM pg_database WHERE datname = '$PGDATABASE'")" = 1 ]
}

create_database() {
    dropdb --if-exists --force "$PGDATABASE" 2>/dev/null
    createdb "$PGDATABASE"
    psql -qX -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION vrm'
}

# --- the end ----------------------------------------------------------------------------------

clean() {
    for image in "$state"/[0-9]*; do
        [ -d "$image" ] || continue
        stop_server
    done
    rm -rf "$state" "$root/build" "$root/out"
    find "$root/src" -name '*.[od]' -delete
    rm -f "$root/vrm.so"
}
