# Needs Python 3.11 or newer, make and git; nothing else has to be installed. `make help` lists what there is.

ENVIRONMENT := .venv
RUN := $(ENVIRONMENT)/bin/python
BOOTSTRAP := callcenter/bootstrap.py

# The first Python here that can run this; PYTHON=/path/to/python chooses another.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$each && break; done)

.PHONY: help demo run test audit drill soak core lint types install lock clean
.DEFAULT_GOAL := help

help: ## say what there is
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):[^#]*## /make \1: /p' $(MAKEFILE_LIST)

demo: install ## start everything here and place one spoken practice call; ONCE=1 ends after it, PORT=8001 moves it
	@$(RUN) -m callcenter.processes demo $(if $(ONCE),--once)

run: install ## start everything for real calls, from the settings in the environment or .env
	@$(RUN) -m callcenter.processes run

test: lint types ## check style, types, import contracts and migrations, and run every test
	@$(RUN) -m pytest -n 4 --dist worksteal

audit: install ## look at all that could be wrong with this deployment, known weaknesses of its packages included
	@$(RUN) manage.py audit

drill: install ## break everything a live call needs, one thing at a time, and print what the caller heard
	@$(RUN) -m tests.drill

soak: install ## place a thousand calls while everything breaks, one thing after the other; CALLS=100 places fewer, SEED=7 repeats one, CALM=1 breaks nothing
	@$(RUN) -m tests.soak $(if $(CALLS),--calls $(CALLS)) $(if $(SEED),--seed $(SEED)) $(if $(CALM),--calm)

core: install ## run only the tests of the pure core: seconds, and no services
	@$(RUN) -m pytest --quiet --noconftest -p no:django tests/voiceagent/call

lint: install ## check style and import contracts
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(ENVIRONMENT)/bin/lint-imports

types: install ## check types
	@$(RUN) -m mypy

install: ## create the environment from the lock, if it is not there yet
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11, 3.12 or 3.13, and found $$(python3 --version 2>/dev/null || echo none). \
	Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) $(BOOTSTRAP)

lock: install ## resolve all dependencies anew and write the locks
	@$(RUN) -m uv pip compile pyproject.toml --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --all-extras --output-file requirements.lock
	@echo uv | $(RUN) -m uv pip compile - --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --output-file bootstrap.lock

clean: ## remove the environment and everything this made, the practice database included
	rm -rf $(ENVIRONMENT) var static/collected .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
