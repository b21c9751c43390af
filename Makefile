# fathom: see `make help`.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
FATHOM := .build/release/fathom
RANKS ?= 2
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1

.PHONY: help demo test test-faults test-slurm test-hosts validate lint format build setup bench install clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready  ## Install what is missing: system packages, and a Python environment in .venv

$(VENV)/.ready: analysis/requirements.txt tools/setup.sh
	@bash tools/setup.sh

build: setup  ## Build the program (release)
	swift build -c release --product fathom

demo: build  ## Run the main job on 2 ranks, print the verdict, draw the figure
	mpirun --oversubscribe -n $(RANKS) $(FATHOM) run jobs/neural-covariance.toml
	$(PYTHON) analysis/figure.py neural-covariance.h5 neural-covariance.png

test: setup  ## Every test, statistical suites in a reduced size
	swift build -c release --build-tests
	swift test -c release --skip-build
	$(PYTHON) -m pytest -q analysis

validate: setup  ## The statistical suites at full size
	swift build -c release --build-tests
	FATHOM_VALIDATE=1 swift test -c release --skip-build --filter ModelTests
	bash tools/validate.sh

test-faults: setup  ## Every fault at every place: truncations, bit flips, full disks, kills (long)
	swift build -c release --build-tests
	FATHOM_FAULTS=full swift test -c release --skip-build --filter FaultTests

test-slurm: build  ## jobs/slurm.sh under a real Slurm on this host (root; installs slurm-wlm; about two minutes)
	bash tools/test-slurm.sh

test-hosts: build  ## Two and three hosts made of network namespaces, one of them lost (root; about three minutes)
	bash tools/test-hosts.sh

lint: setup  ## Formatting and style of Swift, Python and shell
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	$(VENV)/bin/ruff check analysis Benchmarks
	$(VENV)/bin/ruff format --check analysis Benchmarks
	@bash tools/check-style.sh

format: setup  ## Rewrite the sources in the house format
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks
	$(VENV)/bin/ruff format analysis Benchmarks

bench: setup  ## Speed against named peers; writes Benchmarks/RESULTS.md and PARTICLES.md (about 10 minutes)
	bash Benchmarks/run.sh

PREFIX ?= /usr/local

install: build  ## Program, man pages and shell completions under PREFIX (default /usr/local)
	@bash tools/install.sh "$(PREFIX)"

clean:  ## Remove what was built
	rm -rf .build .build-* $(VENV)
