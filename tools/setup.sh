# Part of ./vrm: which PostgreSQL, which packages, where the state lives, and how a step is shown.

fail() {
    printf 'vrm: %s\n' "$*" >&2
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# Runs a command with its output in a file, and prints a dot for every other second in which that
# has grown: a sign of life.  The command runs in a subshell of its own, so that it stops at its
# first failure; the result is in $result.
# usage: watched FILE COMMAND [ARG...]
watched() {
    output=$1
    shift
    : >"$output"
    while kill -0 $$ && sleep 2 >/dev/null 2>&1 9>&-; do
        grown=$(stat -c %s "$output")
        [ "$grown" = "${seen:-0}" ] || printf .
        seen=$grown
    done &
    watcher=$!
    set +e
    (
        set -e
        "$@"
    ) >"$output" 2>&1 </dev/null
    result=$?
    set -e
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
}

# Runs a long step, shows how long it took, and its output only when it fails.
step() {
    printf '%s ...' "$1"
    shift
    began=$(date +%s)
    watched "$state/output" "$@"
    if [ "$result" -ne 0 ]; then
        echo ' failed'
        tail -n "${shown:-200}" "$state/output" >&2
        exit 1
    fi
    echo " $(($(date +%s) - began)) s"
}

# The line that tells how tests ended, for people and for .ci/run.
# usage: closing_line PASSED FAILED SKIPPED
closing_line() {
    printf '%s passed, %s failed' "$1" "$2"
    if [ "$3" -eq 0 ]; then echo; else echo ", $3 skipped"; fi
}

# --- where the state lives --------------------------------------------------------------------

# User postgres, who runs the server when root starts it, must be able to reach the data.
open_to_all() {
    directory=$1
    while [ "$directory" != / ]; do
        case $(stat -c %A "$directory") in
        *[xt]) directory=$(dirname "$directory") ;;
        *) return 1 ;;
        esac
    done
}

locate_state() {
    state=$root/.vrm
    if { is_root && ! open_to_all "$root"; } || ! [ -w "$root" ]; then
        state=/var/tmp/vrm-$(id -u)-$(printf '%s' "$root" | cksum | cut -d' ' -f1)
    fi
    [ -e "$state" ] || mkdir "$state"
    # In /var/tmp anybody could have made it beforehand.
    [ "$(stat -c '%u %F' "$state")" = "$(id -u) directory" ] ||
        fail "$state belongs to somebody else"
}

# One ./vrm at a time works in a clone: two would build into the same files.
lock() {
    locate_state
    exec 9>"$state/lock"
    flock -w 10 9 || fail 'another ./vrm is at work in this directory'
}

# --- which PostgreSQL -------------------------------------------------------------------------

# apt-get knows no package at all where nobody has asked for the list of them yet.
know_packages() {
    ! apt-cache madison apt 2>/dev/null | grep -q . || return 0
    is_root || fail 'the list of packages is empty; as root: apt-get update'
    step 'asking for the list of packages' apt-get update
}

