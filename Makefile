# Two commands: `make app` opens the dashboard, `make test` runs every check. Both set themselves up.
#   make app DB=runs/mini/mini.duckdb   another study
#   make app PORT=8600                  another port
#   make app TORCH=cpu                  no CUDA packages (Linux)
#   make test PYTHON=python3.12         another Python (3.11 or newer), in .venv; test-3.12 and test-3.13 have their own
#   make docs                           the documentation, in site/

PYTHON ?=
VENV ?= .venv
PORT ?= 8501
DB ?=
TORCH ?=
BIN = $(VENV)/bin
INSTALL = @PYTHON='$(PYTHON)' VENV='$(VENV)' TORCH='$(TORCH)' sh tools/install.sh

.PHONY: app test lint tests docs test-3.12 test-3.13 clean bench pictures

app: $(VENV)/.installed
	$(BIN)/bertnesia app $(DB) --port $(PORT)

test: lint tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -rs

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

test-3.12 test-3.13:
	$(MAKE) test PYTHON=$$(echo $@ | sed s/test-/python/) VENV=.venv-$$(echo $@ | sed s/test-//)

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache tests/artefacts

$(VENV)/.installed: requirements.txt pyproject.toml
	$(INSTALL) -r requirements.txt --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-docs.txt $(VENV)/.installed
	$(INSTALL) -r requirements-dev.txt
	@touch $@

# Speed, as ratios within one run, on a quiet machine: `make bench > docs/speed.md` writes the page.
bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks

# README's pictures of the first page; they need Chromium.
pictures: $(VENV)/.installed-dev
	@$(BIN)/python -m tools.pictures
