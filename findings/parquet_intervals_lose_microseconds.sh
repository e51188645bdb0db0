#!/bin/sh
# Parquet files of DuckDB keep no microseconds of an interval, and no negative one at all.
#
# To expect: what DuckDB writes to Parquet it reads back as it was. Its intervals have microseconds,
#   like those of PostgreSQL, and so do its times in Parquet.
# Seen (DuckDB 1.5.6, as @duckdb/node-api 1.5.6-r.1, and hyparquet 1.33.0, 2026-12): the format's
#   interval has milliseconds, and the rest is cut off without a word: 0.9999 s is 0.999, and 250
#   microseconds are none. With one negative interval among thousands the file is refused by DuckDB
#   as it writes, and any file with a column of them by hyparquet as it reads. A timestamp keeps
#   its microseconds.
# It matters because DuckDB is a usual way from PostgreSQL to an archive of Parquet, and durations
#   are intervals there: sums of short ones are nothing, end minus start is not the duration any
#   more, and the first caller who interrupts an agent, who was answered in a negative time, stops
#   the export. As seconds, in numeric or double, they survive.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    @duckdb/node-api@1.5.6-r.1 hyparquet@1.33.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { DuckDBInstance } = require('@duckdb/node-api');
const { readFileSync } = require('fs');
(async () => {
    const { parquetReadObjects } = await import('hyparquet');
    const database = await (await DuckDBInstance.create(':memory:')).connect();
    async function rows(query) {
        return (await database.runAndReadAll(query)).getRows().join();
    }
    // The value as DuckDB has it, and as it comes back from a file.
    async function through(value) {
        const before = await rows(`SELECT (${value})::VARCHAR`);
        await database.run(`COPY (SELECT ${value} AS value) TO 'calls.parquet'`);
        return `${before}, ${await rows("SELECT value::VARCHAR FROM 'calls.parquet'")}`;
    }
    const message = (error) => error.message.split('\n')[0];
    check('a timestamp', await through("TIMESTAMP '2026-01-09 09:00:00.123456'"),
        '2026-01-09 09:00:00.123456, 2026-01-09 09:00:00.123456');
    check('an interval', await through("INTERVAL '0.9999 seconds'"),
        '00:00:00.9999, 00:00:00.999');
    check('a short one', await through("INTERVAL '250 microseconds'"), '00:00:00.00025, 00:00:00');
    const file = readFileSync('calls.parquet');
    const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
    check('by hyparquet', await parquetReadObjects({ file: buffer }).catch(message),
        'parquet interval not supported');
    check('a negative one', await through("INTERVAL '-0.2 seconds'").catch(message),
        'IO Error: Parquet files do not support negative intervals');
})();
EOF
