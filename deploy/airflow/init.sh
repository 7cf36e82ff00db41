#!/bin/sh
# Before Airflow's processes: the passwords of its users where airflow.cfg looks for them, its tables.
set -eu
umask 077
cd "$AIRFLOW_HOME"
[ -s var/passwords.json ] || cp /run/secrets/airflow_passwords var/passwords.json
exec airflow db migrate
