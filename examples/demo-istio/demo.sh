#!/usr/bin/env bash
# `make demo-istio`: says what is missing, what will be downloaded and built, and how long that takes; builds the image,
# installs Istio's programs, Kubernetes' API server, Tempo and an Envoy, and runs the demo in namespaces of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Standard output is the demo's alone.
say() { printf '%s\n' "$*" >&2; }
stop() { say "make demo-istio: $*"; exit 1; }
wrong() { say "make demo-istio: $*"; exit 2; }
have() { command -v "$1" > /dev/null; }

scenario=${SCENARIO:-request}
line=${ISTIO:-1.31}
case $scenario in
    request | canary | reviews-v3-only | authz-deny-reviews | all) ;;
    *) wrong "SCENARIO=$scenario: there are canary, reviews-v3-only, authz-deny-reviews and all; without one it is a request" ;;
esac
# The line of Envoy that it ships.
case $line in
    1.29) envoy=1.37 ;;
    1.31) envoy=1.39 ;;
    *) wrong "ISTIO=$line: there are 1.29 and 1.31" ;;
esac
envoy=$(basename -s .txt "dev/envoy/$envoy".*.txt)
sets=(kubernetes tools "istio-$line")

[[ $(uname -s) == Linux ]] || stop "it needs Linux, this is $(uname -s): use a Linux VM"
have python3 || stop "python3 is missing: it installs everything else"
have rustup || stop "rustup is missing: it installs Rust. See https://rustup.rs"
have cargo || stop "cargo is missing from the PATH: rustup puts it into ~/.cargo/bin"
have cc || stop "a C linker (cc) is missing: Rust links with it. Debian, Ubuntu: apt-get install build-essential"
# Before half an hour of building.
dev/istio/iptables.sh
# As an unprivileged user's PATH may lack them.
PATH=$PATH:/usr/sbin:/sbin
dev/istio/isolated true || stop "it needs a network of its own; above is why there is none, and what to do"

cache=${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/throughline}
missing=()
installed() { python3 "dev/$1/install.py" --installed "$2" > /dev/null 2>&1; }
if ! installed istio kubernetes; then missing+=("Kubernetes' API server, kubectl and etcd, from their sources    9 minutes"); fi
if ! installed istio tools; then missing+=("crane, from its sources                                         1 minute"); fi
if ! installed istio "istio-$line"; then missing+=("Istio $line: istiod, its agent and istioctl, from their sources   8 minutes"); fi
if ! installed backends tempo; then missing+=("Tempo, from its sources                                         6 minutes"); fi
if [[ ! -f $cache/envoy/$envoy/envoy ]]; then missing+=("Envoy $envoy, $(sed -n "s/^# $(uname -m): //p" "dev/envoy/$envoy.txt")"); fi
if ! python3 dev/tool.py --installed cargo-cyclonedx; then missing+=("cargo-cyclonedx, for the image's bill of materials              4 minutes"); fi
if ((${#missing[@]})); then
    say "make demo-istio downloads and builds, this once (minutes on two cores; up to 11 GB on disk with sources and objects):"
    printf '  %s\n' "${missing[@]}" >&2
    say "into $cache and target/"
else
    say "make demo-istio has all of its servers; what is missing of Rust and its crates is fetched."
fi
say "Building the module, its image and the demo …"
"${MAKE:-make}" --no-print-directory image >&2
cargo build --quiet --locked --package throughline-demo-istio
python3 dev/istio/install.py "${sets[@]}" > /dev/null
python3 dev/backends/install.py tempo > /dev/null
python3 dev/envoy/install.py "$envoy" > /dev/null
say "Then it takes about a minute and 1.1 GB of memory besides its files, in a network, mounts and processes of its own, which end with it."
# Its files are in memory, and go with its mounts.
TMPDIR=/run exec cargo run --quiet --locked --package throughline-demo-istio \
    --config "target.'cfg(unix)'.runner='$PWD/dev/istio/isolated'" -- --istio "$line" "$scenario"
