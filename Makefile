# make run    set up, then the main job: the whole workflow on the embedded default data set
# make test   set up, then every test
# make check  linters, types and the quick unit tests: below two minutes
# make docs   set up, then the documentation as a site: results/site/index.html
PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
STAMP := .venv/set-up
# Commands that tools start by name (snakemake starts python3, dvc starts snakemake) come from here.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test check docs setup lock clean

run: setup
	$(BIN)/snakemake --cores all --resources gpu=1

test: setup
	@# The second call runs whole workflows, which the tests of a file share: one process a file.
	@failed=0; \
	$(BIN)/pytest -n auto -m "not end_to_end" || failed=1; \
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile -m end_to_end || failed=1; \
	exit $$failed

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/pytest -n auto --dist loadfile -m "not end_to_end and not slow"

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open results/site/index.html"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "ferclean needs Python 3.11 or newer, but $(PYTHON) is not: name another one, for example \`make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12\`." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	touch $@

# setuptools is what builds the package itself; pinned with the rest, the set-up needs nothing else.
lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: install it, or name it with UV=path/to/uv." >&2; exit 1; }
	printf 'setuptools>=77\n' | $(UV) pip compile --universal --python-version 3.11 --all-extras \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --quiet \
	  --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml -

clean:
	rm -rf .venv .snakemake .ferclean results .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
