#!/bin/sh
# Shows the questions of the product on the demo's database; ./vrm demo runs it each time.
set -eu
cd "$(dirname "$0")"
psql -qX -v ON_ERROR_STOP=1 -f show.sql
