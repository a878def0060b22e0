# Two commands: `make run` and `make test`. Everything they need is set up by them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A module is compiled when it is first imported, and kept: installing compiles far more than runs.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-compile

.PHONY: run test suite test-portal test-search bench lint style types format lock clean setup \
  setup-dev chromium

# Without people.yaml the page for handing in shows itself with invented people, on this machine only.
run: setup
	@$(BIN)/foresight refresh
	@$(BIN)/foresight alerts replay --once
	@FORESIGHT_PEOPLE=$${FORESIGHT_PEOPLE-$$(test -e people.yaml || echo deploy/people.demo.yaml)} \
	  $(BIN)/foresight serve

# Types are checked beside the tests, which leave a core idle while they start and end.
test: setup-dev chromium style
	@$(MAKE) --no-print-directory --jobs 2 suite types

# The order of the files is that of tests/conftest.py.
suite: setup-dev chromium
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

# A real CKAN in a place of its own; PostgreSQL and Redis are those of the system.
test-portal: setup-dev .venv-ckan/ready
	@$(BIN)/pytest -m portal tests/portal

.venv-ckan/ready:
	@$(PYTHON) -m venv .venv-ckan
	@.venv-ckan/bin/python -m pip install --quiet --disable-pip-version-check "ckan[requirements]==2.12.*"
	@touch $@

# Properties on many examples that are new each time, where `make test` takes the same few.
test-search: setup-dev
	@$(BIN)/pytest -n auto --dist loadfile -m hypothesis --hypothesis-profile=search tests/etl tests/forecasts tests/dashboard

bench: setup-dev
	@$(BIN)/python -m benchmarks $(ARGS)

lint: style types

style: setup-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo

types: setup-dev
	@$(BIN)/mypy

format: setup-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

setup: $(VENV)/runtime
setup-dev: $(VENV)/runtime $(VENV)/dev

$(VENV)/runtime: requirements.lock pyproject.toml
	@echo "Setting up (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/runtime
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# The journeys need a browser and its fonts; both come from Debian.
chromium:
	@command -v chromium >/dev/null || sh deploy/install-chromium.sh

lock:
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  -o requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --extra dev --extra bench -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	@rm -rf state build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
