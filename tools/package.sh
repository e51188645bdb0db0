# Part of ./vrm: makes Debian packages of what is committed, for each PostgreSQL that this Debian
# brings, and the zip for PGXN.

packages=$root/out/packages

# What is committed, as it unpacks.
# usage: archive FORMAT FILE
archive() {
    git -C "$root" -c safe.directory="$root" archive --format="$1" --prefix="vrm-$release/" HEAD \
        >"$2"
}

# Debian's sources consist of the release, and of what makes a package of it.
sources() {
    rm -rf "$state/package"
    mkdir -p "$state/package"
    cd "$state/package"
    archive tar release.tar
    tar -xf release.tar
    tar -c --exclude=debian --sort=name "vrm-$release" | gzip -n >"vrm_$release.orig.tar.gz"
    cd "vrm-$release"
    pg_buildext updatecontrol
}

binaries() {
    cd "$state/package/vrm-$release"
    MAKEFLAGS=-j$(nproc) dpkg-buildpackage --no-sign
}

check_packages() {
    cd "$state/package"
    lintian --allow-root --fail-on error,warning --display-info ./*.changes
}

keep_packages() {
    cd "$state/package"
    rm -rf "$packages"
    mkdir -p "$packages"
    archive zip "$packages/vrm-$release.zip"
    find . -maxdepth 1 -type f ! -name release.tar -exec mv -t "$packages" {} +
}

package() {
    prepare package
    release=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root/extension/vrm.control")
    step 'collecting what is committed' sources
    step 'building packages' binaries
    step 'lintian' check_packages
    step 'moving them' keep_packages
    ls "$packages"
}
