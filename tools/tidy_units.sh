#!/bin/sh
# Prints what clang-tidy looks at as one: the sources below a directory together, because nearly all
# the work is in the headers that they share.  Those whose names collide with others', or are
# shadowed by them, make the next one.
# usage: tidy_units.sh DIRECTORY FLAG...     in the root, whence what it writes lies in out/tidy
set -eu
room=$1
shift
mkdir -p "out/tidy/$room"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find "$room" -name '*.cpp' | sort >"$work/left"
number=0
while [ -s "$work/left" ]; do
    number=$((number + 1))
    unit=out/tidy/$room/$number
    : >"$work/later"
    while :; do
        awk -v root="$PWD" '{
            # each fuzzer has the entry point of its own
            print "#undef LLVMFuzzerTestOneInput\n#define LLVMFuzzerTestOneInput fuzz_" NR
            print "#include \"" root "/" $0 "\"  // NOLINT(bugprone-suspicious-include)"
        }' "$work/left" >"$unit"
        if clang++-19 "$@" -Werror -Wno-deprecated-declarations -fsyntax-only -ferror-limit=0 \
            "$unit" 2>"$work/said"; then
            echo "$unit"
            break
        fi
        [ "$(wc -l <"$work/left")" -gt 1 ] || { cat "$work/left" && break; }
        # An error stands in the later of two that collide; in a header it does not say whose it is.
        sed -n "s|^$PWD/\($room/[^:]*\.cpp\):.* error: .*|\1|p" "$work/said" | sort -u |
            grep -vxF "$(head -n 1 "$work/left")" >"$work/colliding" ||
            tail -n +$(($(wc -l <"$work/left") / 2 + 1)) "$work/left" >"$work/colliding"
        cat "$work/colliding" >>"$work/later"
        grep -vxF -f "$work/colliding" "$work/left" >"$work/kept"
        mv "$work/kept" "$work/left"
    done
    sort "$work/later" >"$work/left"
done
