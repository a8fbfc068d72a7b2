#!/usr/bin/env bash
# Checks the licences and sources of every dependency against deny.toml, with a pinned cargo-deny.
set -euo pipefail
cd "$(dirname "$0")/.."

deny="$(python3 dev/tool.py cargo-deny)"
exec "$deny" --workspace --locked check --hide-inclusion-graph licenses bans sources
