#!/bin/sh
# Every answer within a second took less than no time.
#
# To expect: DateTime::Format::Pg, which reads and writes the times of PostgreSQL for Perl, reads
#   00:00:00.25 as a quarter of a second, and writes a duration so that it is the same when read.
# Seen (DateTime::Format::Pg 0.16014, 2026-12): fractions take their sign from the whole seconds,
#   and where those are 0 the sign is minus: 00:00:00.25 is -250 ms, and 00:01:00.25, a minute and a
#   quarter of a second, is a minute less a quarter. 00:00:01.25 is right, and so are whole seconds
#   and those that are negative. Written for the server again it is "@ -0.250000 seconds".
# It matters because answering times are short: all of them below one second turn negative, which is
#   what an interrupted caller has, and a sixtieth of all longer durations is off by up to two
#   seconds.
set -eu
# The module, and what it uses; rules of time zones are replaced often, and nothing here asks them.
packages='libdatetime-format-pg-perl=0.16014-1 libdatetime-perl=2:1.59-1
    libdatetime-locale-perl=1:1.37-1 libdatetime-timezone-perl
    libdatetime-format-builder-perl=0.8300-1 libdatetime-format-strptime-perl=1.7900-1
    libparams-validate-perl=1.31-1 libparams-validationcompiler-perl=0.31-1 libspecio-perl=0.48-1
    libexception-class-perl=1.45-1 libdevel-stacktrace-perl=2.0400-2
    libclass-data-inheritable-perl=0.08-3 libeval-closure-perl=0.14-3
    libmodule-runtime-perl=0.016-2 libmodule-implementation-perl=0.09-2 libtry-tiny-perl=0.31-2
    libnamespace-autoclean-perl=0.29-2 libb-hooks-endofscope-perl=0.26-1
    libpackage-stash-perl=0.40-1 libsub-exporter-progressive-perl=0.001013-3
    libnamespace-clean-perl=0.27-2 libsub-identify-perl=0.14-3 libclass-singleton-perl=1.6-2
    libmro-compat-perl=0.15-2 librole-tiny-perl=2.002004-1 libvariable-magic-perl=0.63-1+b1
    libfile-sharedir-perl=1.118-3 libclass-inspector-perl=1.36-3'
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
command -v perl >/dev/null || { echo 'SKIP: needs perl'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
# shellcheck disable=SC2086 # a list
apt-get download $packages >log 2>&1 || { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done
PERL5LIB=$(printf '%s:' root/usr/share/perl5 root/usr/lib/*/perl5/5.*)
export PERL5LIB
perl -MDateTime::Format::Pg -e 1 2>log || { head -n 1 log; echo 'SKIP: another perl'; exit 77; }
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

# usage: read_as INTERVAL; its minutes and milliseconds
read_as() {
    perl -MDateTime::Format::Pg -e '
        my $duration = DateTime::Format::Pg->parse_interval(shift);
        my ($minutes, $nanoseconds) = $duration->in_units("minutes", "nanoseconds");
        printf "%d min %d ms\n", $minutes, $nanoseconds / 1e6;' -- "$1"
}
# usage: written INTERVAL; what is written for what was read
written() {
    perl -MDateTime::Format::Pg -e '
        print DateTime::Format::Pg->format_interval(DateTime::Format::Pg->parse_interval(shift)),
            "\n";' -- "$1"
}
check 00:00:01.25 "$(read_as 00:00:01.25)" '0 min 1250 ms'
check -00:00:01.25 "$(read_as -00:00:01.25)" '0 min -1250 ms'
check 00:00:00.25 "$(read_as 00:00:00.25)" '0 min -250 ms'
check '0.25 seconds' "$(read_as '0.25 seconds')" '0 min -250 ms'
check 00:01:00.25 "$(read_as 00:01:00.25)" '1 min -250 ms'
check '00:00:00.25, written' "$(written 00:00:00.25)" '@ -0.250000 seconds'
check '00:00:01.25, written' "$(written 00:00:01.25)" '@ 1.250000 seconds'
