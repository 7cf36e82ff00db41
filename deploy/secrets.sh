#!/bin/sh
# Makes what is missing in deploy/secrets (readable by one user only) and deploy/.env; changes nothing
# that is there. Every container runs as that user, since a file secret keeps its owner and mode, and
# Elasticsearch refuses a password file that others may read.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
uid=$(id -u)
[ "$uid" != 0 ] || uid=1000 # no server of these runs as root

draw() { # bytes: letters and digits only, so that a password needs no escaping in any address
  head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}
keep() { # name, value
  [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}
read_secret() { cat "secrets/$1"; }

for name in elastic_password kibana_system_password kibana_viewer_password keqing_index_password \
  keqing_public_password postgres_password keqing_db_password airflow_db_password redis_password \
  grafana_admin_password; do
  keep "$name" "$(draw 18)"
done
for name in kibana_encryption_key keqing_author_key airflow_jwt_secret airflow_secret_key; do
  keep "$name" "$(draw 32)"
done
keep airflow_fernet_key "$(head -c 32 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_')"
keep airflow_passwords "{\"pr\": \"$(draw 12)\", \"ops\": \"$(draw 12)\"}"
keep airflow_db_url "postgresql+psycopg2://airflow:$(read_secret airflow_db_password)@postgres:5432/airflow"
keep airflow_result_backend "db+postgresql+psycopg2://airflow:$(read_secret airflow_db_password)@postgres:5432/airflow"
keep airflow_broker_url "redis://:$(read_secret redis_password)@redis:6379/0"
[ -e .env ] || printf 'KEQING_UID=%s\n' "$uid" >.env
[ "$(id -u)" != 0 ] || chown -R "$uid" secrets
chmod 700 secrets
chmod 600 secrets/*
echo "secrets: $(find secrets -type f | wc -l) files in deploy/secrets"
