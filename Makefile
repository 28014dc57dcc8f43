# The commands of the project; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
# MLflow 2 needs older libraries than the rest, so its client lives apart.
VENV2 := .venv-mlflow2
# The whole suite on all processors, a part of it (TESTS) in one process.
WORKERS = $(if $(TESTS),0,logical)
VENV_AUDIT := .venv-audit

.PHONY: help demo serve test soak-properties lint types bench audit screenshots vendor clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.ready  ## train a model against a fresh forge, print the addresses, keep serving (PORT)
	$(BIN)/python -m demo --port $(PORT)

serve: $(VENV)/.ready  ## serve the demo's forge as it is (PORT)
	$(BIN)/python -m demo --port $(PORT) --serve-only

test: $(VENV)/.ready $(VENV2)/.ready  ## run the whole suite on SQLite and PostgreSQL
	MLFLOW2_PYTHON=$(abspath $(VENV2))/bin/python $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 $(TESTS)

soak-properties: $(VENV)/.ready  ## look for an hour for calls and texts that break the API
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --timeout 0 --hypothesis-profile soak tests/property

lint: $(VENV)/.ready  ## check style, format, the direction of imports, and the vendored files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m vendoring

types: $(VENV)/.ready  ## check types
	$(BIN)/mypy

bench: $(VENV)/.ready  ## compare our speed with stock MLflow's and FastTrackML's (needs wrk; BENCH="--quick")
	$(BIN)/python -m bench $(BENCH)

screenshots: $(VENV)/.ready  ## train a few hundred models, take the pictures in docs/screenshots (needs chromium)
	$(BIN)/python -m gallery

audit: $(VENV)/.ready $(VENV_AUDIT)/.ready  ## ask PyPI for known holes in what is installed
	$(BIN)/pip freeze --exclude-editable > $(VENV_AUDIT)/frozen.txt
	$(VENV_AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r $(VENV_AUDIT)/frozen.txt

vendor: $(VENV)/.ready  ## bring the libraries of the pages from npm, as vendoring/lock.json says
	$(BIN)/python -m vendoring --fetch

clean:  ## remove the virtual environments and the demo's data
	rm -rf $(VENV) $(VENV2) $(VENV_AUDIT) .venv-stock .venv-fasttrackml instance

$(VENV)/.ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[postgresql,metrics,stub,demo,test,lint]'
	touch $@

$(VENV2)/.ready: tests/client/requirements-mlflow2.txt
	$(PYTHON) -m venv $(VENV2)
	$(VENV2)/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	$(VENV2)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV_AUDIT)/.ready:
	$(PYTHON) -m venv $(VENV_AUDIT)
	$(VENV_AUDIT)/bin/pip install --quiet --disable-pip-version-check pip-audit
	touch $@
