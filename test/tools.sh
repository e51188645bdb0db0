#!/bin/sh
# What ./vrm, .ci/run and test/pgtap.sh do where something is amiss, as TAP.  Programs that would
# need another machine are replaced by ones that say what the case is about.
set -u
LC_ALL=C.UTF-8
export LC_ALL
source=$(cd "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/tmp" "$work/image"
PATH=$work/bin:$PATH
TMPDIR=$work/tmp
export PATH TMPDIR
number=0

# usage: is WHAT EXPECTED ACTUAL
is() {
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf 'expected: %s\nactual: %s\n' "$2" "$3" | sed 's/^/# /' >&2
    fi
}

# Makes a program of the name $1; its text comes on standard input.
program() {
    { echo '#!/bin/sh'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# Runs statements with the parts of ./vrm at hand, as it does; gives all that they print.
with_tools() {
    sh -euc '
        state=$1 image=$1/image root=$2
        . "$root/tools/setup.sh"
        . "$root/tools/server.sh"
        . "$root/tools/check.sh"
        eval "$3"' with_tools "$work" "$source" "$1" 2>&1
}

# --- a step ------------------------------------------------------------------------------------

is 'a step that fails shows what was said' 'making it ... failed
no room
1' "$(with_tools 'step "making it" sh -c "echo no room; exit 3"'; echo $?)"
is '... and leaves nothing in the temporary directory' '' "$(ls "$work/tmp")"
is 'a step ends where a command of it fails' 'two commands ... failed
1' "$(with_tools 'both() { false; echo on; }; step "two commands" both'; echo $?)"

# --- packages ------------------------------------------------------------------------------------

program apt-cache <<'SH'
[ ! -e "$TMPDIR/known" ] || echo 'apt | 2 | http://deb.debian.org/debian'
SH
program apt-get <<'SH'
echo "apt-get $*"
touch "$TMPDIR/known"
SH
echo 'echo 1000' | program id
is 'who cannot ask for an empty list of packages is told' \
    'vrm: the list of packages is empty; as root: apt-get update
1' "$(with_tools know_packages; echo $?)"
echo 'echo 0' | program id
is 'root asks for it' 'asking for the list of packages ... 0 s' \
    "$(with_tools know_packages | sed 's/[0-9][0-9]* s$/0 s/')"
is '... once' '' "$(with_tools know_packages)"
rm "$work/tmp/known" "$work/bin/id"

# --- groups of tests -----------------------------------------------------------------------------

# Runs a group whose runner prints $1 and ends with $2; gives how it was counted.
counted() {
    printf '%s\n' "$1" >"$work/said"
    with_tools "runner() { cat '$work/said'; return $2; }
        group runner count_prove runner; closing_line \$passed \$failed \$skipped" | tail -n 1
}
is 'tests that pass' '7 passed, 0 failed' "$(counted 'Files=1, Tests=7,  0 wallclock secs' 0)"
is 'tests that fail' '5 passed, 2 failed' "$(counted 'Failed 2/7 subtests
Files=1, Tests=7,  0 wallclock secs' 1)"
is 'a test that dies after the last' '7 passed, 1 failed' \
    "$(counted 'Files=1, Tests=7,  0 wallclock secs' 1)"
is 'a runner that ran nothing has failed' '0 passed, 1 failed' \
    "$(counted 'Files=0, Tests=0,  0 wallclock secs' 0)"
is 'a runner that is not there has failed' '0 passed, 1 failed' "$(counted 'not found' 127)"
is 'a runner that says why it ran nothing has skipped it' '0 passed, 0 failed, 1 skipped' \
    "$(counted 'test/monitoring/alerts.pl .. skipped: Prometheus is not installed
Files=1, Tests=0,  0 wallclock secs
Result: NOTESTS' 0)"
is '... and the reason is shown' 1 "$(with_tools "runner() { cat '$work/said'; }
    group runner count_prove runner" | grep -c 'skipped: Prometheus is not installed')"

# --- .ci/run -------------------------------------------------------------------------------------

# Runs it where ./vrm check prints $1 and ends with $2, and ./vrm lint prints $3; gives its last
# line and its exit code.
ci() {
    mkdir -p "$work/clone/.ci"
    cp "$source/.ci/run" "$work/clone/.ci"
    printf '%s\n' "$1" >"$work/clone/check"
    printf '%s\n' "$3" >"$work/clone/lint"
    # shellcheck disable=SC2016 # a program
    printf '#!/bin/sh\ncat "$1"\n[ "$1" = lint ] || exit %s\n' "$2" >"$work/clone/vrm"
    chmod +x "$work/clone/vrm"
    code=0
    bash "$work/clone/.ci/run" >"$work/ci" 2>&1 || code=$?
    echo "$(tail -n 1 "$work/ci"); $code"
}
is '.ci/run adds up' '12 passed, 0 failed, 1 skipped; 0' \
    "$(ci '9 passed, 0 failed, 1 skipped' 0 '3 passed, 0 failed')"
is '... fails with the check' '11 passed, 1 failed, 0 skipped; 1' \
    "$(ci 'the reason
8 passed, 1 failed' 1 '3 passed, 0 failed')"
is '... and shows what it said' 'the reason' "$(grep 'the reason' "$work/ci")"
is '... fails with a linter' '11 passed, 1 failed, 0 skipped; 1' \
    "$(ci '9 passed, 0 failed' 0 '2 passed, 1 failed')"
is '... fails where a command breaks off' '3 passed, 1 failed, 0 skipped; 1' \
    "$(ci 'building ... failed' 1 '3 passed, 0 failed')"
is '... and where it says that it succeeded' '3 passed, 1 failed, 0 skipped; 1' \
    "$(ci 'nothing to do' 0 '3 passed, 0 failed')"
is '... leaving nothing in the temporary directory' '' "$(ls "$work/tmp")"

# --- make installcheck ---------------------------------------------------------------------------

installcheck() { PGHOST=$work "$source/test/pgtap.sh" "$work/bin" 2>&1 | tail -n 1; }

echo 'exit 2' | program psql
is 'installcheck tells who is no superuser what to do' \
    "    runuser -u postgres -- createuser --superuser $(id -un)" "$(installcheck)"
program psql <<'SH'
case $* in *server_version_num*) echo 17 ;; esac
SH
touch "$work/bin/pg_prove"
chmod +x "$work/bin/pg_prove"
is '... and which package has pgTAP' '    apt-get install postgresql-17-pgtap' "$(installcheck)"

echo "1..$number"
