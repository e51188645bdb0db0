#!/bin/sh
# Writes the files of monitoring/ anew, from a database in which nobody has changed a threshold.
# Needs the server that PGHOST names: eval "$(./vrm environment)" first.
# usage: tools/monitoring.sh [DIRECTORY]
set -eu
cd "$(dirname "$0")/.."
directory=${1:-monitoring}
database=vrm_monitoring
dropdb --if-exists "$database" 2>/dev/null
createdb "$database"
trap 'dropdb "$database"' EXIT
PGOPTIONS='-c client_min_messages=warning' psql -qX -v ON_ERROR_STOP=1 -d "$database" \
    -c 'CREATE EXTENSION vrm'

# usage: write FILE CALL
write() {
    psql -qXAt -v ON_ERROR_STOP=1 -d "$database" \
        -c "SELECT rtrim($2, E'\\n')" >"$directory/$1"
}

mkdir -p "$directory"
write postgres_exporter.yml "vrm.exporter_config('postgres_exporter')"
write prometheus.yml "vrm.exporter_config('prometheus')"
write alertmanager.yml "vrm.exporter_config('alertmanager')"
write vrm.rules.yml 'vrm.prometheus_rules()'
write grafana.json 'vrm.grafana_dashboard()'
mkdir -p "$directory/grafana"
for page in $(psql -qXAt -d "$database" -c 'SELECT DISTINCT family FROM vrm.monitoring_metrics'); do
    write "grafana/$page.json" "vrm.grafana_dashboard('$page')"
done
for target in sql_exporter pgwatch opentelemetry cloudnative_pg; do
    write "$target.yml" "replace(vrm.exporter_config('$target'), current_database(), 'app')"
done
write vrm.alloy "vrm.exporter_config('alloy')"
