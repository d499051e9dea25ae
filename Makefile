# Everything the project needs beyond Debian, Python 3.11, Go and make is installed by these targets:
# tools and images into the user's cache folder, Python packages into .venv.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trainingrun
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' tools/uv.lock)
UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
BIN := .venv/bin
CLUSTER ?= local
REGISTRY ?=
ARGS ?=
DATA ?=

export UV_PYTHON_DOWNLOADS := never
export PYTHONPATH := contract:operator:trainer_image:cli:tools

##@ Use

.PHONY: demo
demo: setup ## Run the main job on a real cluster; CLUSTER=current REGISTRY=host/path uses your kubectl context
	$(BIN)/python -m demo up --cluster $(CLUSTER) $(if $(REGISTRY),--registry $(REGISTRY))

.PHONY: demo-down
demo-down: setup ## Remove all that `make demo` started; images and programs stay cached
	$(BIN)/python -m demo down --cluster $(CLUSTER)

.PHONY: cluster
cluster: setup ## Start the local cluster alone; then `make -s env` points kubectl at it
	$(BIN)/python -m localcluster up

.PHONY: env
env: setup ## Print the shell variables that point kubectl and S3 clients at the local cluster
	@$(BIN)/python -m localcluster env

.PHONY: images
images: setup ## Build the operator and trainer images and push them to the local cluster, which is started unless it runs
	$(BIN)/python -m localcluster images

##@ Develop

.PHONY: setup
setup: .venv/.installed ## Install Python packages into .venv and the `trainingrun` command with them

.PHONY: test
test: setup ## Run the tests, the end-to-end run on the local cluster among them; ARGS goes to pytest
	$(BIN)/python -m localcluster build
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not groups and not ecosystem and not faults" --numprocesses 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: test-groups
test-groups: setup ## Run the longest tests, of many processes and of two pods on the local cluster; half an hour
	$(BIN)/python -m localcluster build
	OMP_NUM_THREADS=1 $(BIN)/pytest -m groups --numprocesses 1 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: test-ecosystem
test-ecosystem: setup ## Run the tests with other projects' servers on the local cluster; minutes
	$(BIN)/python -m localcluster build
	OMP_NUM_THREADS=1 $(BIN)/pytest -m ecosystem --numprocesses 1 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: test-faults
test-faults: setup ## Run the whole sweeps of faults, and write what they measure into docs/reliability.md; hours
	$(BIN)/python -m localcluster build
	OMP_NUM_THREADS=1 $(BIN)/pytest -m faults --write-reliability --numprocesses 1 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: test-fast
test-fast: setup ## Run the tests that take neither root nor long; KUBEBUILDER_ASSETS names a folder of setup-envtest
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow and not faults" --numprocesses auto --dist loadfile $(ARGS)

.PHONY: bench-quality
bench-quality: setup ## Measure accuracy beside peers into benchmarks/RESULTS-quality.md; DATA=folder with CLINC150, hours of one core
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.quality $(if $(DATA),--data $(DATA)) $(ARGS)

.PHONY: bench-data
bench-data: setup ## Measure speed and memory of data sets beside peers into benchmarks/RESULTS-data.md; half an hour of one core
	OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false $(BIN)/python -m benchmarks.data $(ARGS)

.PHONY: bench-processes
bench-processes: setup ## Measure what a second process brings and what a restart of a group takes into benchmarks/RESULTS-processes.md; ten minutes of two quiet cores
	$(BIN)/python -m benchmarks.processes $(ARGS)

.PHONY: bench-checkpoint
bench-checkpoint: setup ## Measure what checkpoints cost and what is lost without one into benchmarks/RESULTS-checkpoint.md; ten minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.checkpoint $(ARGS)

.PHONY: bench-evaluation
bench-evaluation: setup ## Measure what evaluation and report cost into benchmarks/RESULTS-evaluation.md; some minutes of one core
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.evaluation $(ARGS)

.PHONY: bench-gpu
bench-gpu: setup ## Measure training on a GPU beside transformers' Trainer, and print it; six minutes of one GPU, or ARGS=--tiny
	$(BIN)/python -m benchmarks.gpu $(ARGS)

.PHONY: bench-operator
bench-operator: setup ## Measure what a run costs the operator into benchmarks/RESULTS-operator.md; a quarter of an hour, or ARGS='runs-5000 soak-10000'
	$(BIN)/python -m benchmarks.operator $(ARGS)

.PHONY: release
release: setup ## Write images with what they are made of, chart and Python packages of this version into dist, 3 GB in all
	$(BIN)/python tools/release.py

.PHONY: audit
audit: setup ## Look the images' Python packages up among known vulnerabilities; skipped, with a word, where the data base can't be reached
	$(BIN)/python tools/audit.py

.PHONY: pictures
pictures: setup ## Draw the pictures of reports in docs/images, of two runs that are trained for it; minutes
	$(BIN)/python tools/pictures.py

.PHONY: docs
docs: setup ## Build the documentation as a site in build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/python tools/pages.py

.PHONY: check
check: lint types imports check-generated docs ## Run all checks that run no code

.PHONY: lint
lint: setup ## Check style
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup ## Check types
	$(BIN)/mypy

.PHONY: imports
imports: setup ## Check that modules import each other in one direction only
	$(BIN)/lint-imports

.PHONY: check-generated
check-generated: setup ## Check that generated files are up to date
	$(BIN)/python tools/generate.py --check

.PHONY: generate
generate: setup ## Write CRDs, reference page, schemas and dashboards
	$(BIN)/python tools/generate.py

.PHONY: kustomize
kustomize: setup ## Write the kustomize base from the chart
	$(BIN)/python tools/kustomize_base.py

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lock
lock: $(UV) ## Resolve the dependencies anew, with hashes
	$(call resolve,tools,pyproject.toml --all-extras)
	$(call resolve,operator,pyproject.toml --extra operator --constraint tools/requirements.lock --no-annotate)
	$(call resolve,trainer_image,pyproject.toml --extra trainer --extra trackers --constraint tools/requirements.lock --no-annotate)
	$(call resolve,tests/trainer/servers,tests/trainer/servers/requirements.in --no-annotate)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

define resolve
	$(UV) pip compile -q $(2) --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade -o $(1)/requirements.lock
endef

.venv/.installed: .venv/.locked pyproject.toml
	@$(UV) pip install -q --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv/.locked: tools/requirements.lock $(UV)
	@echo "installing Python packages into .venv; the first time fetches about 3 GB"
	$(UV) venv -q --clear --python 3.11 .venv
	$(UV) pip install -q --python $(BIN)/python --require-hashes -r tools/requirements.lock
	@touch $@

# Its version is in its path: another checkout with the same one shares it. Moved into place whole, since two may make it at once.
$(UV):
	@rm -rf $(filter-out $(CACHE)/uv-$(UV_VERSION),$(wildcard $(CACHE)/uv-*))
	@mkdir -p $(CACHE)
	@fresh=$$(mktemp -d $(CACHE)/new-uv-XXXXXX) && trap 'rm -rf "$$fresh"' EXIT && \
	  python3 -m venv $$fresh && \
	  $$fresh/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r tools/uv.lock && \
	  { mv -T $$fresh $(CACHE)/uv-$(UV_VERSION) 2>/dev/null || test -x $@; }
