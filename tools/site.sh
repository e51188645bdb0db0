#!/bin/sh
# Makes a site of doc/ with MkDocs: its own files alone, nothing is fetched when it is read.  Links
# to files beside doc/ become their names.  Fails when a page links to one that is not there.
# usage: tools/site.sh DIRECTORY
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$root/doc" "$root/mkdocs.yml" "$work"
mkdir -p "$1"
site=$(cd "$1" && pwd -P)
cd "$work"
# As deep as a page lies, so many times ../ leads out of doc/.
find doc -name '*.md' | while read -r page; do
    up=$(dirname "$page" | sed 's|[^/][^/]*|..|g; s|$|/|')
    sed -i "s|\[\([^]]*\)\](${up}[^)]*)|\1|g" "$page"
    # Who runs an example, and where, is for the tests: a second word would be no language.
    # shellcheck disable=SC2016 # those of Markdown
    sed -i 's/^```\([a-z]*\) .*/```\1/' "$page"
done
mkdocs build --quiet --strict --site-dir "$site"
