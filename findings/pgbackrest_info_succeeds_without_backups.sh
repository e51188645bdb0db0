#!/bin/sh
# pgBackRest is content to tell of backups that do not exist.
#
# To expect: pgbackrest info --stanza=NAME fails where there is no such stanza, or no repository, as
#   its other commands do: a monitor may ask for the exit status.
# Seen (pgBackRest 2.45 of Debian 12, 2026-11): the status is 0 in any case. With --output=json the
#   answer is a valid list with an entry of that name, an empty list of backups, and a status whose
#   code is not 0; without a stanza's name it is an empty list. Other commands for the same stanza,
#   such as expire, fail. That the state is in the answer is documented.
# It matters because a check that runs the command, and one that counts entries, both pass on a
#   server that was never backed up, or after a repository's disk was not mounted.
set -eu
packages='pgbackrest=2.45-1'
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
apt-get download "$packages" >log 2>&1 ||
    { tail -n 1 log; echo 'SKIP: the version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done
root/usr/bin/pgbackrest version || { echo 'SKIP: it needs libraries that are not here'; exit 77; }
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

# usage: backrest COMMAND OPTION...
backrest() {
    root/usr/bin/pgbackrest "$@" --config="$tmp/none.conf" --repo1-path="$tmp/repository" \
        --lock-path="$tmp/lock" --log-path="$tmp" --log-level-console=off --log-level-stderr=off
}
: >none.conf
status=0
backrest info --stanza=calls --output=json >answer || status=$?
check 'exit status of info, no repository' "$status" 0
answer=$(cat answer)
check 'entries of that name' "$(grep -o '"name":"calls"' answer | wc -l)" 1
case $answer in *'"backup":[]'*) backups=none ;; *) backups=some ;; esac
check 'backups' "$backups" none
case $answer in *'"status":{"code":1'*) code=1 ;; *) code=other ;; esac
check 'code' "$code" 1
check 'without a name' "$(backrest info --output=json)" '[]'
status=0
backrest expire --stanza=calls >log 2>&1 || status=$?
check 'exit status of expire' "$status" 104
