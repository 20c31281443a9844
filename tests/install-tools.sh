#!/bin/sh
# What checks and tests need besides Python packages: a broker, a browser, Chinese fonts, a time-series database, pty
# pairs; npm for the check of the pages' scripts.
# With root or sudo they are installed; without, the tests that need a missing one are left out and say so.
set -u
missing=""
for pair in mosquitto:mosquitto mosquitto_pub:mosquitto-clients chromium:chromium \
            victoria-metrics:victoria-metrics socat:socat curl:curl rsync:rsync gcc:gcc g++:g++ fc-list:fontconfig pdftotext:poppler-utils; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%:*}" ] || missing="$missing ${pair##*:}"
done
# Large, and for the slow tests alone (`install-tools.sh slow`): maps, packages, certificates.
if [ "${1:-}" = slow ]; then
  for pair in ogrinfo:gdal-bin mmdebstrap:mmdebstrap lintian:lintian caddy:caddy pebble:pebble testssl:testssl.sh gpg:gnupg; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
  done
fi
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
fc-list 2>/dev/null | grep -q "Noto Sans CJK" || missing="$missing fonts-noto-cjk"
# By itself, as an older Debian has none: then pages are tested in the whole Chromium.
engine=""
command -v chromium-headless-shell >/dev/null 2>&1 || engine="chromium-headless-shell"
npm=""
command -v npm >/dev/null 2>&1 || npm="npm"
[ -z "$missing$npm$engine" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "tests: not Debian, so not installed here:$missing $engine $npm; tests that need them are left out" >&2
  exit 0
fi
run=""
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then run="sudo"; else
    echo "tests: no root and no sudo to install:$missing $engine $npm; tests that need them are left out" >&2
    exit 0
  fi
fi
export DEBIAN_FRONTEND=noninteractive
echo "tests: installing$missing $engine $npm" >&2
$run apt-get update -qq && { [ -z "$missing" ] || $run apt-get install -y -qq $missing >/dev/null; } ||
  echo "tests: could not install:$missing; tests that need them are left out" >&2
[ -z "$engine" ] || $run apt-get install -y -qq --no-install-recommends $engine >/dev/null 2>&1 ||
  echo "tests: could not install $engine; pages are tested in chromium, which takes longer" >&2
# By itself: where another maker's node stands, Debian's npm does not fit, and that must cost nothing else.
[ -z "$npm" ] || $run apt-get install -y -qq --no-install-recommends npm >/dev/null 2>&1 ||
  echo "tests: could not install npm; the scripts of the pages are not checked" >&2
exit 0
