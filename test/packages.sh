#!/bin/sh
# Takes the packages of ./vrm package through their life in a clean Debian made by debootstrap:
# 1.0.0 installed, upgraded with rows in it, the demo's SQL, the package's own tests, removed; and
# the zip through that of PGXN.  As TAP.
# usage: packages.sh [--fresh]      as root; --fresh makes the system and the package of 1.0.0 anew
# VRM_PACKAGES_DIR names where both are kept.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${VRM_PACKAGES_DIR:-/var/cache/vrm-packages}
fresh=no
[ "${1:-}" != --fresh ] || fresh=yes
[ "$(id -u)" -eq 0 ] || { echo 'packages.sh: debootstrap and chroot need root' >&2; exit 1; }
mkdir -p "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=bare_debian.sh
. "$root/test/bare_debian.sh"
# shellcheck source=tap.sh
. "$root/test/tap.sh"

# --- the packages --------------------------------------------------------------------------------

# Release 1.0.0 had no debian/, and its Makefile built in its own directory alone.
build_1_0_0() {
    [ $fresh = no ] || rm -rf "$cache/1.0.0"
    [ ! -e "$cache/1.0.0" ] || return 0
    tree=$work/1.0.0/vrm-1.0.0
    mkdir -p "$tree"
    git -C "$root" archive 9882468 | tar -x -C "$tree"
    cp -R "$root/debian" "$tree"
    # What it had not to give as examples, it does not.
    sed -i -e ':line' -e '/\\$/ { N; s/\\\n[[:space:]]*//; b line' -e '}' \
        -e 's/--with pgxs$/--with pgxs_loop/; s/\(dh_installexamples --all\).*/\1/' \
        "$tree/debian/rules"
    sed -i '/^vrm (1\.0\.0/,$!d' "$tree/debian/changelog"
    cd "$tree"
    pg_buildext updatecontrol
    MAKEFLAGS=-j$(nproc) dpkg-buildpackage --no-sign --build=binary
    cd "$root"
    rm -rf "$tree"
    ls "$work"/1.0.0/*.deb
    mv "$work/1.0.0" "$cache"
}

try 'packages are built and lintian is content' "$root/vrm" package
try 'a package of 1.0.0 is built' build_1_0_0

# --- a clean system ------------------------------------------------------------------------------

# Updates of stable as well, because a package wants the server that it was built with.
host_sources() {
    rm "$system/etc/apt/sources.list"
    cp -R /etc/apt/sources.list.d "$system/etc/apt/"
    [ ! -e /etc/apt/sources.list ] || cp /etc/apt/sources.list "$system/etc/apt/"
}

suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
make_system "$suite" >&2 || { cat "$work/why" >&2; exit 1; }
cp -a "$system" "$work/system"
system=$work/system
enter_host_settings
host_sources
version=$(find "$root/out/packages" -name 'postgresql-*-vrm_*.deb' |
    sed 's|.*/postgresql-\([0-9]*\)-vrm_.*|\1|' | sort -n | tail -n 1)
package=postgresql-$version-vrm
mkdir "$system/packages" "$system/vrm"
cp "$cache"/1.0.0/*.deb "$root"/out/packages/*.deb "$root"/out/packages/vrm_* "$system/packages"
tar -xf "$root"/out/packages/vrm_*.orig.tar.gz --strip-components=1 -C "$system/vrm"

system_install() {
    inside "$system" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get install -y --no-install-recommends "$@"
}

# Commands run inside with the server up, which ends with them; as the server's user, of whom the
# demo's people are trusted namesakes.
with_server() {
    # shellcheck disable=SC2016 # expands in the inner shell
    inside "$system" env LC_ALL=C.UTF-8 sh -euc '
        sed -i "s/^\(local .*\)peer$/\1trust/" "/etc/postgresql/$1/main/pg_hba.conf"
        pg_ctlcluster "$1" main start
        result=0
        runuser -u postgres -- env PGDATABASE="$2" sh -euc "$3" || result=$?
        pg_ctlcluster --mode fast "$1" main stop
        exit $result' with_server "$version" "$1" "$2"
}

# What the targets are about, for whoever reads: how long, and how large.
note() { echo "# $*"; }
took() { note "$1: $(($(date +%s) - began)) s"; }

try 'the list of packages comes' inside "$system" apt-get update
architecture=$(dpkg --print-architecture)
try '1.0.0 is installed' system_install "./packages/${package}_1.0.0-1_$architecture.deb"
try 'its sample calls go in' with_server app 'createdb app; psql -qc "CREATE EXTENSION vrm"
    cd /vrm/demo; ./load.sh'
calls='psql -Atc "SELECT count(*) FROM vrm.test_runs"'
before=$(with_server app "$calls")

for deb in "$root/out/packages/${package}_"*.deb; do
    try 'the newer package is installed over it' system_install "./packages/${deb##*/}"
