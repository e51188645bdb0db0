#!/bin/sh
# What the audit trail costs: the row trigger against a plpgsql trigger that writes the difference
# of two jsonb, as the well-known ones do, and sealing against writing, by the backend's own CPU
# clock; interleaved, medians.  On a server of its own, which flushes.
# usage: trail.sh [ROWS]
set -eu
. "$(dirname "$0")/../lib/durable.sh"
rows=${1:-20000}
start_durable autovacuum=off
psql -qXAt -v ON_ERROR_STOP=1 -v rows="$rows" -f "$(dirname "$0")/trail.sql" >"$durable/said"
said() { sed -n "s/^$1|//p" "$durable/said"; }
echo "us a changed row, without a trigger: $(said 'trigger|plain')"
echo "us a changed row, vrm.audit_row: $(said 'trigger|native')"
echo "us a changed row, plpgsql and jsonb: $(said 'trigger|peer')"
said seal | sed 's/^\([^|]*\)|\([^|]*\)|.*/us an event, written and committed: \1, sealed: \2/'
echo
target 'plpgsql trigger, times what ours costs' "$(said 'row ratio')" 'at least' 8
target 'sealing, % of writing' "$(said seal | cut -d '|' -f 3)" 'at most' 5
target 'problems that vrm.audit_verify() finds' "$(said problems)" 'at most' 0
