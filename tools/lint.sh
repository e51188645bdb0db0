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

# Shows what perltidy would change.
perl_style() {
    cd "$root"
    find bench test -name '*.p[lm]' | sort | {
        untidy=0
        while read -r file; do
            perltidy --standard-output --standard-error-output "$file" |
                diff -u --label "$file" --label "$file, tidied" "$file" - || untidy=1
        done
        return $untidy
    }
}

cxx_files() { (cd "$root" && find src test -type f \( -name '*.cpp' -o -name '*.h' \) | sort); }

format() {
    cd "$root"
    cxx_files | xargs clang-format-19 --dry-run -Werror
}

configure_tidy() {
    cd "$root"
    cmake --preset tidy -DPG_CONFIG="$pg_config"
}

# Prints the files to look at, each with the line that its stamp will hold.
unclean() {
    cd "$root"
    common=$(find src -name '*.h' | sort |
        xargs cat .clang-tidy src/functions/.clang-tidy test/.clang-tidy compile_flags.txt \
            CMakeLists.txt | cksum)
    grep -o '"file": "[^"]*"' out/tidy/compile_commands.json | cut -d'"' -f4 | sort -u |
        while read -r file; do
            line="$version $common $(cksum <"$file")"
            stamp=out/tidy/clean/${file#"$root"/}
            is_current "$stamp" "$line" || printf '%s\t%s\t%s\n' "$file" "$stamp" "$line"
        done
}

# As many at a time as there are processors; a failing one does not stop the others.
tidy() {
    cd "$root"
    # shellcheck disable=SC2016 # expands in the inner shell
    xargs -d '\n' -P "$(nproc)" -n 1 sh -c '
        file=$(printf %s "$1" | cut -f1)
        stamp=$(printf %s "$1" | cut -f2)
        said=$(clang-tidy-19 -p out/tidy --quiet "--warnings-as-errors=*" "$file" 2>&1) || {
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
    step 'configuring for clang-tidy' configure_tidy
    unclean >"$state/unclean"
    linter "clang-tidy on $(wc -l <"$state/unclean") files that have changed" tidy "$state/unclean"
    closing_line $passed $failed 0
    [ $failed -eq 0 ]
}
