# Two commands: `make app` opens the dashboard, `make test` runs every check. Both set themselves up.
#   make app DB=runs/mini/mini.duckdb   another study
#   make app PORT=8600                  another port
#   make test PYTHON=python3.12         another Python (3.11 or newer)

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8501
DB ?=
BIN := $(VENV)/bin

.PHONY: app test lint tests clean

app: $(VENV)/.installed
	$(BIN)/bertnesia app $(DB) --port $(PORT)

test: lint tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -rs

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache tests/artefacts

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "bertnesia needs Python 3.11 or newer, and there is no '$(PYTHON)': install it, or name it with 'make app PYTHON=...'."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "bertnesia needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version): name another with 'make app PYTHON=...'."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "'$(PYTHON)' cannot make environments: install its venv package (on Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }
	@echo "Creating the environment $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements.txt into $(VENV): a few minutes the first time"
	@start=$$(date +%s); $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . \
	  && echo "Installed in $$(($$(date +%s) - start)) s"
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the development tools of requirements-dev.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
