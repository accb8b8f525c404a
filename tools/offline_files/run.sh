#!/bin/sh
# Starts the planner from this folder; the first start installs it here, without a network.
#   ./run.sh init --sample my-sample
#   ./run.sh run my-sample/config.yaml --out plan
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
if [ ! -x "$here/env/bin/planner" ]; then
  python=${PYTHON:-python{PYTHON}}
  command -v "$python" >/dev/null 2>&1 || python=python3
  found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
  if [ "$found" != "{PYTHON}" ]; then
    echo "Python {PYTHON} is needed, found $found. Install it, or name it: PYTHON=/path/to/python{PYTHON} ./run.sh" >&2
    exit 2
  fi
  echo "Installing into $here/env (once, without a network) ..." >&2
  rm -rf "$here/env"
  trap 'rm -rf "$here/env"' EXIT
  "$python" -m venv "$here/env"
  "$here/env/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" \
    --constraint "$here/constraints.txt" land-consolidation-planner
  echo "Compiling the search (once, about a minute) ..." >&2
  "$here/env/bin/python" -c "from planner.optimise.warm import main; main()"
  trap - EXIT
fi
exec "$here/env/bin/planner" "$@"
