# Everything starts here: `make help` lists the targets. Needs make and Python 3.11 or later, nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
LOCKS  := requirements/core.txt requirements/peers.txt requirements/nodeps.txt

# Wheels only, and only those whose hash stands in a lock. Bytecode is compiled afterwards, by all cores.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off \
               --only-binary :all: --no-compile

# One thread each, set before any library loads: two solvers are compared on the same footing.
export OMP_NUM_THREADS      := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS      := 1
export NUMBA_NUM_THREADS    := 1

# A kernel forced on OpenBLAS slows it down and would be measured in place of the library. On CI, where nothing
# is concluded from a time, the environment stays as it was given.
OWN_KERNELS := $(if $(CI),,env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- set-up ----------------------------------------------------------------------------------------------------

.PHONY: install
install: $(READY) ## set up .venv from the locks (PYTHON=python3.x to choose one); the others do it when needed
	@$(BIN)/python -c 'import sys; print("ready: Python", sys.version.split()[0], "in $(VENV)")'

$(READY): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "$(PYTHON) is Python " + sys.version.split()[0] + ", and 3.11 or later is needed: make install PYTHON=python3.11")'
	@echo "installing into $(VENV) from requirements/*.txt (a few minutes at most, once)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --require-hashes -r requirements/core.txt
	$(PIP_INSTALL) --require-hashes -r requirements/peers.txt
	$(PIP_INSTALL) --require-hashes --no-deps -r requirements/nodeps.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
# What a worker imports is compiled now, or the first call of a solver would be charged for it.
	$(BIN)/python -m compileall -q -j 0 -x '/(tests?|pip|setuptools|mypy|jedi|fontTools|plotly|statsmodels)/' $(VENV)/lib
	@touch $@

# peers.txt is resolved from core.in too, and core.txt under it, so that the two agree in every version.
LOCK := uv pip compile --no-config --no-header --quiet --generate-hashes --only-binary :all: \
        --universal --python-version 3.11 --fork-strategy fewest $(LOCK_FLAGS)

.PHONY: lock
lock: ## resolve requirements/*.in into the hashed locks (needs uv; LOCK_FLAGS=--upgrade for newer versions)
	$(LOCK) requirements/core.in requirements/peers.in --output-file requirements/peers.txt > /dev/null
	$(LOCK) requirements/core.in --constraint requirements/peers.txt --output-file requirements/core.txt > /dev/null
	$(LOCK) requirements/nodeps.in --no-deps --output-file requirements/nodeps.txt > /dev/null

# ---- is it right? ----------------------------------------------------------------------------------------------

.PHONY: test
test: lint ## lint, then every test (PYTEST_FLAGS="-k name" to choose)
	$(BIN)/python -m pytest tests/ $(PYTEST_FLAGS)

.PHONY: lint
lint: $(READY) ## ruff (rules and format) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: verify
verify: $(READY) ## every solver on every case, judged; fails on a verdict against one of ours
	$(BIN)/python -m verification run

.PHONY: faults
faults: $(READY) ## every planted fault against every check; writes results/faults/ and docs/faults.md
	$(BIN)/python -m verification faults

.PHONY: mutation
mutation: $(READY) ## change one thing at a time in the proofs, and see which tests notice; goes on where it stopped
	$(BIN)/python tests/mutation.py

.PHONY: regress
regress: $(READY) ## has any answer become worse than in results/baseline?
	$(BIN)/python -m verification regress

.PHONY: baseline
baseline: $(READY) ## renew results/baseline
	$(BIN)/python -m verification baseline

.PHONY: claims
claims: $(READY) ## test what is said about L1 and L2; prints docs/claims.md and docs/claims.zh-TW.md
	$(BIN)/python -m verification.checks.claims

# ---- how fast, at the same proven accuracy? --------------------------------------------------------------------

BENCH_FLAGS = $(if $(SUITE),--suite '$(SUITE)') $(if $(SOLVERS),--solvers '$(SOLVERS)') $(if $(DATA),--data '$(DATA)') \
              $(if $(BUDGET),--budget '$(BUDGET)') $(if $(SEED),--seed '$(SEED)') \
              $(if $(THREADS),--threads '$(THREADS)') $(if $(FRESH),--fresh) $(if $(REUSE),--reuse '$(REUSE)')

.PHONY: bench
bench: $(READY) ## time and judge, or go on where it stopped (SUITE= SOLVERS= DATA= BUDGET= SEED= THREADS= FRESH=1 REUSE=auto)
	$(OWN_KERNELS) $(BIN)/python -m bench run $(BENCH_FLAGS)

.PHONY: compare
compare: $(READY) ## what became slower, larger or less accurate (A=record B=record, names or paths)
	@$(BIN)/python -m bench compare '$(A)' '$(B)' $(COMPARE_FLAGS)

.PHONY: calibrate
calibrate: $(READY) ## how often the rule for times is wrong, on this machine (SESSIONS=n in all; goes on where it stopped)
	$(OWN_KERNELS) $(BIN)/python -m bench calibrate --sessions $(or $(SESSIONS),0) --write

.PHONY: report
report: $(READY) ## print the report of what is on record
	$(BIN)/python -m bench report

# ---- housekeeping ----------------------------------------------------------------------------------------------

.PHONY: clean
clean: ## remove caches; neither .venv nor results/
	rm -rf .cache .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache build *.egg-info
	find solvers verification bench tests -name __pycache__ -type d -prune -exec rm -rf {} +
