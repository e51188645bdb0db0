# Part of ./vrm: what ShellCheck says of the scripts, perltidy of the Perl and clang of the C++.
# C++ that was found clean is looked at again only when it, a header or the configuration has
# changed.

# Prints the programs in sh and bash; what they source is looked at along with them.
shell_programs() {
    cd "$root"
    find . \( -path ./.git -o -path ./.vrm -o -path ./out -o -path ./build \) -prune -o \
        -type f -exec awk '/^#!.*[ \/](ba)?sh$/ { print FILENAME } { nextfile }' {} + | sort
}

shell() {
    cd "$root"
    shell_programs | xargs shellcheck --check-sourced
}

# Shows what perltidy would change.  In one process, because it takes longer to start than to work.
perl_style() {
    cd "$root"
    # shellcheck disable=SC2016 # a program of perl
    find bench test tools -name '*.p[lm]' | sort | xargs perl -MPerl::Tidy -we '
        my $untidy = 0;
        for my $file (@ARGV) {
            my $tidied;
            my $failed = Perl::Tidy::perltidy(
                argv => "-se", source => $file, destination => \$tidied);
            my @labels = ("--label", $file, "--label", "$file, tidied");
            open my $diff, "|-", "diff", "-u", @labels, $file, "-" or die "diff: $!";
            print {$diff} $tidied // "";
            $untidy = 1 if !close $diff || $failed;
        }
        exit $untidy'
}

cxx_files() { (cd "$root" && find src test -type f \( -name '*.cpp' -o -name '*.h' \) | sort); }

format() {
    cd "$root"
    cxx_files | xargs clang-format-19 --dry-run -Werror
}

# --- clang-tidy ---------------------------------------------------------------------------------

# One set of flags for all; only what the compiler says of the core is CMake's to say.
tidy_flags() {
    # shellcheck disable=SC2046 # one word for each flag
    printf '%s ' $(cat compile_flags.txt) -xc++ -Isrc -Itest/core -D_GNU_SOURCE \
        -isystem "$("$pg_config" --includedir-server)" -DVRM_VERSION='"0"' -DVRM_TEST_DATA='""'
}

# Prints the units to look at, each with the line that its stamp will hold.
unclean() {
    cd "$root"
    settings=$(find . \( -path ./.git -o -path ./.vrm -o -path ./out \) -prune -o \
        -name .clang-tidy -print)
    for file in $settings; do install -D -m 0644 "$file" "out/tidy/$file"; done
    # shellcheck disable=SC2086 # one word for each file
    common=$({ tidy_flags; find src test -name '*.h' | sort | xargs cat $settings; } | cksum)
    # shellcheck disable=SC2046 # one word for each flag
    find src test -name '*.cpp' -printf '%H/%P\n' | cut -d/ -f1,2 | sort -u |
        xargs -P "$(nproc)" -I '{}' tools/tidy_units.sh '{}' $(tidy_flags) | while read -r unit; do
        line="$version $common $(sed -n 's/^#include "\(\/.*\)".*/\1/p' "$unit" |
            xargs cat "$unit" | cksum)"
        stamp=out/tidy/clean/$unit
        is_current "$stamp" "$line" || printf '%s\t%s\t%s\n' "$unit" "$stamp" "$line"
    done
}

unclean_units() { unclean >"$state/unclean"; }

# As many at a time as there are processors; a failing one does not stop the others.
tidy() {
    cd "$root"
    flags=$(tidy_flags)
    export flags
    # shellcheck disable=SC2016 # expands in the inner shell
    xargs -d '\n' -P "$(nproc)" -n 1 sh -c '
        unit=$(printf %s "$1" | cut -f1)
        stamp=$(printf %s "$1" | cut -f2)
        said=$(clang-tidy-19 --quiet "--warnings-as-errors=*" "$unit" -- $flags 2>&1) || {
            printf "%s\n" "$said" | grep -vE "warnings (generated|treated)"
            exit 1
        }
        mkdir -p "$(dirname "$stamp")"
        printf "%s\n" "$1" | cut -f3 >"$stamp"' sh <"$1"
}

# Runs a linter, whatever the others said, and counts it.
# usage: linter LABEL COMMAND [ARG...]
linter() { if (step "$@"); then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }

lint() {
    prepare lint
    shown=5000
    passed=0
    failed=0
    linter 'shellcheck' shell
    linter 'perltidy' perl_style
    linter 'clang-format' format
    step 'looking for what has changed' unclean_units
    linter "clang-tidy on $(wc -l <"$state/unclean") units that have changed" tidy "$state/unclean"
    closing_line $passed $failed 0
    [ $failed -eq 0 ]
}
