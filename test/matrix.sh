#!/bin/sh
# Runs the demo and the checks on each PostgreSQL that is supported, in the Debian that brings it:
# a bare system made by debootstrap, with a clone of what is committed here, and nothing else.
# 19 is in Debian's experimental, beside which unstable stands.  Ends with the table of README.
# usage: matrix.sh [--fresh] [VERSION...]      as root; --fresh makes the systems anew
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${VRM_MATRIX_DIR:-/var/cache/vrm-matrix}
fresh=no
if [ "${1:-}" = --fresh ]; then
    fresh=yes
    shift
fi
[ $# -gt 0 ] || set -- 15 17 18 19
[ "$(id -u)" -eq 0 ] || { echo 'matrix.sh: debootstrap and chroot need root' >&2; exit 1; }
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A suite moves on to the next PostgreSQL while it is being made, hence more than one to look in.
suites_of() {
    case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    19) echo sid ;;
    *) echo forky sid ;;
    esac
}

# shellcheck source=bare_debian.sh
. "$root/test/bare_debian.sh"

# Of experimental there is PostgreSQL 19 and nothing else.
add_experimental() {
    echo "deb $mirror experimental main" >"$system/etc/apt/sources.list.d/experimental.list"
    printf 'Package: src:postgresql-19\nPin: release a=experimental\nPin-Priority: 990\n' \
        >"$system/etc/apt/preferences.d/experimental"
}

# Finds the system that has PostgreSQL $1 and makes it ready; otherwise says why in $work/why.
prepare() {
    for suite in $(suites_of "$1"); do
        make_system "$suite" || continue
        enter_host_settings
        [ "$1" -ne 19 ] || add_experimental
        inside "$system" apt-get update -qq >"$work/log" 2>&1 || {
            echo "apt-get update fails in Debian $suite: $(tail -n 1 "$work/log")" >"$work/why"
            continue
        }
        ! inside "$system" apt-cache show "postgresql-$1" >/dev/null 2>&1 || return 0
        echo "Debian $suite has no postgresql-$1" >"$work/why"
    done
    return 1
}

# --- all of them --------------------------------------------------------------------------------

result=0
for version; do
    printf '\n#### PostgreSQL %s\n' "$version"
    if ! prepare "$version"; then
        echo "skipped: $(cat "$work/why")"
        echo "| $version | | | skipped: $(cat "$work/why") |" >>"$work/summary"
        continue
    fi
    # In /root, where user postgres cannot look: the harder of the two cases.
    rm -rf "$system/root/vrm" "$system"/var/tmp/vrm-*
    git -c safe.directory='*' clone -q --no-hardlinks "$root" "$system/root/vrm"
    : >"$work/report.$version"
    set +e
    # shellcheck disable=SC2016 # expands in the inner shell
    inside "$system" sh -ec '
        export VRM_PG=$1
        cd /root/vrm
        ./vrm demo
        ./vrm check
    ' sh "$version" >"$work/report.$version" 2>&1 &
    child=$!
    tail -n +1 -f --pid=$child "$work/report.$version"
    wait $child
    status=$?
    set -e
    [ $status -eq 0 ] || result=1
    closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$work/report.$version" | tail -n 1)
    compiler=$(inside "$system" g++ -dumpfullversion 2>/dev/null || echo missing)
    : "${closing:=the demo or the check broke off}"
    server=$(inside "$system" "/usr/lib/postgresql/$version/bin/postgres" -V 2>/dev/null |
        cut -d' ' -f3)
    echo "| ${server:-$version} | $suite | $compiler | $closing |" >>"$work/summary"
    inside "$system" /root/vrm/vrm clean || true
done

printf '\n#### Which ran\n'
printf '| PostgreSQL | Debian | g++ | ./vrm check |\n|---|---|---|---|\n'
cat "$work/summary"
grep -qE 'passed, 0 failed(,| )' "$work/summary" || result=1
exit $result
