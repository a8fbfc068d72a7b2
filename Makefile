# `make` explains itself. Everything that a target needs, it installs: pinned by Cargo.lock, rust-toolchain.toml,
# dev/envoy/, dev/toolchains/, dev/backends/, dev/manifests/, dev/registry/ and dev/sbom.py.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

WASM_TARGET := wasm32-wasip1
MODULE := target/throughline.wasm
IMAGE := target/image
# What `make pin` looks through.
MANIFESTS ?= $(wildcard wasmplugin charts examples/envoy-gateway)
CARGO_HOME ?= $(HOME)/.cargo
# Whatever the environment says: what is built is looked for here.
export CARGO_TARGET_DIR := $(CURDIR)/target
# The module's bytes must not depend on where it is built.
WASM_FLAGS = --remap-path-prefix=$(CARGO_HOME)=/cargo'$$'\x1f''--remap-path-prefix=$(CURDIR)=/throughline

# Spelled like this, as make -n would run what names it itself.
MAKE_PROGRAM := $(MAKE)

.PHONY: help
help: ## Show this list
	@echo "Throughline: one trace id per request, in B3 and W3C, through Envoy."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  ENVOY=/path/to/envoy make demo   runs the demo on an Envoy of your own"

.PHONY: toolchain
toolchain:
	@command -v rustup > /dev/null || { echo "throughline needs rustup (https://rustup.rs) for the toolchain in rust-toolchain.toml" >&2; exit 1; }
	@rustup toolchain install --no-self-update > /dev/null 2>&1 || rustup toolchain install --no-self-update

.PHONY: build
build: toolchain ## Build the module, target/throughline.wasm, and print its size
	@CARGO_ENCODED_RUSTFLAGS='$(WASM_FLAGS)' cargo build --quiet --locked --release --lib --target $(WASM_TARGET)
	@cargo run --quiet --locked --package throughline-dev --bin trim-module -- target/$(WASM_TARGET)/release/throughline.wasm $(MODULE)

.PHONY: image
image: build ## Build the image, target/image, in both layouts that Istio pulls, without a container engine
	@cargo run --quiet --locked --package throughline-dev --bin image -- build $(MODULE) $(IMAGE)

.PHONY: push
push: build crane ## Build the image and push it (REGISTRY=registry.example/team/throughline, TAG=, FORCE=1, INSECURE=1)
	@cargo run --quiet --locked --package throughline-dev --bin image -- push $(MODULE) $(IMAGE)

.PHONY: pin
pin: crane ## Write a pushed image's address and digest into the manifests (REGISTRY=, TAG= or DIGEST=, MANIFESTS=)
	@cargo run --quiet --locked --package throughline-dev --bin image -- pin $(MANIFESTS)

.PHONY: crane
crane:
	@python3 dev/registry/install.py crane > /dev/null

.PHONY: envoy
envoy: ## Install the five Envoy lines that the tests run on
	@python3 dev/envoy/install.py all

.PHONY: backends
backends: ## Install Zipkin, Jaeger, Tempo, the OpenTelemetry Collector and Prometheus (20 minutes, once)
	@python3 dev/backends/install.py all

.PHONY: demo
demo: ## Run Bookinfo behind real Envoys, without and with the filter, and show its traces (BACKEND=zipkin, JSON=1)
	@MAKE="$(MAKE_PROGRAM)" examples/demo/demo.sh $(if $(BACKEND),--backend=$(BACKEND)) $(if $(JSON),--json)

.PHONY: demo-istio
demo-istio: ## Run Bookinfo on Istio's own control plane, and show its traces in Tempo (SCENARIO=canary, ISTIO=1.29)
	@MAKE="$(MAKE_PROGRAM)" examples/demo-istio/demo.sh

.PHONY: test
test: build envoy ## Run every test, the built module in real Envoys of five lines included
	@cargo test --locked --workspace

.PHONY: doctor
doctor: toolchain ## Say what is wrong with the filter in an Envoy (FROM=http://localhost:15000, or files)
	@cargo run --quiet --locked --package throughline-cli -- doctor $(if $(FROM),$(FROM),--help)

.PHONY: test-backends
test-backends: build backends envoy-newest ## Run the tests against the real tracing backends
	@cargo test --locked --package throughline-dev --features backends --test backends
	@cargo test --locked --package throughline-demo --features backends --test demo backend::

