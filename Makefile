# `make help` lists the targets. PYTHON chooses the interpreter the virtual environment is made with.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PYTEST_ARGS ?=
# In small portions: of a large one, a worker may have slow tests left when the others have none.
PYTEST = $(BIN)/pytest -n $(WORKERS) --maxschedchunk 20

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-fast lint types golden release-template bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.plain  ## generate the example service and watch an event go through it; needs no server
	@rm -rf build/demo && mkdir -p build
	$(BIN)/eventgen new service build/demo --broker embedded
	@$(BIN)/python -m pip install --quiet -e build/demo
	@$(MAKE) --no-print-directory -C build/demo dev PYTHON='$(abspath $(BIN)/python)'

test: $(VENV)/.installed servers lint types  ## everything: servers, linters, types, all tests
	@echo '== tests'
	@$(PYTEST) $(PYTEST_ARGS)

test-fast: $(VENV)/.installed  ## the tests that need no server
	@$(PYTEST) -m 'not servers' $(PYTEST_ARGS)

.PHONY: servers
servers: $(VENV)/.installed  ## find Kafka, RabbitMQ, Redis, NATS, ElasticMQ and PostgreSQL for the tests, or install them
	@echo '== servers for the tests'
	@$(BIN)/python -m tests.servers install

lint: $(VENV)/.installed  ## ruff, and which module may import which
	@echo '== ruff'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo '== imports'
	@$(BIN)/lint-imports

types: $(VENV)/.installed  ## mypy --strict on the generator and on the runtime
	@echo '== mypy'
	@$(BIN)/mypy
	@rm -rf build/types
	@$(BIN)/python -c 'from pathlib import Path; from tests.support.runtime import assemble; assemble(Path("build/types"))'
	@MYPYPATH=build/types $(BIN)/mypy -p runtime

golden: $(VENV)/.installed  ## rewrite golden/ from the templates; read the diff before you commit it
	@$(BIN)/pytest tests/test_golden.py --update-golden $(PYTEST_ARGS)

release-template: $(BIN)/python  ## keep the template of this version for `eventgen update`; part of a release
	@$(BIN)/python .ci/release_template.py

bench: $(VENV)/.installed  ## measure the generator and a generated service
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean:  ## remove everything that was built, the virtual environment too
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second run quick; a changed pyproject.toml installs again.
$(VENV)/.plain: pyproject.toml | $(BIN)/python
	@echo '== installing eventgen into $(VENV)'
	@$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo '== installing eventgen and what its tests need into $(VENV)'
	@$(BIN)/python -m pip install --quiet -e '.[test]'
	@touch $(VENV)/.plain $@

$(BIN)/python:
	@.ci/venv '$(PYTHON)' '$(VENV)'
