#!/bin/bash
# At the first start of an empty server: a role and a database for keqing, another pair for Airflow.
set -euo pipefail
for name in keqing airflow; do
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --quiet <<SQL
\set password \`cat ${SECRETS:-/run/secrets}/${name}_db_password\`
CREATE ROLE ${name} LOGIN PASSWORD :'password';
CREATE DATABASE ${name} OWNER ${name} ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
SQL
done
