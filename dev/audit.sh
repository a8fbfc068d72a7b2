#!/usr/bin/env bash
# Checks the licences and sources of every dependency against deny.toml, with a pinned cargo-deny.
set -euo pipefail
cd "$(dirname "$0")/.."

deny="$(dev/tool.sh cargo-deny 0.20.2 cargo-deny)"
exec "$deny" --workspace --locked check --hide-inclusion-graph licenses bans sources
