# fathom: see `make help`.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
FATHOM := .build/release/fathom
RANKS ?= 2
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1

.PHONY: help demo test built-tests test-faults test-slurm test-hosts test-mixed test-mpich test-deb deb wheel sanitize validate calibrate goldens lint format build setup bench scaling gallery atlas docs install clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready-test  ## Install what is missing for everything: system packages, and a Python environment in .venv

# Each target installs what it needs itself, and no more: tools/setup.sh lists the groups.
.build/.ready-build: tools/setup.sh
	@bash tools/setup.sh build

$(VENV)/.ready-%: analysis/pyproject.toml analysis/setup.py VERSION tools/setup.sh
	@bash tools/setup.sh $*

build: .build/.ready-build  ## Build the program (release)
	swift build -c release --product fathom

demo: build $(VENV)/.ready-report  ## Run the main job on 2 ranks, print the verdict, make the report
	mpirun --oversubscribe -n $(RANKS) $(FATHOM) run jobs/neural-covariance.toml
	@$(VENV)/bin/fathom-report neural-covariance.h5
	@echo "open neural-covariance.html in a browser"
	@echo "to call the program by its name: export PATH=\$$PWD/.build/release:\$$PWD/.venv/bin:\$$PATH, or make install"

# The Python environment is made while the compiler runs.
test: .build/.ready-build  ## Every test, statistical suites and faults in a reduced size; ends with the times of its parts and the slowest tests
	bash tools/timed.sh build $(MAKE) --no-print-directory -j2 built-tests setup
	bash tools/timed.sh tests bash tools/test-lanes.sh
	@bash tools/timed.sh --report

built-tests:
	swift build -c release --build-tests

goldens: build $(VENV)/.ready-report  ## Every golden digest through the program: the native build and one for x86-64-v3 (about five minutes)
	$(PYTHON) tools/goldens.py check $(FATHOM)
	$(MAKE) --no-print-directory built-x86-64-v3
	$(PYTHON) tools/goldens.py check $(V3)

# The builds of the Debian package; that of x86-64-v3 also stands for "another instruction set" elsewhere.
V3 := .build-x86-64-v3-static/release/fathom

built-x86-64-v%:
	FATHOM_MARCH=x86-64-v$* swift build -c release --product fathom --static-swift-stdlib --scratch-path .build-x86-64-v$*-static

test-mixed: build built-x86-64-v3  ## One run, a rank of the native build and one of x86-64-v3: every golden digest (about three minutes)
	$(VENV)/bin/python tools/goldens.py check $(FATHOM) --beside $(V3)

test-mpich: .build/.ready-build  ## The program built with MPICH: its tests, every golden digest on 1, 2 and 3 ranks (about fifteen minutes)
	swift build -c release --product fathom
	swift build -c release --build-tests
	bash tools/test-mpich.sh

deb: .build/.ready-build built-x86-64-v3 built-x86-64-v4  ## A Debian package in .build-deb, with a build for AVX2 and one for AVX-512
	FATHOM_DEB_BUILT=1 bash tools/deb.sh

wheel:  ## The Python package in .build-wheel: wheel and source distribution
	@bash tools/wheel.sh

test-deb: deb wheel  ## Both packages in a clean Debian: installed, run, removed (root; about three minutes after the builds)
	bash tools/test-deb.sh

validate: .build/.ready-build $(VENV)/.ready-report  ## The statistical suites and every job at full size; writes docs/validation.md (hours; rerun to resume the jobs)
	swift build -c release --build-tests
	FATHOM_VALIDATE=1 swift test -c release --skip-build --filter '^(ModelTests|ParticlesTests|FilterTests)\.|OrderErrorTests|MixingTests'
	bash tools/validate.sh
	$(PYTHON) analysis/atlas.py --full

SEEDS ?= 300

calibrate: .build/.ready-build $(VENV)/.ready-report  ## False alarms and power of every kind of verdict; writes docs/calibration.md (about 3 minutes; rerun to resume)
	swift build -c release --product fathom-calibrate
	$(PYTHON) analysis/calibration.py $(SEEDS)

# Rows that the tests write for docs/reliability.md.
ROWS := $(CURDIR)/.build/faults

test-faults: setup  ## Every fault at every place: system calls, truncations, bit flips, full disks, kills (about an hour)
	swift build -c release --build-tests
	FATHOM_FAULTS=full FATHOM_FAULT_ROWS=$(ROWS) swift test -c release --skip-build --filter FaultTests
	@bash tools/reliability.sh $(ROWS)

test-slurm: build setup  ## jobs/slurm.sh under a real Slurm on this host (root; installs slurm-wlm; about two minutes)
	FATHOM_FAULT_ROWS=$(ROWS) bash tools/test-slurm.sh
	@bash tools/reliability.sh $(ROWS)

test-hosts: build setup  ## Two and three hosts made of network namespaces, one of them lost (root; about three minutes)
	FATHOM_FAULT_ROWS=$(ROWS) bash tools/test-hosts.sh
	@bash tools/reliability.sh $(ROWS)

sanitize: setup  ## AddressSanitizer over the catalog: every golden job, every limit with every observable (builds into .build-asan)
	bash tools/sanitize.sh

lint: $(VENV)/.ready-lint  ## Formatting and style of Swift, Python and shell
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	$(VENV)/bin/ruff check analysis Benchmarks
	$(VENV)/bin/ruff format --check analysis Benchmarks
	cd analysis && ../$(VENV)/bin/mypy --no-error-summary
	@bash tools/check-style.sh

format: $(VENV)/.ready-lint  ## Rewrite the sources in the house format
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks
	$(VENV)/bin/ruff format analysis Benchmarks

bench: $(VENV)/.ready-bench  ## Speed against named peers; writes Benchmarks/RESULTS.md, PARTICLES.md, MANIFOLDS.md and PROGRAM.md (about 30 minutes)
	bash Benchmarks/run.sh

scaling: build $(VENV)/.ready-scaling  ## The model of the run time and SimGrid's replay; writes docs/scaling.md (about 20 minutes)
	$(PYTHON) Benchmarks/scaling.py

gallery: build $(VENV)/.ready-report  ## The papers' figures from their jobs; writes docs/gallery.md (about 10 minutes)
	$(PYTHON) analysis/gallery.py

atlas: build $(VENV)/.ready-report  ## A page a paper: claim, tests, what came out; writes docs/atlas (about five minutes; rerun to resume)
	$(PYTHON) analysis/atlas.py

docs: build $(VENV)/.ready-docs  ## The site: tutorial, reference, a page for every line of the catalog, the atlas, DocC; writes .build/site
	$(PYTHON) analysis/make_site.py

PREFIX ?= /usr/local

install: build  ## Program, man pages and shell completions under PREFIX (default /usr/local)
	@bash tools/install.sh "$(PREFIX)"

clean:  ## Remove what was built
	rm -rf .build .build-* $(VENV)
