#!/bin/bash
# Roles, users and the snapshot repository of keqing on the server; may be repeated, the newest
# password file wins. No secret stands in an argument: curl reads them from its standard input.
set -euo pipefail
URL=${URL:-https://elasticsearch:9200}
SECRETS=${SECRETS:-/run/secrets}
ROLES=${ROLES:-/deploy/roles}
CA=${CA:-/certs/ca/ca.crt}
SNAPSHOTS=${SNAPSHOTS:-/usr/share/elasticsearch/snapshots}

tell() { # method, path, body on standard input
  # a body goes before the credentials into one configuration: quotes and backslashes escaped
  body=$(sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' | tr -d '\n')
  answer=$(printf 'user = "elastic:%s"\ndata = "%s"\n' "$(cat "$SECRETS/elastic_password")" "$body" |
    curl --config - --silent --show-error --fail-with-body --cacert "$CA" --request "$1" \
      --header 'Content-Type: application/json' --retry 10 --retry-connrefused "$URL$2") ||
    { echo "$1 $2: $answer" >&2 && return 1; }
  echo "$1 $2"
}
user() { # name, password file, roles as JSON
  printf '{"password": "%s", "roles": %s}' "$(cat "$SECRETS/$2")" "$3" | tell PUT "/_security/user/$1"
}

for file in "$ROLES"/*.json; do
  tell PUT "/_security/role/$(basename "$file" .json)" <"$file"
done
user keqing keqing_index_password '["keqing_writer"]'
user keqing_public keqing_public_password '["keqing_public"]'
user keqing_kibana kibana_viewer_password '["keqing_public", "keqing_kibana"]'
printf '{"password": "%s"}' "$(cat "$SECRETS/kibana_system_password")" |
  tell POST /_security/user/kibana_system/_password
printf '{"type": "fs", "settings": {"location": "%s"}}' "$SNAPSHOTS" | tell PUT /_snapshot/nightly
