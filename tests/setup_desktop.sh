#!/bin/sh
# Installs Debian's QGIS, LibreOffice Calc and poppler for the tests that open exports in them: only with CI=true or DESKTOP=1,
# as they are large. Where they are missing, those tests skip and say why.
set -u
[ "${CI:-}" = "true" ] || [ "${DESKTOP:-}" = "1" ] || exit 0
missing=""
/usr/bin/python3 -c "import qgis.core" >/dev/null 2>&1 || missing="qgis python3-qgis"
command -v soffice >/dev/null 2>&1 || command -v libreoffice >/dev/null 2>&1 || missing="$missing libreoffice-calc-nogui"
command -v pdftotext >/dev/null 2>&1 || missing="$missing poppler-utils"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing for the tests of exports:$missing (as root on Debian they would be installed now)"
  exit 0
fi
echo "Installing $missing"
# shellcheck disable=SC2086 -- several package names
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || echo "Could not install $missing"
exit 0
