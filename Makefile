# Everything happens in .venv; nothing is installed outside this folder.
# All paths below are relative, so the folder's own path may hold spaces.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-web test-clients check bench fuzz evidence soak soak-day chaos kills clean
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
# Some containers forbid bytecode, and every process would then compile all of Runebook again.
export PYTHONDONTWRITEBYTECODE :=

# Set PYTHON to choose another interpreter for .venv.
PYTHON ?=
BIN := .venv/bin
READY := .venv/ready
PYTEST_ARGUMENTS ?=
# Most tests wait for processes, so three files at once suit two cores; tests/conftest.py has the slow ones first.
PYTEST_SPREAD ?= -n 3 --dist loadfile --no-loadscope-reorder

help: ## show these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

setup: $(READY) ## make .venv with everything the other targets need

$(READY): pyproject.toml
	@set -eu; \
	works() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }; \
	python='$(PYTHON)'; \
	if [ -z "$$python" ]; then \
	    for each in python3.13 python3.12 python3.11 python3; do \
	        if works "$$each"; then python=$$each; break; fi; \
	    done; \
	elif ! works "$$python"; then \
	    echo "PYTHON=$$python is not Python 3.11 or later" >&2; exit 1; \
	fi; \
	if [ -z "$$python" ]; then \
	    echo "Runebook needs Python 3.11 or later, and none of python3.13, python3.12, python3.11 and python3 is" >&2; \
	    exit 1; \
	fi; \
	if ! "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	    echo "$$python cannot make virtual environments: install its venv module (Debian: apt install python3-venv)" >&2; \
	    exit 1; \
	fi; \
	for each in git tmux; do \
	    command -v "$$each" >/dev/null || { echo "Runebook needs $$each, which is not installed" >&2; exit 1; }; \
	done; \
	if ! works $(BIN)/python || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    echo "making .venv with $$("$$python" --version)"; \
	    rm -rf .venv; "$$python" -m venv .venv; \
	fi; \
	echo "installing Runebook and what it needs into .venv"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'; \
	touch $@

demo: $(READY) ## run the demonstration (by itself when there is no terminal)
	@$(BIN)/python -m runebook_tui demo

test: check ## run the checks, then all tests
	@if command -v nix >/dev/null; then \
	    $(BIN)/python -m pytest --ignore=tests/clients --ignore=tests/web/test_browser.py $(PYTEST_SPREAD) $(PYTEST_ARGUMENTS); \
	else \
	    echo "nix is not installed: the tests of flake.nix are left out (.ci/run installs it and runs them)"; \
	    $(BIN)/python -m pytest -m 'not nix' --ignore=tests/clients --ignore=tests/web/test_browser.py $(PYTEST_SPREAD) $(PYTEST_ARGUMENTS); \
	fi

test-web: $(READY) ## test the served cockpit in the Chromium of this machine
	@$(BIN)/python -m pytest tests/web/test_browser.py $(PYTEST_ARGUMENTS)

test-clients: $(READY) ## install the real agent CLIs into a cache, and test with them
	@$(BIN)/python tests/clients/install_clients.py
	@$(BIN)/python -m pytest tests/clients -n 3 --dist loadgroup $(PYTEST_ARGUMENTS)

check: $(READY) ## format, lint, types and layers
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

bench: $(READY) ## measure against named alternatives
	@$(BIN)/python -m benchmarks

evidence: $(READY) ## measure what is promised, and write docs/evidence.md (ONLY=PART for a part of it)
	@$(BIN)/python -m benchmarks.evidence $(if $(ONLY),--only $(ONLY))

MINUTES ?= 60
DAY_MINUTES ?= 15
soak: $(READY) ## an hour of builds and a live agent under the gate (MINUTES=60)
	@$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

chaos: $(READY) ## kill engine, screen, gates, tmux and the log's server 1,000 times, and see what was lost
	@$(BIN)/python -m benchmarks.chaos

soak-day: $(READY) ## a working day of a hundred agents in a quarter of an hour (DAY_MINUTES=15)
	@$(BIN)/python -m benchmarks.day --minutes $(DAY_MINUTES)

kills: $(READY) ## kill the gate's supervisor 300 times, at work and while it starts
	@$(BIN)/python -m benchmarks.kills

FUZZ_SECONDS ?= 20
fuzz: $(READY) ## try to break each reader of outside input for FUZZ_SECONDS=20 (pip install -e '.[fuzz]' for coverage)
	@$(BIN)/python tests/hostile/fuzz.py --seconds $(FUZZ_SECONDS)

clean: ## remove .venv and everything else that was made here
	rm -rf .venv dist build .fuzz .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find runebook_tui agents tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
