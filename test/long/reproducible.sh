#!/bin/sh
# Builds what is committed twice, at different times and without a cache of compilers, in its own
# directory and from another one, as pg_buildext does for packages, and compares to the byte what
# make install would put there.  As TAP.
# usage: reproducible.sh PG_CONFIG
set -u
root=$(cd "$(dirname "$0")/../.." && pwd -P)
pg_config=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CCACHE_DISABLE=1
export CCACHE_DISABLE

# usage: build DIRECTORY WHERE MAKEFILE
build() {
    mkdir -p "$1/tree" "$1/$2"
    git -C "$root" -c safe.directory='*' archive HEAD | tar -x -C "$1/tree"
    (cd "$1/$2" && make -s -f "$3" -j "$(nproc)" PG_CONFIG="$pg_config" &&
        make -s -f "$3" install PG_CONFIG="$pg_config" DESTDIR="$1/installed") >"$1/log" 2>&1
}

code=0
another=$work/another/of/a/longer/name
build "$work/one" tree Makefile || code=$?
[ $code -ne 0 ] || build "$another" beside "$another/tree/Makefile" || code=$?
if [ $code -ne 0 ]; then
    tail -n 20 "$work/one/log" "$another/log" >&2
    echo 'not ok 1 - it is built twice'
    echo 1..1
    exit
fi
echo 'ok 1 - it is built twice'

# Debug information, which packages have apart, names the directory, and the build's id is a hash of
# that, too.
installed() {
    (cd "$1/installed" && find . -type f | sort | while read -r file; do
        case $file in *.so) objcopy --strip-debug -R .note.gnu.build-id "$file" ;; esac
        sha256sum "$file"
    done)
}
installed "$work/one" >"$work/first"
installed "$another" >"$work/second"
if [ "$(wc -l <"$work/first")" -ge 4 ] && diff "$work/first" "$work/second" >&2; then
    echo "ok 2 - all $(wc -l <"$work/first") files are the same"
else
    echo 'not ok 2 - all files are the same'
fi
echo 1..2
