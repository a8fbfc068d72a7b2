#!/usr/bin/env bash
# Runs the Go tests that call Istio's own code, on every line of Istio, in a network of their own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# The newer one first: it notes what both do.
for line in 1.31 1.29; do
    echo "Istio $line: validation, placement, fetching"
    installed=$(python3 "$here/install.py" --installed "istio-$line")
    checks=$(python3 "$here/install.py" --installed "checks-$line")
    (cd "$here/checks" && LINE=$line ISTIO=$installed "$here/isolated" "$checks/checks" -test.run "${ONLY_CHECKS:-.}" ${VERBOSE:+-test.v})
done
