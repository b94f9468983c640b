# `make help` lists the targets. `demo` and `test` need nothing but root on Debian 12.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
LAB_COMMAND := molecule/lab/lab
# Three at a time, since they wait as long as they compute. The longest come first.
LONGEST := resync failover hostile faults synchronous
SCENARIO ?= $(LONGEST) $(filter-out $(LONGEST),$(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))
LANES ?= 3
PACKAGES = $(shell sed 's/\#.*//' molecule/lab/packages 2>/dev/null) git python3-venv

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MOLECULE_COMMAND_BORDERS := false

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: demo
demo: system venv ## a master under load gets its standby, on hosts made for it
	@molecule/lab/demo

.PHONY: test
test: system venv ## lint, documentation, sanity, unit tests, a simulated life, every scenario
	@printf '%s\n' test-unit lint sanity simulate docs | STEP_BESIDE=1 xargs -P 2 -I{} $(MAKE) {} || \
	  { echo "Something failed before the scenarios."; exit 1; }
	@$(MAKE) molecule

.PHONY: test-unit
test-unit: venv ## tests that need no host
	@tests/step unit pytest -q

# Their bounds are seconds, so this is for a quiet machine; on hosts the scenario synchronous tries the same.
.PHONY: test-servers
test-servers: venv ## the guard and its witnesses on a pair of servers of this machine, which must be quiet
	@tests/step servers pytest -q tests/servers

# SEED= plays others than those of every time, SEED=random ones that nobody has played; STORY=seed tells of one.
SCHEDULES ?= 20000
SEED ?= 1
SIMULATION = PYTHONPATH=collections:tests:tests/unit python -m simulation

.PHONY: simulate
simulate: venv ## a simulated life: make simulate SCHEDULES=20000 SEED=1, or STORY=1234 for one with its story
	@if [[ "$(STORY)" ]]; then $(SIMULATION) --story "$(STORY)"; \
	else tests/step simulate env $(SIMULATION) --schedules "$(SCHEDULES)" --seed "$(SEED)"; fi

.PHONY: lint
lint: venv ## ruff, mypy, yamllint, ansible-lint, changelog
	@failed=0; \
	tests/step ruff ruff check || failed=1; \
	tests/step mypy mypy || failed=1; \
	tests/step yamllint yamllint --strict . || failed=1; \
	tests/step ansible-lint ansible-lint || failed=1; \
	tests/step changelog antsibull-changelog lint || failed=1; \
	exit $$failed

.PHONY: docs
docs: venv ## the documentation as a site: docs/_build/html/index.html
	@tests/step docs docs/build

.PHONY: sanity
sanity: venv ## ansible-test sanity, on a copy
	@tests/step sanity tests/sanity.sh

.PHONY: molecule
molecule: system venv venv-oldest ## every molecule scenario, or make molecule SCENARIO=name
	@[[ -n "$(SCENARIO)" ]] || exit 0; \
	export LAB=molecule; \
	tests/step lab $(LAB_COMMAND) up mdw; \
	$(LAB_COMMAND) down >/dev/null; \
	tests/step archive $(LAB_COMMAND) archive 18; \
	printf '%s\n' $(SCENARIO) | STEP_BESIDE=1 xargs -P $(LANES) -I{} tests/scenario {} || { echo "Some scenario has failed."; exit 1; }

# KILLS=all kills every playbook after each of its tasks in turn. REPLAY is how many schedules of the simulated life are
# played on the hosts as well and compared; or their seeds and names (REPLAY=7,set_back), or REPLAY=stories.
ROUNDS ?= 20
KILLS ?=
REPLAY ?= 3

.PHONY: nemesis
nemesis: system venv ## random faults on real hosts: make nemesis SEED=7 ROUNDS=20, KILLS=all, REPLAY=5
	@$(LAB_COMMAND) up mdw smdw
	@NEMESIS_SEED="$(SEED)" NEMESIS_ROUNDS="$(ROUNDS)" NEMESIS_KILLS="$(KILLS)" NEMESIS_REPLAY="$(REPLAY)" $(LAB_COMMAND) run \
	  pytest -v -s molecule/nemesis/tests --connection ansible --ansible-inventory molecule/failover/inventory
	@$(LAB_COMMAND) down

.PHONY: bench
bench: system venv ## the playbooks against pg_basebackup, pg_ctl promote and repmgr
	@$(LAB_COMMAND) up mdw
	@$(LAB_COMMAND) run tests/bench/bench
	@$(LAB_COMMAND) run tests/bench/failover
	@$(LAB_COMMAND) run tests/bench/resync
	@$(LAB_COMMAND) run tests/bench/waiting
	@$(LAB_COMMAND) down

.PHONY: lab-up
lab-up: system venv ## test hosts mdw, smdw, sdw1, sdw2
	@$(LAB_COMMAND) up

.PHONY: lab-down
lab-down: ## take the test hosts away
	@$(LAB_COMMAND) down

.PHONY: venv
venv: .venv/.installed ## the Python tools of requirements.txt, in .venv

.PHONY: venv-oldest
venv-oldest: .venv-oldest/.installed ## the oldest ansible-core that is supported, in .venv-oldest

.venv-oldest/.installed: requirements-oldest.txt
	@rm -rf .venv-oldest
	@$(PYTHON) -m venv .venv-oldest
	@tests/step venv-oldest .venv-oldest/bin/pip --disable-pip-version-check install --no-compile -r requirements-oldest.txt
	@touch $@

.venv/.installed: requirements.txt
	@rm -rf .venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@$(PYTHON) -m venv .venv
	@tests/step venv .venv/bin/pip --disable-pip-version-check install --no-compile -r requirements.txt
	@touch $@

.PHONY: system
system: ## Debian packages for the test hosts
	@missing=$$(comm -23 <(printf '%s\n' $(PACKAGES) | sort -u) \
	  <(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(PACKAGES) 2>/dev/null | sed -n 's/^installed //p' | sort -u)); \
	[[ -z $$missing ]] && exit 0; \
	if (( EUID )); then echo "As root: apt-get install --no-install-recommends" $$missing; exit 1; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	tests/step packages bash -c "apt-get -qq update && apt-get -qq install -y --no-install-recommends $$(echo $$missing)"

.PHONY: clean
clean: ## remove what the other targets made here
	@rm -rf .venv .venv-oldest .ansible .cache .mypy_cache .pytest_cache .ruff_cache docs/_build docs/reference reports hawq-mirroring-*.tar.gz
