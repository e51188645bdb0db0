# Part of ./vrm: runs every group of tests, whatever the others did, and adds up what came of it.

passed=0
failed=0
skipped=0

# Shows the end of what a runner said and what it skipped, all of it when something failed, and
# counts its tests.
# usage: group HEADLINE COUNTER COMMAND [ARG...]
group() {
    printf '\n== %s ' "$1"
    counter=$2
    shift 2
    report=$image/report
    watched "$report" "$@"
    echo
    # shellcheck disable=SC2046 # two words
    set -- $($counter <"$report")
    good=$1
    bad=$2
    left_out=$(grep -c ' skipped: ' "$report" || true)
    # A runner that found no test, and does not say why, has shown nothing.
    [ "$result" -eq 0 ] && [ $((good + left_out)) -gt 0 ] || [ "$bad" -gt 0 ] || bad=1
    if [ "$bad" -gt 0 ]; then
        cat "$report"
    else
        head -n -3 "$report" |
            awk '/ skipped: / { print } / skipped subtests: / { print last $0 } { last = $0 }'
        tail -n 3 "$report"
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + left_out))
}

skip() {
    printf '\n== %s\nskipped: %s\n' "$1" "$2"
    skipped=$((skipped + 1))
}

# --- counters: how many tests passed and failed, from what the runner printed --------------------

count_ctest() {
    sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' |
        awk '{ failed += $1; all += $2 } END { print all - failed, failed + 0 }'
}

count_prove() {
    awk '/Failed [0-9]+\/[0-9]+ subtests/ { sub(/.*Failed /, ""); failed += $1 }
         /No subtests run/ { failed++ }
         /^Files=.*Tests=/ { sub(/.*Tests=/, ""); all += $1 }
         END { print (all > failed ? all - failed : 0), failed + 0 }'
}

count_isolation() {
    awk '/^ok |^test .* ok( |$)/ { passed++ }
         /^not ok |^test .* FAILED/ { failed++ }
         END { print passed + 0, failed + 0 }'
}

# --- the groups ---------------------------------------------------------------------------------

core_tests() {
    cd "$root"
    cmake --preset dev -DPG_CONFIG="$pg_config"
    cmake --build --preset dev -j "$(nproc)"
    ctest --preset dev -j "$(nproc)"
}

pgtap_tests() { "$root/test/pgtap.sh" "$image$bin"; }

# Examples seal the audit trail, which waits for transactions of other databases, too.
documentation_tests() {
    alone=0
    prove "$root/test/docs.pl" || alone=$?
    prove -j "$(nproc)" "$root/test/graph.pl" "$root/test/api_errors.pl" \
        "$root/test/monitoring_files.pl" "$root/test/client_files.pl" "$root/test/site.pl"
    return $alone
}

