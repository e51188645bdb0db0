#!/bin/sh
# The house rules that need no compiler, as TAP: what a reviewer would otherwise have to look for.
set -u
LC_ALL=C.UTF-8
export LC_ALL
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# What git would commit; a tarball has no git and nothing but what was committed.
git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard 2>/dev/null |
    while read -r file; do [ -f "$file" ] && echo "$file"; done >"$work/all"
[ -s "$work/all" ] || find . -type f ! -path './.vrm/*' ! -path './out/*' ! -path './build/*' \
    ! -path './.git/*' ! -name '*.o' ! -name '*.so' | sed 's|^\./||' | sort >"$work/all"
grep -E '\.(cpp|h|sql|spec|sh|pl|pm|map)$|^vrm$|^\.ci/|Makefile|CMakeLists' "$work/all" \
    >"$work/code"
grep -E '\.(cpp|h)$' "$work/code" >"$work/cxx"
grep -E '\.sql$' "$work/code" >"$work/sql"
xargs grep -lE '^#!' <"$work/code" >"$work/programs"

# Passes when the rule prints nothing; what it prints are the offenders.
rule() {
    number=$((number + 1))
    "$2" >"$work/offenders"
    if [ -s "$work/offenders" ]; then
        echo "not ok $number - $1"
        sed 's/^/# /' "$work/offenders" >&2
    else
        echo "ok $number - $1"
    fi
}

# usage: lines LIST PATTERN
lines() { xargs grep -nHE -e "$2" <"$work/$1"; }

too_long() { xargs wc -l <"$work/code" | awk '$1 > 500 && $2 != "total" { print $2, $1 }'; }
# A message or COMMENT is one literal, which is found by searching for it only when it is whole;
# so are the values that tests pass.
too_wide() { { grep -vE '\.(sql|p[lm])$|^test/core/' "$work/code" | xargs grep -nHE '.{101,}'
               grep -E '^(test/)?sql/' "$work/sql" | xargs grep -nHE '.{121,}'; } | cut -c 1-120; }
tabs() { grep -vE 'Makefile$' "$work/code" | xargs grep -nH "$(printf '\t')"; }
trailing_space() { lines code " +$"; }
no_newline_at_end() {
    # shellcheck disable=SC2016 # a program of perl
    grep -vE '^test/fuzz/.*seeds/|\.gz$' "$work/all" |
        xargs perl -ne 'print "$ARGV\n" if eof && !/\n\z/'
}
left_for_later() { grep -v '^test/lint.sh$' "$work/all" | xargs grep -nHIwE 'TODO|FIXME|XXX|HACK'; }
machine_paths() { lines all '(^|[^a-z.])/wor[k]/|share[d]/(design|source|prototypes|skeleton)'; }

core_names_postgres() {
    grep '^src/core/' "$work/cxx" | xargs -r grep -nHwE \
        -e 'PG_[A-Z_]+|Datum|Oid|palloc|pfree|elog|ereport|SPI_[a-z]+|MemoryContext|postgres\.h' \
        -e '#include "(boundary|functions)/.*"'
}
# What travels with the boundary when another extension takes it: three plain headers.
boundary_names_product() {
    grep '^src/boundary/' "$work/cxx" | xargs grep -nH '#include "\(core\|functions\)/' |
        grep -vE '"core/platform/(error|sqlstate|uuid)\.h"'
    grep '^src/boundary/' "$work/cxx" | xargs grep -nHwE 'vrm(_[a-z]+|\.[a-z]+)?' |
        grep -vE 'vrm::(error|sqlstate|uuid)'
}
version_elsewhere() { grep -v '^src/boundary/' "$work/cxx" | xargs grep -nHwE 'PG_VERSION_NUM'; }
# One compiler's library brings <cstdint> along with others, the next one's does not.
no_cstdint() {
    grep '\.h$' "$work/cxx" | xargs grep -lE 'std::u?int[0-9]+_t' |
        xargs grep -L '^#include <cstdint>'
}
no_pragma_once() { grep '\.h$' "$work/cxx" | xargs grep -L '^#pragma once'; }

