# make run    set everything up and serve on http://localhost:5000
# make test   set everything up and run the whole check
# make bench  measure it against the plain way, and write docs/benchmarks.md

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench clean

run: .venv/installed
	@exec $(BIN)/python manage.py serve

test: .venv/installed-dev lint
	$(BIN)/python -m pytest

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks.run

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: PYTHON=python3.12 make run")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
