#!/bin/bash
# Makes an authority and certificates for nodes, Kibana and pages in $CERTS, once: what is there stays.
# Certificates last KEQING_CERT_DAYS; to renew them, remove <name>/ and run this again, then restart.
set -euo pipefail
CERTS=${CERTS:-/certs}
CERTUTIL=${CERTUTIL:-/usr/share/elasticsearch/bin/elasticsearch-certutil}
INSTANCES=${INSTANCES:-/deploy/instances.yml}
DAYS=${KEQING_CERT_DAYS:-825}
umask 027
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -s "$CERTS/ca/ca.crt" ]; then
  "$CERTUTIL" ca --silent --pem --days 3650 --out "$work/ca.zip"
  unzip -q "$work/ca.zip" -d "$work"
  mv "$work/ca" "$CERTS/ca"
fi
missing=0
for name in node kibana pages; do [ -s "$CERTS/$name/$name.crt" ] || missing=1; done
if [ "$missing" = 1 ]; then
  "$CERTUTIL" cert --silent --pem --days "$DAYS" --in "$INSTANCES" --out "$work/certs.zip" \
    --ca-cert "$CERTS/ca/ca.crt" --ca-key "$CERTS/ca/ca.key"
  unzip -q "$work/certs.zip" -d "$work/made"
  for name in node kibana pages; do
    [ -s "$CERTS/$name/$name.crt" ] || { rm -rf "${CERTS:?}/$name" && mv "$work/made/$name" "$CERTS/$name"; }
  done
fi
# servers read as group 0; the authority's key only its owner
find "$CERTS" -type d -exec chmod 750 {} +
find "$CERTS" -type f -exec chmod 640 {} +
chmod 600 "$CERTS/ca/ca.key"
# a new volume is root's; the nodes write there as group 0
[ ! -d /snapshots ] || chmod 770 /snapshots
echo "certificates are ready"
