#!/usr/bin/env bash
# Plays the scenarios of dev/tests/istio on every line of Istio at once, each line in namespaces of its own: they mostly wait.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests=(cargo test --locked --package throughline-dev --features istio --test istio)
"${tests[@]}" --quiet -- every_line_is_here
program=$("${tests[@]}" --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
failed=0 runs=()
for line in istio_1_31 istio_1_29; do
    # Not by cargo, which would leave it behind.
    dev/istio/isolated "$PWD/${program#"$PWD/"}" --exact --nocapture "$line" &
    runs+=($!)
done
# Where this is interrupted, all that runs in their namespaces ends with them. Other signals are for what is inside.
trap 'kill -KILL "${runs[@]}" 2> /dev/null || true' EXIT
for run in "${runs[@]}"; do
    wait "$run" || failed=1
done
exit "$failed"
