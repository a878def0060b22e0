#!/bin/sh
# Chromium for the browser tests: installed where this user may, else said how.
set -e
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-liberation2 >/dev/null
else
    echo "The browser tests need Chromium. Install it once, then run make test again:" >&2
    echo "  sudo apt-get install chromium fonts-liberation2" >&2
    exit 1
fi
