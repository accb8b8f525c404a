"""Time and memory of each stage from file to neighbours, by size: ``python -m benchmarks.geodata_scale``.

Every size is made and measured in processes of its own. Results go to ``benchmarks/geodata-latest.json``; rows of other
sizes stay there. The tables on the page docs/geodata.md are made from it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy
import pyogrio
import shapely

from benchmarks.figures import between_markers
from benchmarks.geodata_stages import VENETO
from benchmarks.places import HERE, REPOSITORY, MissingDataError, real_data

LATEST: Final = HERE / "geodata-latest.json"
PAGE: Final = REPOSITORY / "docs" / "geodata.md"
BEGIN: Final = "<!-- made by benchmarks/geodata_scale.py: begin -->"
END: Final = "<!-- made by benchmarks/geodata_scale.py: end -->"
SIZES: Final = (1_000, 10_000, 100_000)
LIMIT_S: Final = 1_800.0
"""Longest that one size may take."""

Measured = Mapping[str, Any]


def measure(case: str, limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Stages of one size, or of the Veneto; those until then, and ``error``, where it failed or did not end."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        commands = [["run", case, folder, str(result)]]
        if case != VENETO:
            commands.insert(0, ["make", case, folder])
        error = None
        for arguments in commands:
            command = [sys.executable, "-m", "benchmarks.geodata_stages", *arguments]
            try:
                subprocess.run(
                    command, cwd=REPOSITORY, env=os.environ | {"PYTHONUTF8": "1"}, check=True, timeout=limit_s
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as stopped:
                error = f"{arguments[0]}: {type(stopped).__name__}"
                break
        read: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
        return read | _when() | ({} if error is None else {"error": error})


def _when() -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    return {
        "measured": f"{now:%Y-%m-%d %H:%M} UTC",
        "load_after": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def _machine() -> dict[str, Any]:
    return {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {
            "geopandas": geopandas.__version__,
            "numpy": numpy.__version__,
            "shapely": shapely.__version__,
            "GEOS": shapely.geos_version_string,
            "GDAL": ".".join(str(part) for part in pyogrio.__gdal_version__),
        },
    }


def report(results: Mapping[str, Any]) -> str:
    """The generated part of the page."""
    machine, cases = results["machine"], results["cases"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    generated = sorted((name for name in cases if name != VENETO), key=int)
    parts = [f"On {machine['processors']} processors ({machine['system']}); {versions}.", ""]
    parts += ["### Generated fabric", "", *_table({f"{int(n):,}": cases[n] for n in generated}), ""]
    if VENETO in cases:
        parts += ["### Veneto", "", *_table({f"{cases[VENETO].get('parcels', 0):,}": cases[VENETO]}), ""]
    return "\n".join(parts)


def _table(cases: Mapping[str, Measured]) -> list[str]:
    """Stages down, sizes across: processor seconds and MB."""
    sizes = list(cases)
    lines = [
        f"| stage | {' | '.join(f'{size} parcels, s | MB' for size in sizes)} |",
        f"|---|{'--:|--:|' * len(sizes)}",
    ]
    by_size = {size: {s["stage"]: s for s in case.get("stages", ())} for size, case in cases.items()}
    for stage in dict.fromkeys(stage for stages in by_size.values() for stage in stages):
        cells = [_figures(by_size[size].get(stage)) for size in sizes]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    totals = [_total(list(by_size[size].values())) for size in sizes]
    lines.append(f"| **all** | {' | '.join(totals)} |")
    lines.append("")
    lines += [f"- {size} parcels: {_about(case)}." for size, case in cases.items()]
    return lines


def _figures(stage: Measured | None) -> str:
    return "– | –" if stage is None else f"{stage['cpu_s']:,.2f} | {stage['peak_mb']:,.0f}"


def _total(stages: Sequence[Measured]) -> str:
    if not stages:
        return "– | –"
    return f"{sum(s['cpu_s'] for s in stages):,.1f} | {max(s['peak_mb'] for s in stages):,.0f}"


def _about(case: Measured) -> str:
    if "error" in case:
        done = ", ".join(stage["stage"] for stage in case.get("stages", ())) or "nothing"
        return f"stopped ({case['error']}) after {done}, {case['measured']}"
    load = "" if case["load_after"] is None else f", load average {case['load_before']:.1f} → {case['load_after']:.1f}"
    seconds = sum(stage["seconds"] for stage in case["stages"])
    found = f"{case['pairs']:,} adjacent pairs, {case['links']:,} links"
    return f"{found}, {seconds:,.1f} s by the clock, measured {case['measured']}{load}"


def main() -> None:
    """Measure, write the results, and the page."""
    parser = argparse.ArgumentParser(description="Time and memory of the stages from file to neighbours.")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="numbers of generated parcels")
    parser.add_argument("--no-veneto", action="store_true", help="leave out the real land-use patches")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="longest that one size may take, s")
    parser.add_argument("--out", type=Path, default=LATEST, help="results; the page is written only with the default")
    options = parser.parse_args()
    cases = [str(size) for size in options.sizes] + ([] if options.no_veneto else [VENETO])
    results = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {"cases": {}}
    for case in cases:
        if case == VENETO:
            try:
                real_data("veneto/veneto_PD_56559.parquet")
            except MissingDataError as error:
                print(f"{case}: {error}")
                continue
        print(f"{case}:", flush=True)
        results["cases"][case] = measure(case, options.limit)
        results["machine"] = _machine()
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8", newline="\n")
    if options.out == LATEST and results["cases"]:
        text = between_markers(PAGE.read_text(encoding="utf-8"), report(results), BEGIN, END)
        PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
