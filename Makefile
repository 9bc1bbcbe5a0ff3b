# Two commands for a newcomer: `make demo` and `make test`. Everything they need, they install into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/sh
ARGS ?=
# Tests write some thousand small databases: in memory, where there is enough of it.
SCRATCH := $(shell test "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 8000000 2>/dev/null && echo TMPDIR=/dev/shm)
WORKERS ?= 2
BENCHMARKS ?= geometry.diameters scoring.score_subjects ingest dicomweb journey.push_match_score viewer
COMPILE := $(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade

.PHONY: help demo test check format lint types imports campaign benchmarks peers lock wheel clean
help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

demo: $(VENV)/.runtime  ## play the whole story on this machine; ARGS=--exit ends it after the table
	@$(BIN)/imaging-service demo $(ARGS)

test: $(VENV)/.test peers  ## run every test
	$(SCRATCH) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.test  ## format, lint, types, imports, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(MAKE) types imports test

format: $(VENV)/.test  ## format and sort in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.test  ## the linter alone
	$(BIN)/ruff check .

types: $(VENV)/.test  ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.test  ## the layers, as contracts
	$(BIN)/lint-imports

campaign: $(VENV)/.test peers  ## the long forms: power cuts, kill -9, fuzzing (hours)
	CAMPAIGN=1 $(BIN)/python -m pytest -m campaign --timeout=0 $(ARGS)

benchmarks: $(VENV)/.test peers  ## figures beside the peers; nothing is asserted
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

peers:  ## install the other makers' programs that some tests speak with
	@sh tools/peers.sh

lock: $(VENV)/.test  ## renew the pins
	$(COMPILE) --group build pyproject.toml -o requirements/runtime.txt
	$(COMPILE) --group build --extra postgres --extra s3 -c requirements/runtime.txt pyproject.toml \
		-o requirements/server.txt
	$(COMPILE) --group build --group test --all-extras -c requirements/runtime.txt pyproject.toml \
		-o requirements/test.txt
	echo uv | $(COMPILE) - -o requirements/uv.txt

wheel: $(VENV)/.test  ## build the one wheel
	$(BIN)/python -m hatchling build -t wheel

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

$(VENV)/.runtime: requirements/runtime.txt requirements/uv.txt pyproject.toml
	@PYTHON=$(PYTHON) sh tools/environment.sh $(VENV) requirements/runtime.txt
	@touch $@

$(VENV)/.test: requirements/test.txt requirements/uv.txt pyproject.toml
	@PYTHON=$(PYTHON) sh tools/environment.sh $(VENV) requirements/test.txt
	@touch $@ $(VENV)/.runtime
