#!/usr/bin/env bash
# Builds docs/ as a book into target/book, with a pinned mdBook, and fails where a link leads nowhere.
set -euo pipefail
cd "$(dirname "$0")/.."

mdbook="$(python3 dev/tool.py mdbook)"
rm -rf target/book
"$mdbook" build
exec cargo run --quiet --locked --package throughline-dev --bin book -- target/book