.PHONY: test-image
test-image: build ## Build the image, push it to real registries, pull it back and pin it; check its bill of materials
	@python3 dev/registry/install.py all > /dev/null
	@cargo test --locked --package throughline-dev --features registry --test registry

.PHONY: test-page
test-page: build envoy-newest ## Check the page that the demo writes in a headless browser
	@dev/browser.sh
	@cargo test --locked --package throughline-demo --features browser --test page

.PHONY: test-faults
test-faults: build envoy ## Break the collector in every way, under load, on two Envoy lines (DOCS=1 notes the figures)
	@DOCS=$(DOCS) cargo test --locked --test faults -- --ignored --test-threads=1 --nocapture

.PHONY: test-interop
test-interop: build envoy-newest ## Run applications with real SDKs behind the filter (ONLY=brave: some; DOCS=1 writes docs/interop.md)
	@python3 dev/backends/install.py jaeger > /dev/null
	@cargo run --quiet --locked --package throughline-interop -- $(if $(ONLY),--only $(ONLY)) $(if $(DOCS),--docs)

.PHONY: manifests-tools
manifests-tools:
	@python3 dev/manifests/install.py all > /dev/null

.PHONY: test-manifests
test-manifests: manifests-tools ## Render the manifests with kustomize and Helm, compare them, test the alerts with promtool, load the compose file
	@cargo test --locked --package throughline-manifests --features tools

.PHONY: istio
istio: crane ## Install Istio 1.29 and 1.31, Kubernetes' API server, Helm and Tempo for the tests (35 minutes, once)
	@python3 dev/istio/install.py all > /dev/null
	@dev/istio/iptables.sh
	@python3 dev/manifests/install.py helm > /dev/null
	@python3 dev/backends/install.py tempo > /dev/null

.PHONY: test-istio
test-istio: image envoy istio manifests-tools ## Validate, place, pull and run the manifests by Istio's own code (ONLY=upgrade,bad: some; DOCS=1 writes docs/placement.md)
	@dev/istio/checks.sh
	@cargo test --locked --package throughline-dev --features istio --lib istio::
	@dev/istio/live.sh
	@cargo test --locked --package throughline-demo-istio --features istio --test scenarios -- --test-threads=1

.PHONY: book
book: toolchain ## Build docs/ as a book, target/book (mdBook: 5 minutes, once)
	@dev/book.sh

.PHONY: test-rest test-mesh
test-rest: test book test-manifests test-backends test-interop test-page
test-mesh: test-image test-istio

.PHONY: test-all
test-all: test-rest test-mesh ## Run `make test` and what needs mdBook, heavy servers, SDKs or a browser

.PHONY: bench
bench: build envoy-newest ## Measure the CPU per request beside that of Envoy's own tracers (DOCS=1 notes it)
	@cargo run --quiet --locked --profile load --package throughline-bench -- cpu $(if $(DOCS),--docs docs/benchmarks.md)

.PHONY: sim-joins
sim-joins: toolchain ## Simulate applications that forward nothing, and count right and wrong joins (ONLY="a work queue": some)
	@cargo run --quiet --locked --profile load --package throughline-sim -- $(if $(ONLY),--only "$(ONLY)")

.PHONY: soak
soak: build envoy-newest ## Run at full speed for a minute with each protocol, and miss no span (DOCS=1 notes it)
	@cargo run --quiet --locked --profile load --package throughline-bench -- soak $(if $(DOCS),--docs docs/benchmarks.md)

.PHONY: envoy-newest
envoy-newest:
	@test -n "$${ENVOY:-}" || python3 dev/envoy/install.py "$$(basename -s .txt dev/envoy/*.txt | sort -V | tail -n 1)" > /dev/null

.PHONY: lint
lint: toolchain ## Format check, clippy, audit of licences and sources
	@cargo fmt --all --check
	@cargo clippy --quiet --locked --workspace --all-targets --all-features -- -D warnings
	@cargo clippy --quiet --locked --lib --target $(WASM_TARGET) -- -D warnings
	@dev/audit.sh

.PHONY: fmt
fmt: toolchain ## Format the code
	@cargo fmt --all

.PHONY: clean
clean: ## Remove what was built (what was installed stays)
	@cargo clean
