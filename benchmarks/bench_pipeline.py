"""Everything but the solve at 10 000 generated parcels: seconds and peak memory of a whole process.

The solve runs too, because tables, check, map and files need a plan, but its seconds are reported apart. A process of
its own is measured, so that memory is that of a run and not of the test session.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

PROGRAM = """
import json, sys, time
from datetime import date
from pathlib import Path
import psutil
from planner.config_file import load_config
from planner.output import write_run
from planner.pipeline import run

config = load_config(sys.argv[1], None, sys.argv[3:]).config
started = time.perf_counter()
result = run(config)
written = time.perf_counter()
write_run(result, Path(sys.argv[2]), day=date.today())
ended = time.perf_counter()
memory = psutil.Process().memory_info()
if hasattr(memory, "peak_wset"):
    peak = memory.peak_wset
else:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
seconds = result.prepared.seconds
search = seconds["solve"] + seconds["compile"]
print(json.dumps({"other": ended - started - search, "write": ended - written, "peak_mb": peak / 2**20,
                  "gap": result.summary["gap"], **seconds}))
"""


def whole_run(tmp_path: Path, n_parcels: int) -> dict[str, Any]:
    overrides = [
        "parcels.synthetic.case=fabric",
        f"parcels.synthetic.n_parcels={n_parcels}",
        "solve.gap=0.05",
        "solve.time_limit_s=240",
        *(f"optimise.phases.{t}.target_mu={share * n_parcels:g}" for t, share in enumerate((0.03, 0.2, 0.45))),
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(REPOSITORY / "config.yaml"), str(tmp_path / "out"), *overrides],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


@pytest.mark.parametrize("n_parcels", [1_000, 10_000])
def test_everything_but_the_solve(benchmark: Any, tmp_path: Path, n_parcels: int) -> None:
    figures = benchmark.pedantic(whole_run, args=(tmp_path, n_parcels), rounds=1, iterations=1)
    benchmark.extra_info |= {k: round(v, 3) for k, v in figures.items()}
    print("\n", n_parcels, json.dumps(benchmark.extra_info))
    if n_parcels == 10_000:
        assert figures["peak_mb"] < 2_048
        assert figures["other"] < 30
