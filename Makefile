# Crossdock: `make up` runs it, `make test` proves it, `make check` reads it. Needs Python 3.11 and pip.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
TEST_ARGS ?= -n 2 --dist loadgroup
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --python $(RUN) --disable-pip-version-check --no-input
INSTALL := $(PIP) install -qq --no-deps --require-hashes -r

# The static checks ask no server; these addresses let the settings load. The deploy check sees
# what production sees.
NOWHERE := DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0
PRODUCTION := BEHIND_TLS=1 ALLOWED_HOSTS=erp.example CSRF_TRUSTED_ORIGINS=https://erp.example
A_SECRET = SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(64))')

.PHONY: help setup setup-dev up test check lock venv

help:
	@echo "make setup             .venv with what the ERP needs, each file checked against its hash"
	@echo "make up [PORT=8000]    everything on this machine: servers, demo company, web, worker, beat"
	@echo "make test              every test (TEST_ARGS='-n 0 -k name' narrows it)"
	@echo "make check             format, lint, types, imports, migrations, deployment"
	@echo "make lock              write requirements/ anew from pyproject.toml (needs uv)"

venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed.")'
	@$(RUN) -c '' 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV); }

# A lock is installed once: the copy left in .venv says which one was.
setup: venv
	@cmp -s requirements/base.txt $(VENV)/base.txt || { \
	  echo "Installing requirements/base.txt"; \
	  $(INSTALL) requirements/base.txt && cp requirements/base.txt $(VENV)/; }

setup-dev: venv
	@cmp -s requirements/dev.txt $(VENV)/dev.txt || { \
	  echo "Installing requirements/dev.txt"; \
	  $(INSTALL) requirements/dev.txt && cp requirements/dev.txt requirements/base.txt $(VENV)/; }

up: setup
	@exec $(RUN) manage.py up --port $(PORT)

test: setup-dev
	$(RUN) -m pytest $(TEST_ARGS)

check: setup-dev
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(NOWHERE) $(RUN) -m mypy .
	$(VENV)/bin/lint-imports
	$(NOWHERE) $(A_SECRET) PYTHONWARNINGS=ignore $(RUN) manage.py makemigrations --check --dry-run
	$(NOWHERE) $(A_SECRET) $(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING

# No address of any index gets into the locks; both agree on what they share.
COMPILE := uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header \
  --python-version 3.11 --quiet
lock:
	$(COMPILE) -o requirements/base.txt
	$(COMPILE) --group dev -c requirements/base.txt -o requirements/dev.txt
