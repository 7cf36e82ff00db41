#!/usr/bin/env bash
# Debian packages that the browser tests need. Says what it does; what it cannot install is skipped
# loudly by the tests themselves (and fails under CI=true).
set -eu
need=()
command -v chromium >/dev/null || need+=(chromium)
fc-list :lang=zh 2>/dev/null | grep -q . || need+=(fonts-noto-cjk fontconfig)
[ ${#need[@]} -eq 0 ] && exit 0
echo "tests need Debian packages: ${need[*]}"
if ! command -v apt-get >/dev/null; then echo "no apt-get here: install them by hand"; exit 0; fi
as_root=""; [ "$(id -u)" = 0 ] || as_root="sudo"
if $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
then echo "installed: ${need[*]}"
else echo "could not install ${need[*]}; the browser tests will be skipped"; fi
