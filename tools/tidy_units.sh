#!/bin/sh
# Prints what clang-tidy looks at as one: the sources of a folder together, because nearly all the
# work is in the headers that they share, or halves of them where names in them collide or shadow.
# usage: tidy_units.sh FOLDER FLAG...     in the root, whence what it writes lies in out/tidy
set -eu
folder=$1
shift

# usage: units SOURCE...
units() (
    if [ $# -eq 1 ]; then
        echo "$1"
        return
    fi
    unit=out/tidy/$folder/$#_from_$(basename "$1")
    printf "#include \"$PWD/%s\"  // NOLINT(bugprone-suspicious-include)\n" "$@" >"$unit"
    # shellcheck disable=SC2086 # one word for each flag
    if clang++-19 $flags -Werror -Wno-deprecated-declarations -fsyntax-only "$unit" \
        2>/dev/null; then
        echo "$unit"
        return
    fi
    # shellcheck disable=SC2046 # one word for each source
    units $(printf '%s\n' "$@" | head -n $(($# / 2)))
    # shellcheck disable=SC2046
    units $(printf '%s\n' "$@" | tail -n +$(($# / 2 + 1)))
)

flags=$*
mkdir -p "out/tidy/$folder"
units "$folder"/*.cpp
