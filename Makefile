# Needs GNU make, and Python 3.11 or newer with venv. `make help` lists the targets.

SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
# Some version managers put commands on PATH that only fail, so each candidate runs once.
suitable = $(if $(1),$(shell $(1) -c '$(SUITABLE)' >/dev/null 2>&1 && echo $(1)))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,$(call suitable,$(name))))
MISSING = $(if $(PYTHON),$(PYTHON) is not,There is no) Python 3.11 or newer with venv and pip: \
install one (on Debian: python3 and python3-venv) or pass PYTHON=/path/to/python3

VENV := .venv
RUN := $(VENV)/bin/python
# This shell may have variables of other projects, which would change where pip installs and what
# Python loads and keeps.
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_DRY_RUN PIP_REQUIRE_VIRTUALENV
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONOPTIMIZE PYTHONWARNINGS
unexport PYTHONPLATLIBDIR PYTHONUSERBASE PYTHONDONTWRITEBYTECODE DJANGO_SETTINGS_MODULE
PIP_INSTALL := $(RUN) -m pip install --no-user -qq --disable-pip-version-check --no-input
# Each file is newer than its requirements once they are installed. The first is absent during an
# installation, so that an interrupted one starts again from nothing.
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
EXAMPLES := examples/better-auth/node_modules examples/offline/node_modules
intact := $(shell test -e $(READY) && test -x $(RUN) && echo yes)

# Settings as in production, and none of a developer's .env.
lint: export ENV_FILE :=
lint: export DJANGO_SECRET_KEY := an example that is long enough for what the checks ask of it
lint: export DJANGO_ALLOWED_HOSTS := todos.example.com
lint: export BETTER_AUTH_URL := https://app.example.com
lint: export DATABASE_URL := sqlite://:memory:

.DEFAULT_GOAL := help
.PHONY: help install run example test lint openapi screenshots serve bench lock clean always

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 13

install: $(READY_DEV) ## install everything into .venv (every other target does this as needed)

run: $(READY) ## configure, migrate and start the development server (HOST=127.0.0.1 PORT=8000)
	@$(RUN) -m server.demo

example: $(EXAMPLES) $(READY) ## start a page that works offline, its issuer and its API (PAGE_PORT=5173)
	@node examples/offline/start.mjs $(abspath $(RUN))

test: $(READY_DEV) ## run the tests (ARGS="todos -k title --failfast")
	@$(RUN) manage.py test $(ARGS)

lint: $(READY_DEV) ## check format, style, types, imports, migrations and production settings
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy .
	@$(RUN) $(VENV)/bin/lint-imports --no-logo
	@$(RUN) manage.py makemigrations --check --dry-run
	@$(RUN) manage.py check --deploy --fail-level WARNING

openapi: export PUBLIC_URL :=
openapi: $(READY) ## write openapi.json, which a test compares to the code
	@$(RUN) manage.py spectacular --skip-checks --format openapi-json --file openapi.json

screenshots: $(EXAMPLES) $(READY_DEV) ## take docs/screenshots/ with the Chromium of this machine
	@$(RUN) -m tests.browser.screenshots

serve: $(READY) ## start the production server, without migrating (HOST=127.0.0.1 PORT=8000)
	@$(RUN) -m server

bench: $(READY) ## measure speed, see benchmarks/README.md (ARGS="peers --rounds 3", ARGS=ablation)
	@$(RUN) -m benchmarks $(ARGS)

lock: $(READY) ## compile the requirements files (ARGS=--upgrade for newer versions)
	@command -v uv >/dev/null || test -x $(VENV)/bin/uv || $(PIP_INSTALL) uv
	@PATH="$$PATH:$(VENV)/bin"; for name in requirements requirements-dev benchmarks/requirements; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-annotate $(ARGS) -o $$name.txt $$name.in || exit; \
	done

clean: ## remove .venv and every cache, but not .env and the database
	rm -rf $(VENV) .venv-bench benchmarks/node_modules $(EXAMPLES) examples/offline/dist tests/contract/generated/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path '*/node_modules/*' -prune -exec rm -rf {} +

$(EXAMPLES): %/node_modules: %/package-lock.json
	@$(if $(shell command -v npm),,$(error There is no npm: install Node 20.19 or newer))
	@echo "Installing $< ..."
	@cd $* && npm ci --silent
	@touch $@

$(READY): requirements.txt $(if $(intact),,always)
	@echo "Installing $< into $(VENV) ..."
	$(if $(intact),,@$(or $(call suitable,$(PYTHON)),$(error $(MISSING))) -m venv --clear $(VENV))
	@rm -f $@
	@$(PIP_INSTALL) -r $<
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	@echo "Installing $< into $(VENV) ..."
	@rm -f $(READY)
	@$(PIP_INSTALL) -r $<
	@touch $(READY) $@
