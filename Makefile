# Needs python3 (3.11 or later) and make; everything else is fetched into .venv by hash.
PYTHON ?= python3
RUN := .venv/bin/python
# arguments for the program behind a target: make test ARGS="-k refresh"
ARGS ?=
# more than the number of cores, because many tests spend their time waiting
PYTEST_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 3)

# A minimal environment has no locale; the sources are UTF-8 in any case.
export PYTHONUTF8 := 1
# Images of containers often set it. Then each process that a test starts compiles all its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup dev demo test check bench bench-scale cluster deploy-trial soak format clean pages pin

help: ## show this list
	@echo "make: what there is to make" >&2
	@$(PYTHON) tools/targets.py Makefile

setup: ## install everything that any target needs into .venv
	@echo "make: setting up .venv for every target" >&2
	@$(PYTHON) tools/setup.py all

dev: ## start the server, a demo app and a demo API, with seeded people
	@echo "make: starting Doorward for development" >&2
	@$(PYTHON) tools/setup.py dev
	@exec $(RUN) -m doorward dev $(ARGS)

demo: ## drive the whole flow, step by step, and check each step
	@echo "make: driving the demo" >&2
	@$(PYTHON) tools/setup.py dev
	@exec $(RUN) -m doorward demo $(ARGS)

test: ## run all tests but the soak
	@echo "make: running the tests" >&2
	@$(PYTHON) tools/setup.py test
	@$(RUN) tools/system.py
	@$(RUN) tools/compile_tests.py
	@exec $(RUN) -m pytest -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## format, lint, types, import contracts, repository tests
	@echo "make: checking the sources" >&2
	@$(PYTHON) tools/setup.py check
	@exec $(RUN) tools/check.py

bench: ## measure, against the peers; writes build/bench.json
	@echo "make: measuring" >&2
	@$(PYTHON) tools/setup.py bench
	@exec $(RUN) -m bench $(ARGS)

bench-scale: ## measure with a million people, on both databases; writes build/bench-scale.json
	@echo "make: measuring with a million people" >&2
	@$(PYTHON) tools/setup.py all
	@exec $(RUN) -m bench.scale $(ARGS)

cluster: ## kill machines of a cluster under load; writes build/cluster.json
	@echo "make: running the cluster trial" >&2
	@$(PYTHON) tools/setup.py test
	@$(RUN) tools/system.py
	@exec $(RUN) -m trials.cluster $(ARGS)

deploy-trial: ## boot a machine and run containers with what deploy/ holds (root, Debian)
	@echo "make: running the deployment trial" >&2
	@$(PYTHON) tools/setup.py test
	@$(RUN) tools/system.py
	@exec $(RUN) -m trials.deploy $(ARGS)

soak: ## run the tests that take minutes
	@echo "make: running the soak" >&2
	@$(PYTHON) tools/setup.py test
	@$(RUN) tools/system.py soak
	@exec $(RUN) -m pytest -m soak --timeout 3600 -o faulthandler_timeout=0 $(ARGS)

format: ## format the sources and mend what the linter can mend
	@echo "make: formatting" >&2
	@$(PYTHON) tools/setup.py check
	@$(RUN) -m ruff format --quiet .
	@exec $(RUN) -m ruff check --fix-only --quiet .

pages: ## write the generated pages under docs/ anew
	@echo "make: writing the generated pages" >&2
	@$(PYTHON) tools/setup.py dev
	@$(RUN) -m tools.requirements_page
	@$(RUN) -m tools.retention_page
	@$(RUN) -m tools.endings_page
	@$(RUN) -m tools.architecture_diagram
	@exec $(RUN) -m tools.docs_index

pin: ## resolve and hash the requirement files anew (ARGS=--upgrade for newer versions)
	@echo "make: pinning" >&2
	@$(PYTHON) tools/setup.py dev
	@exec $(RUN) tools/pin.py $(ARGS)

clean: ## remove what the targets wrote, but .venv
	@echo "make: removing build/ and the caches" >&2
	@rm -rf build dist packages/*/dist htmlcov .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	@find packages tests tools bench trials -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
