# `make` lists the targets. Needs Python 3.11+ and make; everything else goes into .venv.
# Where there is no make: python lab.py

.DEFAULT_GOAL := help
BIN := .venv/bin
PY := $(BIN)/python

# The first Python that is new enough; names may exist and not run, so each is tried.
FIND_PYTHON := for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
PYTHON ?= $(shell $(FIND_PYTHON))

NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb solutions/*.ipynb))
TARGETS ?= win_amd64 win_arm64 macosx_x86_64 macosx_arm64 linux_x86_64 linux_aarch64

# Tests and notebooks take the short durations; a learner in Lab gets the full ones.
test test-all test-quick test-pythons notebooks claims: export BPDEMO_PROFILE ?= short

# What a change breaks first, with no process, no server and no socket: pure rules, virtual time.
QUICK = tests/core tests/flow tests/picture tests/plan $(wildcard tests/protect) tests/results tests/service \
	tests/sim tests/support tests/test_documents.py tests/test_notebooks.py
QUICKLY = pytest -q -n 2 --dist worksteal -p tests.support.in_process \
	-m "not load and not browser and not slow and not process" $(QUICK)

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- for everyone

.PHONY: lab
lab: need-python  ## set up, and open the workshop in JupyterLab
	@"$(PYTHON)" lab.py

.PHONY: demo
demo: setup  ## the whole story in the terminal, with a verdict and an HTML report
	@$(PY) -m bpdemo demo $(ARGS)

.PHONY: run
run: setup  ## run the service alone (ARGS="--port 8080" and the like)
	@$(PY) -m bpdemo serve $(ARGS)

# What the workshop needs, and no more.
.PHONY: setup
setup: need-python
	@"$(PYTHON)" lab.py --setup-only

.PHONY: install
install: need-python  ## make or refresh .venv, with the tools of the tests and checks
	@"$(PYTHON)" lab.py --dev

.PHONY: need-python
need-python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found (tried python3, python3.13," \
	"python3.12, python3.11). Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 2; }

# --- for developers

.PHONY: test
test: install  ## all that a change can break, in about a quarter of an hour on two cores (ARGS="tests/flow")
	@$(PY) scripts/suite.py $(ARGS)

.PHONY: test-all
test-all: export BPDEMO_LESSONS ?= all
test-all: export BPDEMO_EXAMPLES ?= all
test-all: test  ## the same, then the long loads, every lesson in the browser, the notebooks
	@$(PY) scripts/suite.py --long $(ARGS)

# A property is tried on fewer examples while somebody waits: tests/support/examples.py.
test-quick test-pythons: export BPDEMO_EXAMPLES ?= few

.PHONY: test-quick
test-quick: install  ## in a minute, while writing: no process, no server
	@$(PY) -m $(QUICKLY) $(ARGS)

.PHONY: test-pythons
test-pythons: install  ## test-quick on the other Pythons that this machine has
	@$(PY) scripts/other_pythons.py $(QUICKLY) $(ARGS)

.PHONY: planted
planted: install  ## plant a fault in each of 35 modules, in a copy; the tests must catch each
	@$(PY) scripts/planted.py $(ARGS)

.PHONY: notebooks
notebooks: install  ## run every notebook and hold it to its claims
	@$(PY) scripts/run_notebooks.py $(NOTEBOOKS)

.PHONY: check
check: install  ## lint, format, types, import rules, prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(PY) scripts/prose.py

.PHONY: audit
audit: need-python  ## known vulnerabilities in what the workshop pins (needs the network)
	@"$(PYTHON)" scripts/audit.py $(ARGS)

.PHONY: claims
claims: install  ## play every claim of the lessons five times (ARGS="--times 20 02")
	@$(PY) scripts/claims.py $(ARGS)

.PHONY: exercises
exercises: install  ## make exercises/ from solutions/
	@$(PY) scripts/make_exercises.py $(ARGS)

.PHONY: course
course: install  ## make the tables of README and instructor's page, and the misconceptions
	@$(PY) scripts/course_pages.py $(ARGS)

.PHONY: metrics-page
metrics-page: install  ## make docs/metrics.md from the registry
	@$(PY) scripts/metrics_page.py $(ARGS)

.PHONY: soak
soak: install  ## ten minutes of overload and seeded faults (ARGS="--minutes 2 --seed 7")
	@$(PY) -m tests.faults.soak $(ARGS)

.PHONY: vopr
vopr: install  ## the service in random worlds of virtual time (ARGS="--hours 100", "--seed 7 --shrink")
	@$(PY) -m tests.vopr $(ARGS)

.PHONY: pictures
pictures: install  ## draw the pictures of the README, from real runs but one (ARGS="notebooks/01_*.ipynb")
	@$(PY) scripts/moving_picture.py
	@$(PY) scripts/pictures.py $(ARGS)

.PHONY: bench
bench: need-python  ## measure beside peers, theory and the limit, in 45 minutes (ARGS="parts")
	@"$(PYTHON)" benchmarks/environment.py $(ARGS)
	@.venv-bench/bin/python -m benchmarks $(ARGS)

.PHONY: bench-full
bench-full:  ## the same with longer loads and more rounds
	@$(MAKE) --no-print-directory bench ARGS="--size full $(ARGS)"

.PHONY: playground
playground: install  ## build the page that runs the simulation in a browser; needs node (ARGS="--serve")
	@$(PY) scripts/playground.py $(ARGS)

.PHONY: site
site: install  ## run every lesson and build the site from them (ARGS="--profile short", "--fresh")
	@$(PY) scripts/website.py $(ARGS)

.PHONY: wheelhouse
wheelhouse: setup  ## fetch wheels for rooms without a network (TARGETS="win_amd64 macosx_arm64")
	@$(PY) scripts/wheelhouse.py $(TARGETS)

.PHONY: bare-machine
bare-machine: setup  ## what README says under Start, in a bare Debian; needs root and debootstrap
	@$(PY) scripts/bare_machine.py $(ARGS)

.PHONY: image
image: setup  ## build the images without an engine, and start them; needs root, buildah, debootstrap
	@$(PY) scripts/image.py $(ARGS)

.PHONY: clean
clean:  ## remove what was generated; my-work/ and wheelhouse/ stay
	rm -rf .venv .venv-bench .venv-audit .venv-3.* build dist reports htmlcov .coverage .hypothesis \
	.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name .ipynb_checkpoints -prune \
	-exec rm -rf {} +

# --- in containers

# Written once, and read by docker compose; never in the repository.
.env: | need-python
	@umask 077; for name in POSTGRES_PASSWORD BPDEMO_ADMIN_TOKEN \
	GRAFANA_PASSWORD JUPYTER_TOKEN; do \
	echo "$$name=$$("$(PYTHON)" -c 'import secrets; print(secrets.token_hex(24))')"; done > .env
	@echo "Wrote .env, with a secret for each part."

.PHONY: need-docker
need-docker:
	@docker compose version >/dev/null 2>&1 || { echo "This needs Docker with its compose plugin:" \
	"https://docs.docker.com/engine/install. Without it: make lab, make run." >&2; exit 2; }

.PHONY: docker-build
docker-build: need-docker .env  ## build the image
	docker compose build

.PHONY: docker-up
docker-up: need-docker .env  ## service, Postgres, Prometheus, Grafana and the rest in containers
	docker compose up --detach --build
	@echo "box office http://127.0.0.1:8000   dashboard http://127.0.0.1:3000"
	@echo "traces http://127.0.0.1:16686      load http://127.0.0.1:8089"
	@echo "JupyterLab http://127.0.0.1:8888/lab?token=$$(sed -n 's/^JUPYTER_TOKEN=//p' .env)"
	@echo "To stop: docker compose down (with --volumes the orders go too)"
