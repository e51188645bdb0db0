# Part of test/packages.sh and test/images.sh: steps as TAP, each with the end of what it said where
# it failed.  Who sources it has set work.
number=0

# usage: result WHAT GOOD, the exit code of what shows it
result() {
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        # Tests that ran inside may have said long before the end which of them failed.
        grep -E '^not ok |Failed test|\(Wstat' "$work/log" | head -n 40 | sed 's/^/# /' >&2
        tail -n 40 "$work/log" | sed 's/^/# /' >&2
    fi
}

# A command that stops at its first failure, which it would not as part of a condition; its exit
# code is in $code.
run() {
    set +e
    (
        set -e
        "$@"
    ) >"$work/log" 2>&1 </dev/null
    code=$?
    set -e
}

# usage: try WHAT COMMAND [ARG...]
try() {
    what=$1
    shift
    run "$@"
    result "$what" $code
}

# usage: fails WHAT COMMAND [ARG...]
fails() {
    what=$1
    shift
    run "$@"
    [ $code -eq 0 ] && code=1 || code=0
    result "$what" $code
}

# usage: is WHAT EXPECTED ACTUAL
is() {
    printf 'expected: %s\nactual: %s\n' "$2" "$3" >"$work/log"
    code=0
    [ "$2" = "$3" ] || code=1
    result "$1" $code
}
