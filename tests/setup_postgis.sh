#!/bin/sh
# Installs Debian's PostgreSQL server with PostGIS for the database tests, where that is possible and needed.
# Where it is not, the tests that need it skip and say why (with CI=true they fail).
set -u
missing=""
# Debian keeps the server's programs in a folder per version, outside PATH.
server=$(command -v initdb 2>/dev/null || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
[ -z "$server" ] && missing="postgresql"
if [ -z "$(ls /usr/share/postgresql/*/extension/postgis.control 2>/dev/null)" ]; then
  missing="$missing postgresql-postgis"
fi
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing for the database tests: $missing (as root on Debian they would be installed now)"
  exit 0
fi
echo "Installing $missing"
# shellcheck disable=SC2086 -- several package names
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
  echo "Could not install $missing"
exit 0
