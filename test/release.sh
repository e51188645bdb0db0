#!/bin/sh
# Makes a release in a clone, by tools/release.sh and the lines of doc/platform/release.md, and
# looks at what came of it.  TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
if ! git -c safe.directory='*' rev-parse -q --verify HEAD >/dev/null 2>&1; then
    echo '1..0 # SKIP a release is made from a clone'
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(git -c safe.directory='*' show HEAD:extension/vrm.control |
    sed -n "s/^default_version *= *'\(.*\)'/\1/p")
export version
export GIT_AUTHOR_NAME=vrm GIT_AUTHOR_EMAIL=vrm@example.org
export GIT_COMMITTER_NAME=vrm GIT_COMMITTER_EMAIL=vrm@example.org
number=0

# usage: check WHAT COMMAND [ARG...]
check() {
    number=$((number + 1))
    what=$1
    shift
    if "$@" >"$work/said" 2>&1; then echo "ok $number - $what"; else
        echo "not ok $number - $what"
        sed 's/^/# /' "$work/said" >&2
    fi
}

in_clone() { (cd "$work/vrm" && sh -euc "$1"); }

check 'the lines of release.md run' tools/release.sh --dry "$work/vrm" 9.9.9
# shellcheck disable=SC2016 # the shell in the clone expands them
{
    check 'the release is tagged' in_clone 'git rev-parse -q --verify "v$version^{commit}"'
    check 'its change log has a day' in_clone \
        'git show "v$version:CHANGELOG.md" | grep -q "^## \[$version\] - 20"'
    check 'its script is kept as it was' in_clone \
        'git checkout -q "v$version" && sql/assemble.sh >now &&
         gunzip -c "test/released/vrm--$version.sql.gz" | cmp - now && rm now && git checkout -q -'
    check 'the next version is open' in_clone \
        'grep -q "9\.9\.9" extension/vrm.control &&
         grep -q "^## \[9.9.9\] - unreleased" CHANGELOG.md'
    check 'META.json says so, too' in_clone 'perl test/meta.pl'
    check 'there is a way to it from every release' in_clone \
        'for file in test/released/*.sql.gz; do
             file=${file##*/vrm--}
             sql/assemble.sh "${file%.sql.gz}" | grep -q platform_script
         done'
    check 'nothing is left uncommitted' in_clone 'test -z "$(git status --porcelain)"'
}
echo "1..$number"
