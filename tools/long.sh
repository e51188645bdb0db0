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

valgrind_tests() { prove "$root/test/long/valgrind.pl"; }

# A build of what is committed is the same, to the byte, wherever it is made.
reproduced() { prove "$root/test/long/reproducible.sh" :: "$pg_config"; }

long_groups() {
    group 'NULL and edge values (prove)' count_prove torture_tests
    group 'queries at random, by SQLsmith (prove)' count_prove sqlsmith_tests
    group 'memory, by Valgrind (prove)' count_prove valgrind_tests
    group 'hostile bytes, by libFuzzer (ctest)' count_ctest fuzz_tests
    group 'two builds are one (prove)' count_prove reproduced
}
