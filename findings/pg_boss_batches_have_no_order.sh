#!/bin/sh
# Jobs that are fetched together come in no order, whatever their priority.
#
# To expect: pg-boss hands out a batch of jobs with the urgent ones first, and equal ones in the
#   order in which they were sent, as it does when they are fetched one by one.
# Seen (pg-boss 12.38.0 and PostgreSQL 15.20, 2026-11): priority and age decide which jobs are in
#   the batch. Within it they come as the UPDATE ... RETURNING happens to find them: of ten batches
#   of twelve jobs hardly one is in order. The server promises no order there.
# It matters where reports of one call are jobs, "started" before "ended": fetching fifty at a time
#   instead of one, to be faster, hands the end of a call to the worker before its start.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1'
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
[ "$(id -u)" != 0 ] || id postgres >/dev/null || { echo 'SKIP: no user postgres'; exit 77; }
tmp=$(mktemp -d)
bin=$tmp/root/usr/lib/postgresql/15/bin
# The server will not run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
finish() {
    [ ! -e "$tmp/data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$tmp/data" -m immediate -s stop
    rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
# shellcheck disable=SC2086 # a list
apt-get download $packages >log 2>&1 || { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done
"$bin/postgres" --version || { echo 'SKIP: the server needs libraries that are not here'; exit 77; }
chmod 755 .
[ "$(id -u)" != 0 ] || chown postgres .
as "$bin/initdb" -D "$tmp/data" -U postgres -A trust -E UTF8 --no-locale -N >log 2>&1
as "$bin/pg_ctl" -D "$tmp/data" -l "$tmp/server.log" -s -w start -o \
    "-c listen_addresses= -c unix_socket_directories=$tmp -c fsync=off"
export PGHOST="$tmp" PGUSER=postgres PGDATABASE=postgres PGTZ=UTC
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    pg-boss@12.38.0 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { PgBoss } = require('pg-boss');
const boss = new PgBoss({ host: process.env.PGHOST, user: 'postgres', database: 'postgres' });
const inOrder = (numbers) => numbers.every((number, i) => i === 0 || numbers[i - 1] < number);
async function fetched(queue, batchSize) {
    await boss.createQueue(queue);
    // What is sent later is less urgent, so number is the order by either.
    for (let number = 0; number < 12; number++)
        await boss.send(queue, { number }, { priority: 100 - number });
    const numbers = [];
    for (let jobs; (jobs = await boss.fetch(queue, { batchSize })).length > 0;)
        numbers.push(...jobs.map((job) => job.data.number));
    return numbers;
}
(async () => {
    boss.on('error', (error) => { throw error; });
    await boss.start();
    const single = await fetched('single', 1);
    check('one by one', single.join(' '), '0 1 2 3 4 5 6 7 8 9 10 11');
    let ordered = 0;
    for (let round = 0; round < 10; round++) {
        const batch = await fetched(`batch${round}`, 12);
        if (inOrder(batch)) ordered++;
        if (round === 0) console.log(`a batch of twelve, for example: ${batch.join(' ')}`);
    }
    check('are all of ten batches in order', ordered === 10, false);
    await boss.stop({ graceful: false });
})();
EOF