# An opening comment within the first lines; a .cpp may leave it to its header.
no_opening() {
    grep -E '\.(cpp|h|sql|sh|pl|spec)$' "$work/code" | xargs awk '
        function judge() { if (file != "" && !opens) print file }
        FNR == 1 { judge(); file = FILENAME; opens = 0 }
        FNR <= 25 && /^ *(\/\/|#+ |--|\/\*|=head)/ { opens = 1 }
        END { judge() }' | while read -r file; do
        [ -e "${file%.cpp}.h" ] || echo "$file"
    done
}

definer_unpinned() {
    # shellcheck disable=SC2016 # a program of awk
    xargs awk '
        function judge() {
            if (text ~ /SECURITY DEFINER/ && text !~ /SET search_path *= *pg_catalog, pg_temp/)
                print where
            text = ""
        }
        FNR == 1 { judge(); inside = 0 }
        toupper($0) ~ /^ *CREATE (OR REPLACE )?(FUNCTION|PROCEDURE) / {
            judge(); inside = 1; where = FILENAME ":" FNR ": " $0
        }
        inside { line = $0; sub(/--.*/, "", line); text = text "\n" line }
        END { judge() }' <"$work/sql"
}
# A topic is a directory that sql/order names; what its files are called says what they make.
misplaced_sql() {
    sed 's/^\([a-z_]*\):/\1/' sql/order | while read -r district topics; do
        for topic in $topics; do echo "sql/$district/$topic"; done
    done | sort >"$work/topics"
    grep -E '^sql/[a-z_]+/[a-z_]+/' "$work/sql" | grep -v '^sql/upgrade/' |
        grep -vE '/(library|tables|functions|views|access|all_tables|data)\.sql$'
    grep -E '^sql/.*/' "$work/sql" | grep -v '^sql/upgrade/' | sed 's,/[^/]*$,,' | sort -u |
        comm -3 - "$work/topics"
    grep -E '[0-9]' "$work/sql" | grep '^sql/' | grep -v '^sql/upgrade/'
}
# Whoever knows a topic's name finds its tests and its page.
topic_without_room() {
    sed 's,^sql/,,' "$work/topics" | while read -r topic; do
        for room in "test/sql/$topic.sql" "doc/$topic.md"; do
            [ -e "$room" ] || echo "topic $topic has no $room"
        done
    done
}
# One layout everywhere: what is a directory of sql/ may be one there, and little else.
strange_districts() {
    sed 's/:.*//' sql/order >"$work/districts"
    for room in src/core src/functions doc bench test/sql test/core test/fuzz test/cluster \
        test/isolation/specs; do
        sed -n "s|^$room/\([^/]*\)/.*|\1|p" "$work/all" | sort -u |
            grep -vxF -f "$work/districts" -e include -e data -e driver -e lib | sed "s|^|$room/|"
    done
}
# Logs and servers of cluster tests are called after the last part of their names alone.
namesakes() {
    sed -n 's|^test/cluster/.*/\([a-z_]*\)\.pl$|\1|p' "$work/all" | sort | uniq -d
}
# Words that begin a statement, or a clause of one, and are nobody's name.
keyword_in_small_letters() {
    words='select|insert|update|delete|create|alter|drop|grant|revoke|begin|end|declare|returns?'
    words="$words|language|from|where|((left|cross) )?join|(group|order) by|having|union|values"
    words="$words|with|set|perform|raise|exception|if|elsif|else|for|loop|case|when|and|or|limit"
    lines sql "^ *($words)( |;|\$)"
}
empty_lines() {
    xargs awk 'FNR == 1 { empty = 0 } { empty = /^$/ ? empty + 1 : 0 }
               empty == 2 { print FILENAME ":" FNR }' <"$work/code"
}
syntax() {
    while read -r file; do
        case $(head -n 1 "$file") in
        '#!/bin/sh') sh -n "$file" 2>&1 ;;
        *bash) bash -n "$file" 2>&1 ;;
        esac
    done <"$work/programs"
}
not_executable() {
    while read -r file; do
        [ -x "$file" ] || case $file in *.pl) ;; *) echo "$file" ;; esac
    done <"$work/programs"
}
# A tag that moves would let somebody else change what runs here.
unpinned_action() {
    grep -E '^\.github/workflows/' "$work/all" | xargs -r grep -nH 'uses:' |
        grep -vE '@(v[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{40})( |$)'
}
writes_the_system() {
    lines code '(make|cmake).* install( |$)' | grep -vE 'DESTDIR|^[^:]*:[0-9]+: *#'
}

# A rule over an empty list would find nothing wrong.
short_lists() {
    for list in code cxx sql programs; do
        [ "$(wc -l <"$work/$list")" -ge 10 ] || echo "$list"
    done
}

rule 'there are files to look at' short_lists
rule 'files have 500 lines at most' too_long
rule 'lines have 100 columns at most' too_wide
rule 'tabs are for Makefiles' tabs
rule 'no line ends in spaces' trailing_space
rule 'files end with a newline' no_newline_at_end
rule 'nothing is left for later' left_for_later
rule 'no path of a developer is committed' machine_paths
rule 'src/core names nothing of PostgreSQL' core_names_postgres
rule 'src/boundary names nothing of the product' boundary_names_product
rule 'PG_VERSION_NUM is asked for in src/boundary alone' version_elsewhere
rule 'headers start with #pragma once' no_pragma_once
rule 'headers include what their integers need' no_cstdint
rule 'files say what they are for' no_opening
rule 'SECURITY DEFINER functions pin search_path' definer_unpinned
rule 'SQL files stand in a topic of sql/order and are called after their kind' misplaced_sql
rule 'every topic has its tests and its page' topic_without_room
rule 'every room has the districts of sql/order' strange_districts
rule 'no two cluster tests have one name' namesakes
rule 'SQL keywords that begin a line are in capitals' keyword_in_small_letters
rule 'no empty line follows another' empty_lines
rule 'shell scripts are valid' syntax
rule 'programs are executable' not_executable
rule 'actions of workflows are pinned to a version' unpinned_action
rule 'nothing installs into the system' writes_the_system
echo "1..$number"