choose_server() {
    version=${VRM_PG:-}
    [ -n "$version" ] || version=$(
        for postgres in /usr/lib/postgresql/*/bin/postgres; do
            number=${postgres#/usr/lib/postgresql/}
            number=${number%%/*}
            [ -e "/usr/include/postgresql/$number/server/postgres.h" ] && echo "$number"
        done | sort -n | tail -n 1
    )
    [ -n "$version" ] || version=$(
        find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null |
            sed 's|^/usr/lib/postgresql/\([0-9]*\)/.*|\1|' | sort -n | tail -n 1
    )
    if [ -z "$version" ]; then
        know_packages
        version=$(apt-cache depends postgresql 2>/dev/null |
            sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
    fi
    [ -n "$version" ] || fail 'PostgreSQL is not installed, and apt-get knows no package of it'
    [ "$version" -ge 15 ] || fail "PostgreSQL 15 or later is needed, not $version"
    pg_config=/usr/lib/postgresql/$version/bin/pg_config
    image=$state/$version
}

# --- packages ---------------------------------------------------------------------------------

# Of the newest server that has one, where there is none for this server yet.
pgtap_package() {
    wanted=postgresql-$version-pgtap
    [ -n "$(missing_of "$wanted")" ] || { echo "$wanted" && return; }
    known=$(apt-cache pkgnames postgresql- | grep -E '^postgresql-[0-9]+-pgtap$' | sort -V)
    case $known in
    '' | *"$wanted"*) echo "$wanted" ;;
    *) echo "$known" | tail -n 1 ;;
    esac
}

packages_for() {
    echo "postgresql-$version postgresql-server-dev-$version g++ make"
    echo 'libssl-dev libcrypt-dev libargon2-dev libzstd-dev'
    case $1 in
    check)
        echo "cmake libgtest-dev $(pgtap_package) libtap-parser-sourcehandler-pgtap-perl"
        echo 'libipc-run-perl pgbouncer pgbackrest python3-cryptography python3-psycopg2'
        ;;
    long)
        echo 'clang-19 libclang-rt-19-dev cmake sqlsmith valgrind'
        ;;
    lint)
        echo 'shellcheck perltidy libgtest-dev clang-19 clang-format-19 clang-tidy-19'
        ;;
    package)
        echo 'build-essential debhelper fakeroot git lintian postgresql-server-dev-all'
        ;;
    esac
}

# What tests use where apt-get has it, and skip without.
packages_wished_for() {
    case $1 in
    check)
        echo 'prometheus prometheus-alertmanager prometheus-postgres-exporter docker-compose'
        echo 'mkdocs mkdocs-material'
        echo "postgresql-$version-plproxy postgresql-$version-cron"
        echo 'python3-psycopg python3-sqlalchemy mypy libpostgresql-jdbc-java'
        echo 'python3-build python3-setuptools python3-wheel faketime'
        ;;
    esac
}

missing_of() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        awk -v wanted="$*" '
            $1 == "installed" { there[$2] = 1 }
            END {
                count = split(wanted, package, " ")
                for (i = 1; i <= count; i++) if (!(package[i] in there)) print package[i]
            }'
}

# Debian's packages would create a cluster and start services; nobody asked for that, and what
# runs already must not be restarted because a library it uses is upgraded along.
install_packages() {
    no_cluster=/etc/postgresql-common/createcluster.d/vrm-no-main-cluster.conf
    no_services=/usr/sbin/policy-rc.d
    made=
    trap 'rm -f $made' EXIT
    trap 'exit 1' INT TERM HUP
    mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' >"$no_cluster"
    made=$no_cluster
    if ! [ -e "$no_services" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$no_services"
        chmod 755 "$no_services"
        made="$made $no_services"
    fi
    apt-cache show "$@" >/dev/null 2>&1 || apt-get update
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    set -- apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
    # A list of yesterday may name files that the mirror has replaced since.
    "$@" || {
        apt-get update
        "$@"
    }
}

# Installs what command $1 needs and the machine lacks, and sets version, pg_config and image.
prepare() {
    purpose=$1
    choose_server
    # shellcheck disable=SC2046 # one word for each package
    missing=$(missing_of $(packages_for "$purpose"))
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086
        set -- $missing
        is_root || fail "packages are missing; as root: apt-get install --no-install-recommends $*"
        step "installing $# packages" install_packages "$@"
    fi
    is_root || return 0
    [ -z "$(packages_wished_for "$purpose")" ] || know_packages
    # shellcheck disable=SC2046
    set -- $(missing_of $(packages_wished_for "$purpose") |
        while read -r package; do
            ! apt-cache show "$package" >/dev/null 2>&1 || echo "$package"
        done)
    [ $# -eq 0 ] || step "installing $# packages for tests" install_packages "$@"
}
