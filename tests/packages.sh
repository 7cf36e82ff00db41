#!/usr/bin/env bash
# Debian packages that tests need: Chromium and a CJK font for the browser, PostgreSQL's server programs
# for the workflow database. Says what it does; what it cannot install is skipped loudly by the tests
# themselves (and fails under CI=true).
set -eu
need=()
command -v chromium >/dev/null || need+=(chromium)
fc-list :lang=zh 2>/dev/null | grep -q . || need+=(fonts-noto-cjk fontconfig)
[ -n "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || need+=(postgresql)
# deploy/'s scripts are run by tests, and run by these in the server's own image
for tool in curl unzip; do command -v "$tool" >/dev/null || need+=("$tool"); done
[ ${#need[@]} -eq 0 ] && exit 0
echo "tests need Debian packages: ${need[*]}"
if ! command -v apt-get >/dev/null; then echo "no apt-get here: install them by hand"; exit 0; fi
as_root=""; [ "$(id -u)" = 0 ] || as_root="sudo"
# the tests start a server of their own: the package is to make and start none
quiet=/etc/postgresql-common/createcluster.d/keqing-tests.conf
case " ${need[*]} " in *" postgresql "*)
  $as_root mkdir -p "${quiet%/*}"
  echo "create_main_cluster = false" | $as_root tee "$quiet" >/dev/null
  trap '$as_root rm -f "$quiet"' EXIT ;;
esac
if $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
then echo "installed: ${need[*]}"
else echo "could not install ${need[*]}; the tests that need them will be skipped"; fi
