# keqing: `make run` sets everything up and runs the whole line once; `make test` runs every test.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
# the first that really runs: a version manager may put names on PATH that do not
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do "$$name" -c '$(FITS)' 2>/dev/null && echo "$$name" && break; done)
BIN := .venv/bin
export UV_SYSTEM_CERTS := 1

.PHONY: help install install-dev run test check es screens format lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

$(BIN)/uv:
	@test -n '$(PYTHON)' || { echo 'Python 3.11, 3.12 or 3.13 is needed; set PYTHON=/path/to/it'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/run.stamp: $(BIN)/uv requirements.lock pyproject.toml
	@if [ ! -e .venv/dev.stamp ]; then $(BIN)/uv pip sync --quiet --compile-bytecode requirements.lock; $(BIN)/uv pip install --quiet --no-deps -e .; fi
	@mkdir -p -m 700 var && touch $@

.venv/dev.stamp: $(BIN)/uv requirements-dev.lock pyproject.toml
	$(BIN)/uv pip sync --quiet --compile-bytecode requirements-dev.lock
	$(BIN)/uv pip install --quiet --no-deps -e .
	@mkdir -p -m 700 var && touch $@

install: .venv/run.stamp ## environment from the lock, var/
install-dev: .venv/dev.stamp ## the same with what tests need

run: install ## start everything: demo city, one pass of the line, Airflow; Ctrl-C stops. ONCE=1 ends after the pass
	$(BIN)/keqing $(if $(ONCE),demo,up)

test: install-dev ## Debian packages of the browser tests, then format, lint, types, import contracts, all tests
	bash tests/packages.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist loadgroup

check: install-dev ## the quick part: format, lint, types, contracts, fast tests
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports
	$(BIN)/pytest -m "not slow and not browser and not end_to_end"

es: install-dev ## start the test Elasticsearch by hand; Ctrl-C stops it
	@exec $(BIN)/python -m tests.elastic.by_hand

screens: install-dev ## take the screenshots of docs/screens
	$(BIN)/python -m bench.screens --out docs/screens

format: install-dev ## write the standard format
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

LOCK := $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --no-header --no-annotate --no-emit-index-url
lock: $(BIN)/uv ## compile all locks again from pyproject.toml
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(LOCK) -c requirements.lock pyproject.toml deploy/cluster.in -o deploy/cluster.lock

clean: ## remove the environment and all state
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
