#!/bin/bash
# Brings the saved objects of dashboards/kibana into Kibana; what has the same id is replaced.
set -euo pipefail
URL=${URL:-https://kibana:5601}
SECRETS=${SECRETS:-/run/secrets}
CA=${CA:-/certs/ca/ca.crt}
FILE=${FILE:-/deploy/keqing.ndjson}
answer=$(printf 'user = "elastic:%s"\n' "$(cat "$SECRETS/elastic_password")" |
  curl --config - --silent --show-error --fail-with-body --cacert "$CA" --retry 10 --retry-connrefused \
    --header 'kbn-xsrf: keqing' --form "file=@$FILE" "$URL/api/saved_objects/_import?overwrite=true")
case $answer in
*'"success":true'*) echo "saved objects are imported" ;;
*) echo "$answer" >&2 && exit 1 ;;
esac
