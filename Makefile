# Every target is one line of work: what is more than that lives in Python.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
FLAGS ?=
SHORT := quick_start,deletion,move,pause,resilience

.PHONY: help setup tools older check format lint types floors tidy unit functional contract test e2e \
	e2e-short simulate demo playground bench fix generate sizes clean requirements

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s%s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from the pinned packages; does nothing when it is up to date.
	@$(PYTHON) requirements/install.py

tools: setup ## Build the real components that tests compare with: etcd, Kubernetes, Cluster API.
	$(PY) -m tools build

check: format lint types floors tidy ## All that is checked without running the product.

format: setup ## Check the format.
	$(PY) -m ruff format --check

lint: setup ## Check the style and look for common mistakes.
	$(PY) -m ruff check

types: setup ## Check the types.
	$(PY) -m mypy

floors: setup ## Check what may import what.
	.venv/bin/lint-imports --no-logo --no-cache

tidy: setup ## Check words, sizes, maps and names.
	$(PY) -m pytest --quiet tests/unit/test_tidy.py

unit: setup ## Does this function do what it says?  FLAGS= goes to pytest.
	$(PY) -m pytest tests/unit $(FLAGS)

functional: setup ## Do the laws hold?
	$(PY) -m pytest tests/functional $(FLAGS)

contract: setup ## Do all doors behave the same, and fakekube like a real kube-apiserver?
	$(PY) -m pytest tests/contract $(FLAGS)

test: setup ## All tests, in one run; those that need 'make tools' are skipped without it.
	$(PY) -m pytest $(FLAGS)

simulate: setup ## Live random lives, with everything going wrong.  SEED= COUNT= KEEP= FLAGS=--trace
	$(PY) -m tests.simulate --seed $(or $(SEED),1) --count $(or $(COUNT),200) $(if $(KEEP),--keep $(KEEP)) $(FLAGS)

older: setup ## Build Cluster API 1.10 and 1.13, which specs of 'make e2e' upgrade: six minutes, once.
	$(PY) -m tools build cluster-api-1.10 cluster-api-1.13

e2e: tools older ## The real Cluster API drives the provider, on a simulated cloud.
	$(PY) -m pytest e2e -p no:randomly --capture=no --require-tools $(FLAGS)

e2e-short: tools ## The specs of e2e that CI runs: the life of a cluster, move, pause, resilience.
	$(PY) -m pytest e2e -p no:randomly --capture=no --require-tools --specs=$(SHORT) $(FLAGS)

playground: tools ## A management cluster with a simulated cloud, to play with; see docs/start.md.
	$(PY) -m e2e.playground $(FLAGS)

demo: setup ## See the main job done, offline.
	$(PY) -m e2e.demo

bench: ## Measure fakecloud beside moto, and fakekube beside a real kube-apiserver.
	@$(PYTHON) requirements/install.py .venv-bench bench.txt
	.venv-bench/bin/python tests/bench/run.py $(FLAGS)

fix: setup ## Put the format right, and what else can be put right by itself.
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

generate: setup ## Write the generated documents.
	$(PY) -m fakecloud.coverage
	$(PY) -m provider.rules.firewall_page
	$(PY) -m provider.permissions
	$(PY) -m provider.pages.operate
	$(PY) -m provider.pages.troubleshoot

sizes: setup ## Print lines per folder and the longest files.
	$(PY) tests/sizes.py

clean: ## Remove everything that can be made again.
	rm -rf .venv .venv-bench .*_cache .coverage* .hypothesis dist htmlcov
	find . -name __pycache__ -prune -exec rm -rf {} +

requirements: ## Write requirements/*.txt from pyproject.toml.  UPGRADE=1 takes the newest.
	$(PYTHON) requirements/compile.py $(if $(UPGRADE),--upgrade)
