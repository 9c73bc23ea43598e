# kprl: `make` or `make help` lists the targets.
#
# Variables of `make setup`:
#   PYTHON           the Python to use, 3.11 or 3.12 (default: the first one found)
#   TORCH            cpu (default) or cuda: which build of torch to install
#   TORCH_INDEX_URL  a wheel index that has this build; by default pip's configured sources are asked first, and for the CPU
#                    build then PyTorch's own index, which the installer uv knows. On Linux PyPI itself has only the CUDA build.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo models test soak lint docs lock audit clean

TORCH ?= cpu
export TORCH TORCH_INDEX_URL

# A distribution's Python packages work only with the system's Python.
candidates := $(if $(ROS_DISTRO),/usr/bin/python3,python3.11 python3.12 python3)
PYTHON ?= $(firstword $(foreach p,$(candidates),$(shell $(p) -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 12) and print("$(p)")' 2>/dev/null)))

help:  ## list the targets
	@echo "kprl: vision-based manipulation from self-supervised keypoints"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@sed -n 's/^#   /  /p' $(MAKEFILE_LIST) | sed '1i\\nVariables of make setup:'

setup:  ## virtual environment, pinned packages, colcon workspace; safe to repeat
	@if [ -z "$(PYTHON)" ]; then \
	  echo "make setup: found no Python 3.11 or 3.12 (looked for: $(candidates)): install one, or name it with PYTHON=/path/to/python3.11" >&2; exit 2; fi
	@"$(PYTHON)" tools/setup/install.py

demo: setup  ## train a policy over ROS topics and evaluate it, at most 20 minutes
	@bash scripts/demo.sh

models: setup  ## train the bundles of models/, about half a day on two cores
	@bash scripts/train_models.sh

lint: setup  ## style (ruff) and types (mypy)
	@. ./setup.bash && ruff check . && mypy

# Tests of real processes and their clocks have the machine to themselves; what only computes runs two at a time. Real
# processes share the machine with whatever else runs: a failure is tried once more, and reported as R.
ALONE := $(addprefix tests/,camera data driver fake_hardware graph inspection ros2_standin workcell)
TOGETHER := $(filter-out tests/__pycache__ $(ALONE),$(patsubst %/,%,$(wildcard tests/*/)))
test: lint  ## everything that CI runs: style, types, tests
	@. ./setup.bash && OMP_NUM_THREADS=1 python -m pytest --reruns 1 -n 2 --dist loadfile $(TOGETHER)
	@. ./setup.bash && python -m pytest --reruns 1 $(ALONE)

soak:  ## random faults against the robot driver for MINUTES (30), from SEED (1) on
	@. ./setup.bash && KPRL_SOAK_MINUTES=$(or $(MINUTES),30) KPRL_SOAK_SEED=$(or $(SEED),1) \
	  python -m pytest -s tests/driver/test_fault_sequences.py

docs: setup  ## the manual as a web site in site/
	@. ./setup.bash && python tools/docs/graph_tables.py --write && mkdocs build --strict

lock:  ## resolve requirements/*.in into the lock files (UPGRADE=1: take new versions)
	@test -x .venv/bin/python || { echo "make lock: run make setup first" >&2; exit 2; }
	@.venv/bin/python tools/setup/lock.py $(if $(UPGRADE),--upgrade)

audit:  ## known weaknesses of the locked packages (pip-audit; needs the network, and says so)
	@test -n "$(PYTHON)" || { echo "make audit: found no Python 3.11 or 3.12: name it with PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" tools/setup/audit.py

clean:  ## remove what set-up and builds made; runs/ stays
	@rm -rf .venv build install log site .mypy_cache .ruff_cache .pytest_cache .hypothesis
