# Part of test/matrix.sh and test/packages.sh: bare systems made by debootstrap, which root enters.
# Who sources it has set cache, where systems are kept, work, and fresh to yes where they are to be
# made anew.

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
