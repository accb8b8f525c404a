#!/bin/sh
# Installs Debian's Chromium and a Chinese font for the browser tests, where that is possible and needed.
# Where it is not, the tests that need them skip and say why (with CI=true they fail).
set -u
missing=""
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="chromium"
if ! command -v fc-list >/dev/null 2>&1 || [ -z "$(fc-list :lang=zh family 2>/dev/null)" ]; then
  missing="$missing fonts-noto-cjk"
fi
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing for the browser tests:$missing (as root on Debian they would be installed now)"
  exit 0
fi
echo "Installing $missing"
# shellcheck disable=SC2086 -- several package names
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null || echo "Could not install $missing"
exit 0
