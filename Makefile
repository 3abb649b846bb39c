# Every command starts from nothing: each makes what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
FONTS := mobile/fonts/built.json
TEXTS := $(patsubst %.po,%.mo,$(wildcard shared/locale/*/LC_MESSAGES/gridhood.po))

HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?=
SERVER ?= http://$(HOST):$(PORT)

# A browser for the pages, shared libraries of an off-screen window, and the PostgreSQL that stands for "the operator's
# own" in tests.
TEST_PACKAGES := chromium libegl1 libgl1-mesa-dri libmtdev1 postgresql-15

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# `serve` ends by Ctrl-C: make should not call that an error.
.PHONY: setup run phone test check bench openapi texts packages

setup: $(READY) $(FONTS) $(TEXTS)

$(READY): pyproject.toml deploy/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11 to 3.13 is needed: make PYTHON=python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint deploy/constraints.txt --editable '.[backend,phone,dev]'
	touch $(READY)

$(FONTS): $(READY) mobile/core/fonts.py mobile/core/icons.py
	$(BIN)/python -m mobile.core.fonts
	touch $(FONTS)

shared/locale/%.mo: shared/locale/%.po $(READY)
	$(BIN)/python -m deploy.texts compile

run: $(READY) $(TEXTS)
	$(BIN)/gridhood serve --demo --host $(HOST) --port $(PORT) $(if $(DATA),--data $(DATA))

phone: setup
	$(BIN)/gridhood-phone --server $(SERVER)

# As root this installs what is missing; an ordinary user is told what to ask for.
packages:
	@missing=$$(for p in $(TEST_PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || echo $$p; done); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	elif [ -n "$$missing" ]; then echo "Please ask for these packages first: apt-get install $$missing"; exit 1; fi

test: packages setup check
	SDL_VIDEODRIVER=offscreen GRIDHOOD_TEST_DENSITY=1 $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.android.check

bench: packages setup
	$(BIN)/python -m tests.bench $(BENCH)

# Brings the catalogues of texts up to date with the sources.
texts: $(READY)
	$(BIN)/python -m deploy.texts

openapi: $(READY)
	$(BIN)/gridhood openapi openapi/openapi.json
