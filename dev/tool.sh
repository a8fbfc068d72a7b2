#!/usr/bin/env bash
# `dev/tool.sh CRATE VERSION PROGRAM [FEATURES]` installs a program from its crate, with the dependencies that it pins, once into
# target/tools, and prints its path.
set -euo pipefail
cd "$(dirname "$0")/.."

crate=$1 version=$2 program=$3
tools=target/tools
has="$("$tools/bin/$program" --version 2> /dev/null || true)"
if [[ "${has##*[ v]}" != "$version" ]]; then
    echo "installing $crate $version into $tools (a few minutes, once)" >&2
    features=()
    [[ $# -lt 4 ]] || features=(--no-default-features --features "$4")
    cargo install --quiet --locked --root "$tools" --version "$version" "${features[@]}" "$crate" >&2
fi
echo "$tools/bin/$program"
