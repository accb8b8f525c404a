"""The judge shares no code with what it judges."""

from __future__ import annotations

import subprocess
import sys

FORBIDDEN = (
    "ortools",
    "planner.optimise",
    "planner.problem",
    "planner.modes",
    "geodata.adjacency",
    "geodata.contact",
    "folium",
)


def test_the_judge_loads_nothing_of_the_optimiser_or_the_adjacency() -> None:
    code = "import sys, planner.check; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    loaded = done.stdout.split()
    assert "planner.check.judge" in loaded
    assert [m for m in loaded if any(m == f or m.startswith(f + ".") for f in FORBIDDEN)] == []
