#!/usr/bin/env bash
# Plays the scenarios of dev/tests/istio on every line of Istio at once, each line in namespaces of its own: they mostly wait.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests=(cargo test --quiet --locked --package throughline-dev --features istio --test istio)
# Both of them would build it otherwise.
"${tests[@]}" --no-run
"${tests[@]}" -- every_line_is_here
failed=0 runs=()
for line in istio_1_31 istio_1_29; do
    "${tests[@]}" --config "target.'cfg(unix)'.runner='$PWD/dev/istio/isolated'" -- --exact --nocapture "$line" &
    runs+=($!)
done
# Where this is interrupted, so are they.
trap 'kill "${runs[@]}" 2> /dev/null || true' EXIT
for run in "${runs[@]}"; do
    wait "$run" || failed=1
done
exit "$failed"
