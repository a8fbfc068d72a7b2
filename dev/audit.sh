#!/usr/bin/env bash
# Checks the licences and sources of every dependency against deny.toml, with a pinned cargo-deny built once into
# target/tools.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tools=target/tools
if [[ "$("$tools/bin/cargo-deny" --version 2> /dev/null)" != "cargo-deny $version" ]]; then
    echo "installing cargo-deny $version into $tools (a few minutes, once)" >&2
    cargo install --quiet --locked --root "$tools" --version "$version" cargo-deny
fi
exec "$tools/bin/cargo-deny" --workspace --locked check --hide-inclusion-graph licenses bans sources
