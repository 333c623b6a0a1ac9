# Everything works from a fresh clone with python3 (3.11 to 3.13), node and git.
#
#   make demo    build the demo workspace, run the first notebook, print its answers
#   make lab     JupyterLab on notebooks/ with that workspace
#   make test    check + all tests but the slow ones
#   make check   lint, formats, types, layers      make fix    what can be fixed alone
#   make slow    statistical and attack suites     make bench  speed and accuracy
#   make bench-peers  accuracy and speed beside other libraries, in environments of their own
#   make golden  README's help and picture anew      make clean  back to a fresh clone

SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
Q := .ci/quietly
SRC := privlab tests benchmarks
ROOT_FLAG := $(shell test "$$(id -u)" -ne 0 || echo --allow-root)
DEMO := PRIVLAB_WORKSPACE=$(CURDIR)/.demo/workspace

# .venv/bin first, so that jlpm, jupyter and the kernels are this project's.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup demo lab test check slow bench bench-peers fix golden clean
.DELETE_ON_ERROR:

setup: .stamps/python .stamps/panel .stamps/chromium

.stamps/python: pyproject.toml package.json
	@test -n "$(PYTHON)" || { echo "python 3.11, 3.12 or 3.13 is needed" >&2; exit 1; }
	@test -x $(BIN)/python || $(Q) "python environment" $(PYTHON) -m venv .venv
	@rm -f privlab/labextension/install.json
	@SKIP_JUPYTER_BUILDER=1 $(Q) "python packages" $(BIN)/python -m pip install -e ".[curator,lab,test]"
	@rm -f privlab/labextension/install.json  # put there through jupyter's link; no wheel may hold it twice
	@mkdir -p .stamps && touch $@

.stamps/node: package.json yarn.lock .yarnrc.yml | .stamps/python
	@$(Q) "node packages" $(BIN)/jlpm install --immutable
	@touch $@

.stamps/panel: .stamps/node $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null)
	@$(Q) "panel" $(BIN)/jlpm build:prod
	@$(Q) "panel into jupyter" $(BIN)/jupyter-builder develop --overwrite .
	@touch $@

.stamps/chromium:
	@$(Q) "chromium" .ci/chromium
	@mkdir -p .stamps && touch $@

demo: .stamps/python
	@$(DEMO) $(BIN)/privlab demo build
	@$(DEMO) $(BIN)/privlab demo run notebooks/01_first_query.ipynb

lab: .stamps/python .stamps/panel
	@$(DEMO) $(BIN)/privlab demo build
	@$(DEMO) $(BIN)/jupyter lab notebooks $(ROOT_FLAG) $(LAB)

test: check .stamps/chromium
	@$(Q) "panel tests (jest)" $(BIN)/jlpm test
	@$(BIN)/pytest -m "not slow" $(T)

check: .stamps/python .stamps/panel
	@$(Q) "ruff check" $(BIN)/ruff check $(SRC)
	@$(Q) "ruff format" $(BIN)/ruff format --check $(SRC)
	@$(Q) "mypy" $(BIN)/mypy
	@$(Q) "layers" $(BIN)/lint-imports
	@$(Q) "eslint, prettier" $(BIN)/jlpm lint:check
	@$(Q) "tsc" $(BIN)/jlpm tsc -p labextension --noEmit

slow: .stamps/python .stamps/panel .stamps/chromium
	@$(BIN)/pytest -m slow $(T)

bench: .stamps/python
	@$(DEMO) $(BIN)/privlab demo build
	@for file in benchmarks/*.py; do echo "$$file" && $(BIN)/python "$$file" || exit 1; done

bench-peers: .stamps/python
	@$(BIN)/python benchmarks/accuracy.py --install --slow-peers
	@$(BIN)/python benchmarks/groupby.py --install --slow-peers

fix: .stamps/python .stamps/node
	@$(BIN)/ruff check --fix-only --quiet $(SRC) && $(BIN)/ruff format --quiet $(SRC)
	@$(BIN)/jlpm lint >/dev/null

golden: .stamps/python .stamps/panel .stamps/chromium
	@PRIVLAB_GOLDEN=1 $(BIN)/pytest -q tests/test_repo.py tests/ui/test_picture.py

clean:
	@-test ! -x $(BIN)/privlab || $(DEMO) $(BIN)/privlab curator stop
	rm -rf .venv .stamps .demo .bench .peers node_modules .yarn labextension/lib privlab/labextension privlab/_version.py
