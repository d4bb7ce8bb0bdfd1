SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CRD := crds/bedrockaccess.io_bedrockaccesses.yaml
CHART_CRD := charts/bedrock-access/crd/bedrockaccess.io_bedrockaccesses.yaml
CONTRACT := crates/aws-sandbox/contract

# What is built once carries the digest of what it was built from in its name.
digest = $(shell cat $(1) 2>/dev/null | cksum | cut -d' ' -f1)
TOOLS := .tools/built-$(call digest,hack/tools/build hack/tools/*/go.mod hack/tools/*/go.sum)
VENV := .venv/installed-$(call digest,$(CONTRACT)/requirements.txt)

FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
CARGO_FUZZ_VERSION := 0.13.1
CARGO_FUZZ := .tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz

step = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

.PHONY: help
help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: tools binaries ## Show the whole story on a local control plane, without an AWS account; KEEP=1 leaves it running
	@KEEP='$(KEEP)' target/debug/demo

.PHONY: test
test: tools lint crds-fresh docs unit contract ## Run every check and every test

.PHONY: lint
lint: tools ## Check format and lints; every warning is an error
	$(call step,format)
	cargo fmt --all --check
	$(call step,lints)
	cargo clippy --workspace --all-targets -- -D warnings
	$(call step,chart)
	.tools/bin/helm lint --strict --quiet charts/bedrock-access

# It waits for an interval to pass, and for nothing to happen: beside the other tests, which cost processor time, it costs none.
AT_REST := ready_objects_are_looked_at_once_an_interval_and_nothing_is_written

.PHONY: unit
unit: tools binaries
	$(call step,unit and end-to-end tests)
	cargo test --workspace --no-run
	@cargo test --workspace --test at_rest > target/at_rest.log 2>&1 & beside=$$!; status=0; \
	cargo test --workspace -- --exact --skip $(AT_REST) || status=$$?; \
	wait $$beside || status=$$?; \
	cat target/at_rest.log; exit $$status

.PHONY: e2e
e2e: tools binaries ## Run only the tests against the real control plane
	cargo test -p bedrock-access --test admission --test chart --test kstatus --test e2e --test handover --test at_rest

.PHONY: contract
contract: $(VENV) binaries ## Compare the AWS sandbox with moto and with botocore's service models
	$(call step,contract of the AWS sandbox)
	.venv/bin/python -m pytest -q $(CONTRACT)

.PHONY: crds
crds: binaries ## Generate the CustomResourceDefinition and copy it into the chart
	@mkdir -p $(dir $(CRD)) $(dir $(CHART_CRD))
	target/debug/bedrock-access crd > $(CRD)
	cp $(CRD) $(CHART_CRD)

.PHONY: crds-fresh
crds-fresh: binaries
	$(call step,generated files are fresh)
	@target/debug/bedrock-access crd | diff -u $(CRD) - || { echo 'stale: run `make crds`'; exit 1; }
	@diff -u $(CRD) $(CHART_CRD) || { echo 'stale: run `make crds`'; exit 1; }

.PHONY: bench
bench: tools ## Measure the core, then a release build with 1,000 objects beside the least that they can take; writes docs/benchmarks.*
	cargo bench --package bedrock-iam
	cargo build --release --workspace --bin bedrock-access --bin aws-sandbox --bin bench
	target/release/bench

.PHONY: scale
scale: tools ## Measure a release build with 10,000 objects, and how it grows from 100 on; writes docs/benchmarks.*
	cargo build --release --workspace --bin bedrock-access --bin aws-sandbox --bin bench
	target/release/bench scale

.PHONY: attacks
attacks: tools ## Flood the operator from one namespace in five ways, and measure what another one waits; SCENE=storm for one alone
	cargo build --release --workspace --bin bedrock-access --bin aws-sandbox --bin bench
	target/release/bench attacks $(SCENE)

.PHONY: soak
soak: tools ## Edits, drift, withdrawn consent, faults and kills for SOAK_SECONDS (600), then quiet; SOAK_SEED repeats the draws
	cargo build --release --workspace --bin bedrock-access --bin aws-sandbox --bin soak
	@SOAK_SECONDS='$(SOAK_SECONDS)' SOAK_SEED='$(SOAK_SEED)' target/release/soak

.PHONY: fuzz
fuzz: $(CARGO_FUZZ) ## Send the core what nobody may send it, for FUZZ_SECONDS (60) a target
	@for target in arn document grant manifest; do \
		printf '\n\033[1m== fuzzing: %s\033[0m\n' $$target; \
		mkdir -p fuzz/corpus/$$target; \
		$(CARGO_FUZZ) run --sanitizer none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=8192 -dict=fuzz/words.dict -timeout=10 -print_final_stats=1; \
	done

$(CARGO_FUZZ):
	$(call step,building cargo-fuzz)
	cargo install --quiet --locked --root .tools/cargo-fuzz-$(CARGO_FUZZ_VERSION) --version $(CARGO_FUZZ_VERSION) cargo-fuzz

.PHONY: docs
docs: ## Build the API documentation of the crates; every warning is an error
	$(call step,API documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps

.PHONY: binaries
binaries:
	$(call step,building the binaries)
	cargo build --workspace --bins

.PHONY: tools
tools: $(TOOLS) ## Build etcd, kube-apiserver, kube-controller-manager, kubectl and helm (once)

$(TOOLS):
	$(call step,building the programs of the control plane)
	hack/tools/build .tools/bin
	@rm -f .tools/built-* && touch $@

$(VENV):
	$(call step,making the virtual environment of the contract tests)
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement $(CONTRACT)/requirements.txt
	@rm -f .venv/installed-* && touch $@
