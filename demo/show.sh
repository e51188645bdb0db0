#!/bin/sh
# Shows the queries on the demo's database; ./vrm demo runs it each time.
set -eu
psql -qX -v ON_ERROR_STOP=1 -c '\dx vrm'
