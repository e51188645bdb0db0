#!/bin/sh
# Runs the demo and the checks on each PostgreSQL that is supported, in the Debian that brings it:
# a bare system made by debootstrap, with a clone of what is committed here, and nothing else.
# usage: matrix.sh [--fresh] [VERSION...]      as root; --fresh makes the systems anew
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${VRM_MATRIX_DIR:-/var/cache/vrm-matrix}
fresh=no
if [ "${1:-}" = --fresh ]; then
    fresh=yes
    shift
fi
[ $# -gt 0 ] || set -- 15 17 18
[ "$(id -u)" -eq 0 ] || { echo 'matrix.sh: debootstrap and chroot need root' >&2; exit 1; }
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A suite moves on to the next PostgreSQL while it is being made, hence more than one to look in.
suites_of() {
    case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    *) echo forky sid ;;
    esac
}

# --- what the host's apt knows ------------------------------------------------------------------

host_mirror() {
    # shellcheck disable=SC2016 # names of apt's fields
    apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 == "Debian" { print $1; exit }'
}
mirror=$(host_mirror)
: "${mirror:=http://deb.debian.org/debian}"
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
export http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}"
[ -n "$http_proxy" ] || unset http_proxy
[ -n "$https_proxy" ] || unset https_proxy

# --- one system ---------------------------------------------------------------------------------

# Runs a command inside, with /proc and /dev that vanish with it, as do all its processes.
inside() {
    # shellcheck disable=SC2016 # expands in the inner shell
    unshare --mount --pid --fork --kill-child --propagation private sh -euc '
        system=$1
        shift
        mount -t proc proc "$system/proc"
        mount --rbind /dev "$system/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$system/dev/shm"
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb chroot "$system" "$@"
    ' inside "$@" </dev/null
}

make_system() {
    suite=$1 system=$cache/$1
    exec 8>"$cache/$suite.lock"
    flock 8
    [ $fresh = no ] || rm -rf "$system"
    [ ! -e "$system/complete" ] || return 0
    rm -rf "$system"
    command -v debootstrap >/dev/null || {
        echo "debootstrap is not installed" >"$work/why"
        return 1
    }
    scripts=/usr/share/debootstrap/scripts
    script=
    [ -e "$scripts/$suite" ] || script=$scripts/sid
    include=
    case $mirror in https:*) include=--include=ca-certificates ;; esac
    echo "making a bare Debian $suite"
    # shellcheck disable=SC2086 # no word where it is empty
    debootstrap --variant=minbase $include "$suite" "$system" \
        "$mirror" $script >"$work/log" 2>&1 || {
        echo "debootstrap could not make Debian $suite: $(tail -n 1 "$work/log")" >"$work/why"
        return 1
    }
    touch "$system/complete"
}

enter_host_settings() {
    cp -L /etc/resolv.conf "$system/etc/resolv.conf"
    apt-config dump --format '%F "%v";%n' |
        grep -E '^Acquire::(https?::(Proxy|Verify|CaInfo)|Check-Valid-Until|Check-Date|Retries)' \
            >"$system/etc/apt/apt.conf.d/00host" || true
    # Keys that the administrator trusts beyond Debian's own, for a mirror that signs anew.
    find /etc/apt/trusted.gpg.d -name '*.gpg' ! -name 'debian-archive-*' \
        -exec cp -n {} "$system/etc/apt/trusted.gpg.d/" \; 2>/dev/null || true
}

# Finds the system that has PostgreSQL $1 and makes it ready; otherwise says why in $work/why.
prepare() {
    for suite in $(suites_of "$1"); do
        make_system "$suite" || continue
        enter_host_settings
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
        echo "PostgreSQL $version: skipped, $(cat "$work/why")" >>"$work/summary"
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
    echo "PostgreSQL $version (Debian $suite, g++ $compiler): $closing" \
        >>"$work/summary"
    inside "$system" /root/vrm/vrm clean || true
done

printf '\n#### Which ran\n'
cat "$work/summary"
grep -qE 'passed, 0 failed(,|$)' "$work/summary" || result=1
exit $result
