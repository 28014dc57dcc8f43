# The commands of the project; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
# MLflow 2 needs older libraries than the rest, so its client lives apart.
VENV2 := .venv-mlflow2

.PHONY: help demo serve test lint types bench screenshots vendor clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.ready  ## train a model against a fresh forge, print the addresses, keep serving (PORT)
	$(BIN)/python -m demo --port $(PORT)

serve: $(VENV)/.ready  ## serve the demo's forge as it is (PORT)
	$(BIN)/python -m demo --port $(PORT) --serve-only

test: $(VENV)/.ready $(VENV2)/.ready  ## run the whole suite on SQLite and PostgreSQL
	MLFLOW2_PYTHON=$(abspath $(VENV2))/bin/python $(BIN)/python -m pytest $(TESTS)

lint: $(VENV)/.ready  ## check style, format, the direction of imports, and the vendored files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m vendoring

types: $(VENV)/.ready  ## check types
	$(BIN)/mypy

bench: $(VENV)/.ready  ## compare our speed with the stock server's (needs wrk)
	$(BIN)/python -m bench

screenshots: $(VENV)/.ready  ## train a few hundred models, take the pictures in docs/screenshots (needs chromium)
	$(BIN)/python -m gallery

vendor: $(VENV)/.ready  ## bring the libraries of the pages from npm, as vendoring/lock.json says
	$(BIN)/python -m vendoring --fetch

clean:  ## remove the virtual environments and the demo's data
	rm -rf $(VENV) $(VENV2) instance

$(VENV)/.ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[postgresql,stub,demo,test,lint]'
	touch $@

$(VENV2)/.ready: tests/client/requirements-mlflow2.txt
	$(PYTHON) -m venv $(VENV2)
	$(VENV2)/bin/pip install --quiet --disable-pip-version-check --upgrade pip
	$(VENV2)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@
