# One command for each need; every target makes the virtual environment first when it is missing or out of date.
#
#   make setup                 .venv from the hash-pinned lock, and the project itself, editable
#   make demo [REPLAY=PATH]    exchange, careless bot, guard and a screen; on real quotes with REPLAY
#   make check                 format, lint, types, import contracts, source tidiness
#   make test [ARGS=...]       check, then the tests; ARGS goes to pytest
#   make fuzz [ARGS=...]       fresh seeds of the simulation; ARGS goes to `standfast drill fuzz`
#   make bench [JSON=FILE]     every figure with its floor, ratio and goal
#   make matrix                the tests under every other Python of MATRIX
#   make format                let ruff rewrite what it can
#   make lock                  resolve requirements/all.txt again
#   make audit                 ask the advisory services about every locked package; 3 when they cannot be asked
#   make clean                 remove .venv and caches

PYTHON ?= python3
MATRIX ?= 3.12 3.13
VENV := .venv
BIN := $(VENV)/bin

# Results must not depend on the caller's shell: -O would strip the assertions, a warning filter would hide warnings.
unexport PYTHONOPTIMIZE PYTHONWARNINGS PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo check test fuzz bench matrix format lock audit clean

help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

setup: $(VENV)/.installed

# Two stamps: an edit of pyproject.toml re-installs the project (a second), an edit of the lock the whole lock.
$(VENV)/.locked: requirements/all.txt requirements/venv.sh
	PYTHON=$(PYTHON) sh requirements/venv.sh $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/all.txt
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

demo: setup
	$(BIN)/standfast demo $(if $(REPLAY),--replay "$(REPLAY)") $(ARGS)

check: setup
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy src tests $(wildcard bench)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/tidy

test: setup check
	$(BIN)/python -m pytest $(ARGS)

fuzz: setup
	$(BIN)/standfast drill fuzz --seeds 200 --hours 0.5 --jobs 2 $(ARGS)
	$(BIN)/standfast drill fuzz --play perps --seeds 60 --hours 0.25 --jobs 2
	STANDFAST_SEEDS="$$(shuf -i 1-999999999 -n 60)" $(BIN)/python -m pytest -q tests/sim/spreads/test_life.py

bench: setup
	$(BIN)/python -m bench $(if $(JSON),--json "$(JSON)") $(ARGS)

matrix:
	ARGS='$(ARGS)' sh requirements/matrix.sh $(MATRIX)

format: setup
	$(BIN)/python -m ruff check --fix-only --quiet .
	$(BIN)/python -m ruff format .

# The resolver lives in an environment of its own: nothing we run depends on it.
lock:
	sh requirements/lock.sh

# Not part of `test`: what is known tomorrow must not fail what was right today. Run it before a release and weekly.
audit:
	$(PYTHON) requirements/audit.py requirements/all.txt

clean:
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
