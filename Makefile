# Every command works on a fresh clone: it installs what it needs into .venv first.
.DEFAULT_GOAL := help
.PHONY: help book pdf test run check study verify release format clean whole
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Not compiled: Python does so for what is imported, which is a part.
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install --no-compile -c constraints.txt
PYTEST := $(BIN)/python -m pytest -q --durations 10
REPORTS := _build/tests
CHAPTER ?= all
PINS := pyproject.toml constraints.txt

help: ## list these commands
	@echo "Usage: make COMMAND [CHAPTER=01]"
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 12

book: .venv/installed-book ## install the pinned packages, render the book, print the page to open
	@echo "==> Rendering the book from its stored outputs"
	@sh tools/build_book.sh $(BIN)

pdf: .venv/installed-test book ## render the book, and print it as one PDF beside its pages
	@echo "==> Printing the book"
	@chromium=$$(sh tools/install_chromium.sh) && CHROMIUM=$$chromium $(BIN)/python tools/make_pdf.py

test: .venv/installed-test .venv/installed-widgets7 tests/pages/node_modules/.installed ## lint, types, unit tests, quick notebooks, the book, its pages
	@sh tools/install_chromium.sh >/dev/null
	@mkdir -p $(REPORTS)
	@echo "==> 1 of 6: lint and format"
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@echo "==> 2 of 6: types"
	@$(BIN)/mypy
	@echo "==> 3 of 6: unit tests"
	@$(PYTEST) -n 2 --dist loadfile --junit-xml $(REPORTS)/unit.xml tests/unit
	@echo "==> 4 of 6: every notebook with its quick preset"
	@$(PYTEST) -n 2 --dist worksteal --junit-xml $(REPORTS)/notebooks.xml tests/notebooks
	@echo "==> 5 of 6: the book"
	@sh tools/build_book.sh $(BIN)
	@echo "==> 6 of 6: the pages in Chromium"
	@$(PYTEST) -n 2 -m 'not slow' --junit-xml $(REPORTS)/pages.xml tests/pages

run: .venv/installed-book ## execute CHAPTER (default: all) and store the outputs
	@$(BIN)/jepa-tutorial run "$(CHAPTER)" --store

# A chapter's cells run in order, so a file stays with one worker.
check: .venv/installed-programs tests/pages/node_modules/.installed pdf ## check that stored outputs are current, rerun a part of them (ALL=1: all); try PDF and JupyterLab
	@mkdir -p $(REPORTS)
	@echo "==> 1 of 3: the book as a PDF, on paper, in JupyterLab, in Notebook and through converters"
	@$(PYTEST) --junit-xml $(REPORTS)/programs.xml tests/programs
	@$(PYTEST) -n 2 -m slow --junit-xml $(REPORTS)/slow.xml tests/pages
	@echo "==> 2 of 3: are the stored outputs current, do the claims hold, and does a row of each study?"
	@$(PYTEST) -n 2 --dist worksteal --junit-xml $(REPORTS)/check.xml tests/check
	@echo "==> 3 of 3: chapters at default parameters against their stored outputs"
	@$(PYTEST) -n 2 --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout 600 \
		--nbval-sanitize-with tests/sanitize.cfg --junit-xml $(REPORTS)/nbval.xml \
		$$($(BIN)/python tools/chapters_to_check.py $(ALL))

study: .venv/installed-book ## run what is missing of the study of CHAPTER (default: all)
	@$(BIN)/jepa-tutorial study "$(CHAPTER)"

verify: .venv/installed-book ## prove by a sample that stale values of CHAPTER (default: all) still hold
	@$(BIN)/jepa-tutorial verify "$(CHAPTER)"

release: .venv/installed-test ## check all that a release needs, and print the commands that tag it
	@$(BIN)/python tools/release.py

format: .venv/installed-test ## format the code
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format .

clean: ## remove what was built: .venv, _build, node_modules
	rm -rf .venv _build tests/pages/node_modules

whole:
	@sh tools/check_venv.sh

.venv/bin/python: | whole
	@python=$$(sh tools/find_python.sh) && \
		echo "==> Making the virtual environment .venv with $$python" && $$python -m venv .venv

.venv/installed-book: .venv/bin/python $(PINS)
	@echo "==> Installing the pinned packages into .venv; this takes some minutes"
	@rm -f .venv/installed-* && $(PIP) --editable '.[book]'
	@sh tools/check_venv.sh count >$@

.venv/installed-test: .venv/bin/python $(PINS)
	@echo "==> Installing the pinned packages and the test tools into .venv; this takes some minutes"
	@rm -f .venv/installed-* && $(PIP) --editable '.[test]'
	@sh tools/check_venv.sh count | tee .venv/installed-book >$@

.venv/installed-programs: .venv/installed-test
	@echo "==> Installing JupyterLab and Notebook beside them"
	@$(PIP) --editable '.[programs]'
	@sh tools/check_venv.sh count >$@

# The explorer must also work with the ipywidgets that Colab has.
.venv/installed-widgets7: .venv/installed-test
	@echo "==> Installing Colab's ipywidgets beside them"
	@$(BIN)/python -m pip --disable-pip-version-check -q install --upgrade --no-deps \
		--target .venv/widgets7 ipywidgets==7.7.1 anywidget==0.9.21 widgetsnbextension==3.6.10 ipython-genutils==0.2.0
	@touch $@

tests/pages/node_modules/.installed: tests/pages/package-lock.json
	@command -v npm >/dev/null || { \
		echo "npm was not found: install Node.js 18 or newer (with npm) for the page tests." >&2; exit 1; }
	@echo "==> Installing the accessibility checkers"
	@cd tests/pages && npm ci --ignore-scripts --silent --no-progress
	@touch $@
