#!/usr/bin/env bash
# Makes sure that iptables is there, with which Istio's agent redirects the traffic of pods, and iproute2, which makes pods.
set -euo pipefail

# As an unprivileged user's PATH may lack them.
PATH=$PATH:/usr/sbin:/sbin
have() { command -v iptables-restore > /dev/null && command -v ip > /dev/null; }

if ! have && [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
    echo "installing iptables and iproute2 (about 2 MB) with apt-get" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends iptables iproute2 > /dev/null
fi
if ! have; then
    echo "iptables or iproute2 is missing. Debian, Ubuntu: sudo apt-get install iptables iproute2" >&2
    exit 1
fi
