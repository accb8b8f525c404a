# Two commands: `make plan` plans the bundled sample, `make test` checks everything.
# Windows, or no make: see README.md for the same steps with pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out

.PHONY: plan test lint types layers pytest bench bench-quick bench-stages bench-map offline clean

plan: $(VENV)/.installed
	$(BIN)/planner run config.yaml --out $(OUT)/
	@echo
	@echo "Open $(OUT)/map.html in a browser (it needs no network); read $(OUT)/summary.md and $(OUT)/plan.xlsx; open $(OUT)/plan.qgz in QGIS."

test: $(VENV)/.installed-dev browser postgis desktop lint types layers pytest

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	$(BIN)/python -c "from planner.optimise.warm import main; main()"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

.PHONY: browser
browser:
	sh tests/setup_browser.sh

.PHONY: postgis
postgis:
	sh tests/setup_postgis.sh

# QGIS and LibreOffice, which the slow tests open exports with: only with CI=true or DESKTOP=1.
.PHONY: desktop
desktop:
	sh tests/setup_desktop.sh

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports

# With CI=true the slow-marked tests run too (tests/conftest.py).
pytest: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.optimise

# Rows up to 3 000 parcels, within five minutes.
bench-quick: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.optimise --quick

# Reading, adjacency and the rest of a run, stage by stage.
bench-stages: $(VENV)/.installed-dev
	$(BIN)/python -m pytest benchmarks -o python_files="bench_*.py" -p no:xdist

# Load, redraw and slider of the review map at 1 000, 10 000 and 50 000 parcels.
bench-map: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.map_page

# Folder that installs the planner where there is no network: wheels, run.sh, run.bat. For Windows:
# make offline OFFLINE="--out dist/windows --platform win_amd64 --python 3.12"
OFFLINE ?= --out dist/offline
offline: $(VENV)/.installed-dev
	$(BIN)/python -m tools.offline $(OFFLINE)

clean:
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