isolation_tests() {
    specs=$(cd "$root/test/isolation/specs" && ls -- */*.spec)
    # pg_isolation_regress makes the directory of its results, and none below it.
    (cd "$image/isolation" && echo "$specs" | sed 's|/.*||; s|^|results/|' | xargs mkdir -p)
    # shellcheck disable=SC2046 # one word for each specification
    "$(dirname "$pgxs")/../test/isolation/pg_isolation_regress" --load-extension=vrm \
        --inputdir="$root/test/isolation" --outputdir="$image/isolation" --bindir="$image$bin" \
        --host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname=vrm_isolation \
        $(echo "$specs" | sed 's/\.spec$//') || {
        cat "$image/isolation/regression.diffs"
        return 1
    }
}

# Runs tests that make and break servers of their own, as user postgres when root runs the check.
# That user may be unable to read this directory, hence the copy.  They wait some of their time,
# hence twice as many as there are processors; the longest files begin, so that none runs alone.
# usage: prove_with_servers DIRECTORY...
prove_with_servers() {
    rm -rf "$image/cluster_tests"
    mkdir -p "$image/cluster_tests/source"
    cp -R "$root/test" "$root/sql" "$root/extension" "$root/demo" "$root/tools" "$root/doc" \
        "$root/clients" "$image/cluster_tests/source"
    if is_root; then
        chown -R postgres:postgres "$image/cluster_tests"
        install -m 0644 -o nobody /dev/null "$image/cluster_tests/file_of_nobody"
    fi
    sources=$(dirname "$pgxs")/../..
    work=$image/cluster_tests
    # What a test that dies leaves goes with it; short, because of the paths of sockets.
    temporary=$PGHOST/tests
    rm -rf "$temporary"
    as_server mkdir "$temporary"
    (
        cd "$work/source"
        directories=$(printf 'test/%s ' "$@")
        # shellcheck disable=SC2046,SC2086 # a word for each directory and file
        set -- $(find $directories -name '*.pl' -exec ls -S {} +)
        unset PGHOST PGPORT PGUSER LC_ALL
        as_postgres env HOME="$work" PG_REGRESS="$sources/src/test/regress/pg_regress" \
            TESTDIR="$work" TESTDATADIR="$work/tmp_check" TESTLOGDIR="$work/tmp_check/log" \
            PG_TEST_PORT_DIR="$work" NODE_PATH="$image/npm/node_modules" \
            TMPDIR="$temporary" \
            prove -j $((2 * $(nproc))) -I "$sources/src/test/perl" -I test/cluster "$@"
    ) | tee "$work/report"
    rm -rf "$temporary"
    grep -q '^Result: FAIL' "$work/report" || return 0
    # prove hears only what a test says as TAP; why it died stands in its log.
    sed -n 's|^test/[a-z_/]*/\([^ /]*\)\.pl *(Wstat.*|\1|p' "$work/report" | while read -r name; do
        echo "--- the end of $name's log"
        tail -n 25 "$work/tmp_check/log/regress_log_$name"
    done
    return 1
}

server_tests() { prove_with_servers cluster backup monitoring clients; }

citus_tests() { prove_with_servers citus; }

# Fetches the npm packages that clients are tested with, once; fails without npm or its registry.
npm_packages() {
    wanted=$root/test/clients/package.json
    command -v npm >/dev/null || return 1
    cmp -s "$wanted" "$image/npm/fetched" && return
    rm -rf "$image/npm"
    mkdir -p "$image/npm"
    cp "$wanted" "$image/npm"
    (cd "$image/npm" && npm install --ignore-scripts --no-audit --no-fund --silent) \
        >/dev/null 2>&1 || return 1
    # for the user that runs the tests
    chmod -R a+rX "$image/npm"
    cp "$wanted" "$image/npm/fetched"
}

house_tests() {
    cd "$root"
    prove test/lint.sh test/tools.sh test/errors.pl test/meta.pl test/containers.pl \
        test/benchmarks.pl test/release.sh
}

any() { [ -e "$1" ]; }

# usage: check [--long]
check() {
    case ${1:-} in
    '') ;;
    --long) prepare long ;;
    *) fail "check does not know $1" ;;
    esac
    prepare check
    build
    start_server
    pgxs=$("$pg_config" --pgxs)

    group 'house rules and META.json (prove)' count_prove house_tests
    group 'core, build parity (ctest)' count_ctest core_tests
    group 'SQL (pg_prove)' count_prove pgtap_tests
    group 'documentation, districts, monitoring/, clients/ (prove)' count_prove documentation_tests
    if any "$root"/test/isolation/specs/*/*.spec; then
        mkdir -p "$image/isolation"
        group 'concurrent sessions (pg_isolation_regress)' count_isolation isolation_tests
    else
        skip 'concurrent sessions (pg_isolation_regress)' 'test/isolation/specs is empty'
    fi
    npm_packages || echo 'npm is missing, or its registry: clients of npm are skipped'
    group 'crash, standby, dump, backup, monitoring, clients (prove)' count_prove server_tests
    if any "$("$pg_config" --sharedir)/extension/citus.control"; then
        group 'coordinator and workers with Citus (prove)' count_prove citus_tests
    else
        skip 'coordinator and workers with Citus (prove)' 'Citus is not installed'
    fi
    [ -z "${1:-}" ] || long_groups
    [ $server_was_running = yes ] || stop_server

    printf '\nPostgreSQL %s, %s\n' "$("$pg_config" --version | cut -d' ' -f2)" \
        "$(c++ --version | head -n 1)"
    closing_line $passed $failed $skipped
    [ $failed -eq 0 ]
}