done
try 'the extension is updated' with_server app 'psql -v ON_ERROR_STOP=1 \
    -c "ALTER EXTENSION vrm UPDATE" -c "SELECT vrm.upgrade()"'
release=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root/extension/vrm.control")
is 'library and platform are the new ones' "$release|$release" \
    "$(with_server app 'psql -Atc "SELECT vrm.version(), vrm.platform_version()"')"
is 'the calls are there' "$before" "$(with_server app "$calls")"
module=$work/module
inside "$system" cat "/usr/lib/postgresql/$version/lib/vrm.so" >"$module"
note "the module, stripped: $(stat -c %s "$module") bytes"
is 'the module does not say where it was built' 0 \
    "$(grep -c "/vrm-$release/src" "$module" || true)"
try "the demo's SQL runs" with_server demo 'createdb demo; psql -qc "CREATE EXTENSION vrm"
    cd /vrm/demo; ./load.sh; ./show.sh'
is 'debug symbols are apart' 0 "$(inside "$system" dpkg -L "$package" | grep -c debug || true)"

try 'the tests of the package are installed' system_install autopkgtest
try 'the tests of the package pass' inside "$system" sh -c \
    "autopkgtest --no-built-binaries /packages/${package}_$release*.deb /packages/vrm_*.dsc -- null"

# Anew, with the server, as somebody who has read three lines of README.
cp -a "$cache/$suite" "$work/new"
used=$system system=$work/new
enter_host_settings
host_sources
rm -rf "$system/var/lib/apt/lists"
cp -R "$used/var/lib/apt/lists" "$system/var/lib/apt/"
mkdir "$system/packages"
cp "$root/out/packages/${package}_"*.deb "$system/packages"
began=$(date +%s)
try 'the package is installed with its server' system_install \
    "./packages/$(basename "$system"/packages/*.deb)"
is 'and answers' "$release" "$(with_server postgres \
    'psql -qc "CREATE EXTENSION vrm"; psql -Atc "SELECT vrm.version()"')"
took 'from a bare system to the first result'
system=$used

try 'the package is removed' inside "$system" apt-get purge -y "$package"
is 'none of its files is left' '' "$(inside "$system" find /usr -name 'vrm*')"
is 'and all of the rows' "$before" "$(with_server app "$calls")"

# --- PGXN ----------------------------------------------------------------------------------------

cp "$root/out/packages/vrm-$release.zip" "$system/packages"
try 'what the zip needs is installed' system_install pgxnclient make g++ libssl-dev libcrypt-dev \
    libargon2-dev libzstd-dev "postgresql-server-dev-$version"
try 'pgxn installs it' inside "$system" pgxn install "/packages/vrm-$release.zip"
is 'and the extension can be made' "$release" "$(with_server pgxn 'createdb pgxn
    psql -qc "CREATE EXTENSION vrm"; psql -Atc "SELECT vrm.version()"')"
echo "1..$number"
