#!/bin/sh
# The scripts of the pages: types by TypeScript, habits by Biome, both from npm in the versions of package-lock.json.
# Where they can't be had the check is left out, and says so.
set -eu
cd "$(dirname "$0")"
left_out() {
  echo "check: the scripts of the pages are NOT checked: $1" >&2
  exit 0
}
command -v npm >/dev/null 2>&1 || left_out "there is no npm (on Debian: apt-get install npm)"
if [ ! -e node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --silent --fetch-retries=1 --fetch-timeout=30000 || left_out "npm ci failed"
  touch node_modules/.installed
fi
export PATH="$PWD/node_modules/.bin:$PATH"
tsc --project tsconfig.json        # all of them
tsc --project tsconfig.shared.json # those that others build on: no parameter without a type
biome lint --config-path=. --error-on-warnings ../../api/pages/static/js
