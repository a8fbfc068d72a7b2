#!/usr/bin/env bash
# Makes sure that the browser is there which the test of the demo's page drives: chromium and its driver.
set -euo pipefail

have() { command -v chromium > /dev/null && command -v chromedriver > /dev/null; }

if ! have && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    echo "installing chromium and chromium-driver (about 110 MB) with apt-get" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium chromium-driver fonts-dejavu-core > /dev/null
fi
if ! have; then
    echo "chromium and chromedriver are missing. Debian, Ubuntu: sudo apt-get install chromium chromium-driver" >&2
    exit 1
fi
