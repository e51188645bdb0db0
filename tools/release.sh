#!/bin/sh
# Makes a release: executes the lines of doc/platform/release.md one by one, and stops at the first
# that fails.  With --dry in a new clone of what is committed, DIRECTORY, and without ./vrm check.
# usage: release.sh [--dry DIRECTORY] NEXT     the version to open afterwards, such as 1.2.0
set -eu
cd "$(dirname "$0")/.."
skipped='^$'
if [ "$1" = --dry ]; then
    git -c safe.directory='*' clone -q --no-hardlinks . "$2"
    cd "$2"
    skipped='^\./vrm '
    shift 2
fi
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/vrm.control)
next=$1
export version next
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
# shellcheck disable=SC2016 # those of Markdown
sed -n '/^```sh$/,/^```$/{/^```/!p}' doc/platform/release.md | grep -v "$skipped" >"$lines"
sh -eux "$lines"
