# Part of ./vrm: the groups of tests that ./vrm check --long runs besides, once a night: they take
# long, or look for what nobody has thought of.

fuzz_tests() {
    cd "$root"
    cmake --preset fuzz -DPG_CONFIG=
    targets=$(printf '%s\n' test/fuzz/*/*.cpp | sed -n '/driver/!s|.*/\(.*\)\.cpp|fuzz_\1|p')
    # shellcheck disable=SC2086 # one word for each
    cmake --build --preset fuzz -j "$(nproc)" --target $targets
    ctest --preset fuzz -R '^fuzz/'
}

# Everything is called with NULL and edge values, for another seed on each day.
torture_tests() { prove "$root/test/long/torture.pl" :: 100 "$(date +%Y%m%d)"; }

sqlsmith_tests() { prove "$root/test/long/sqlsmith.pl" :: 20000 "$(date +%Y%m%d)"; }

# The module with AddressSanitizer and UndefinedBehaviorSanitizer in it, in a copy of PostgreSQL of
# its own.
build_sanitized() {
    cmake --preset sanitize -DPG_CONFIG="$pg_config"
    cmake --build --preset sanitize -j "$(nproc)" --target vrm
    image=$image-sanitized
    copy_postgres
    borrow_pgtap
    install_extension
    install -m 755 out/sanitize/vrm.so "$image$lib"
    PATH=$image$bin:$PATH
}

# Leaks are not looked for: PostgreSQL leaves much to the end of its processes.  What is found ends
# the backend by a signal, which the postmaster tells from an exit.
start_sanitized() {
    create_cluster
    socket_directory
    trap stop_server EXIT
    reports=$image/reports
    rm -rf "$reports"
    mkdir -m 777 "$reports"
    # libstdc++, too, or AddressSanitizer would not find what throws; and a library whose only work
    # is to have that begin before the constructors of libp11-kit, which it hangs in otherwise.
    cat >"$image/first.c" <<'C'
#include <stdlib.h>
__attribute__((constructor)) static void begin(void) {
    void *volatile place = malloc(1);
    free(place);
}
C
    cc -shared -fPIC -Wl,-z,initfirst -o "$image/first.so" "$image/first.c"
    preloaded=$(c++ -print-file-name=libasan.so):$(c++ -print-file-name=libstdc++.so)
    preloaded=$preloaded:$image/first.so
    options=detect_leaks=0:abort_on_error=1:detect_odr_violation=0
    as_server env LD_PRELOAD="$preloaded" ASAN_OPTIONS="$options:log_path=$reports/asan" \
        UBSAN_OPTIONS="print_stacktrace=1:abort_on_error=1:log_path=$reports/ubsan" \
        pg_ctl -D "$image/data" -l "$image/server.log" -w -t 120 -s -o "-k $PGHOST -p 5432" start
}

sanitized_tests() {
    cd "$root"
    build_sanitized
    start_sanitized
    grep -q libasan "/proc/$(head -n 1 "$image/data/postmaster.pid")/maps"
    code=0
    VRM_TEST_MODULES=$root/build "$root/test/pgtap.sh" "$image$bin" || code=$?
    for report in "$reports"/*; do
        ! [ -e "$report" ] || { cat "$report" && code=1; }
    done
    return $code
}

# Tenants at work for as long as VRM_SOAK_SECONDS says, while whatever can be killed is.
soak_tests() { prove_with_servers soak; }

valgrind_tests() { prove "$root/test/long/valgrind.pl"; }

# A build of what is committed is the same, to the byte, wherever it is made.
reproduced() { prove "$root/test/long/reproducible.sh" :: "$pg_config"; }

long_groups() {
    group 'NULL and edge values (prove)' count_prove torture_tests
    group 'queries at random, by SQLsmith (prove)' count_prove sqlsmith_tests
    group 'pgTAP, by AddressSanitizer and UndefinedBehaviorSanitizer (prove)' count_prove \
        sanitized_tests
    group 'fifty tenants, kills and a promotion (prove)' count_prove soak_tests
    group 'memory, by Valgrind (prove)' count_prove valgrind_tests
    group 'hostile bytes, by libFuzzer (ctest)' count_ctest fuzz_tests
    group 'two builds are one (prove)' count_prove reproduced
}
