"""Measures the optimiser and its baselines: ``python -m benchmarks.optimise [--quick] [--case NAME ...]``.

Writes ``latest.json`` (one row per case and baseline) and ``latest-meta.json`` (machine, versions, load, traces, notes)
beside this file after every case, then the generated part of ``docs/benchmarks.md`` and its figures. Rows of cases that
are not measured this time stay as they were; when and under which load each was measured stands in the second file.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import platform
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.baselines import GREEDY, MONOLITHIC, PHASE_MIP
from benchmarks.cases import CASES, Case, load, published
from benchmarks.child import PLANNER
from benchmarks.figures import update_page
from benchmarks.measure import measure
from benchmarks.places import HERE, MissingDataError, instances

SOLVER_BASELINES_UP_TO: Final = 1_000
"""Parcels up to which the baselines that are one model are run."""

QUICK_BASELINE_S: Final = 10.0
PUBLISHED: Final = "published"
PACKAGES: Final = ("ortools", "numpy", "scipy", "numba")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; 1 when a plan of ours was worth less or broke more than it said."""
    options = _parser().parse_args(arguments)
    chosen = _chosen(options)
    kept_rows, meta = _earlier(options.out, {c.name for c in chosen})
    rows: list[dict[str, Any]] = []
    wrong = []
    for case in chosen:
        try:
            problem = load(case.name)
        except MissingDataError as missing:
            meta["cases"][case.name] = {"skipped": str(missing)}
            _say(f"{case.name}: skipped, {missing}")
            continue
        seconds = options.seconds or case.seconds
        before = _load()
        ours = measure(case.name, PLANNER, seconds, case.gap, options.seed)
        meta["cases"][case.name] = ours
        _say(f"{case.name}: {_told(ours)}")
        if ours.get("faults") or not _same(ours.get("objective"), ours.get("judged_objective")):
            wrong.append(case.name)
        for baseline, theirs in _baselines(case, problem.n, seconds, options):
            if baseline is not None:
                meta["baselines"].setdefault(case.name, {})[baseline] = theirs
                _say(f"{case.name}, {baseline}: {_told(theirs)}")
            rows.append(_row(case.name, problem.n, len(problem.phases), ours, baseline, theirs))
        ours |= {"measured": _now(), "load_before": before, "load_after": _load()}
        _write(options.out, _in_order([*kept_rows, *rows]), meta)
    if not options.no_docs and rows:
        update_page(_in_order([*kept_rows, *rows]), meta)
    if wrong:
        _say(f"plans that are not what they say: {', '.join(wrong)}")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimise", description="Measure the optimiser.")
    parser.add_argument("--quick", action="store_true", help="cases up to 3 000 parcels, within five minutes")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    parser.add_argument("--seconds", type=float, help="time limit of every case instead of its own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-baselines", action="store_true", help="only the planner")
    parser.add_argument("--no-docs", action="store_true", help="leave docs/ as it is")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of latest.json")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    return parser


def _chosen(options: argparse.Namespace) -> list[Case]:
    if options.list:
        for case in CASES.values():
            _say(f"{case.name:45} {case.kind:10} {case.seconds:5.0f} s{'  quick' if case.quick else ''}")
        return []
    unknown = [n for n in options.case if n not in CASES]
    if unknown:
        sys.exit(f"unknown case: {', '.join(unknown)}; --list names them")
    if options.case:
        return [CASES[n] for n in options.case]
    return [c for c in CASES.values() if c.quick or not options.quick]


def _baselines(
    case: Case, parcels: int, seconds: float, options: argparse.Namespace
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Baselines of a case with their measurements; published figures count as one."""
    known = published(case.name)
    if known is not None:
        yield PUBLISHED, {"objective": known.optimum, "seconds": known.seconds}
    elif case.kind == "brcmwcs":
        yield PUBLISHED, {"objective": None, "seconds": published_seconds(case.name.removeprefix("brcmwcs/"))}
    elif options.no_baselines:
        yield None, {}
    else:
        names = [GREEDY]
        if case.kind == "generated" and parcels <= SOLVER_BASELINES_UP_TO:
            names += [MONOLITHIC, PHASE_MIP]
        for name in names:
            limit = min(seconds, QUICK_BASELINE_S) if options.quick and name != GREEDY else seconds
            yield name, measure(case.name, name, limit, 0.0, options.seed)


def published_seconds(name: str) -> float | None:
    """Seconds of the quickest published formulation of a rooted, balanced instance."""
    with (instances("brcmwcs") / "published_runtimes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["instance"] == name:
                return min(float(value) for key, value in row.items() if key != "instance")
    return None


def _row(
    case: str, parcels: int, phases: int, ours: dict[str, Any], baseline: str | None, theirs: dict[str, Any]
) -> dict[str, Any]:
    return {
        "case": case,
        "parcels": parcels,
        "phases": phases,
        "objective": ours.get("objective"),
        "bound": ours.get("bound"),
        "gap": ours.get("gap"),
        "seconds": _rounded(ours.get("seconds"), 2),
        "peak_mb": _rounded(ours.get("peak_mb"), 0),
        "baseline": baseline,
        "baseline_objective": theirs.get("objective"),
        "baseline_seconds": _rounded(theirs.get("seconds"), 3),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-6 * max(1.0, abs(one))


def _told(measured: dict[str, Any]) -> str:
    if measured.get("error"):
        return str(measured["error"])
    gap = measured.get("gap")
    words = [f"{measured['seconds']:.1f} s", f"{measured.get('peak_mb') or 0:.0f} MB"]
    objective = measured.get("objective")
    words.insert(0, "no plan" if objective is None else f"{objective:,.3f}")
    words += [f"gap {gap:.3%} ({measured['bound_proof']})"] if gap is not None else []
    words += measured.get("faults", [])[:3]
    words += [measured["note"]] if measured.get("note") else []
    return ", ".join(words)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of the cases."""
    place = {name: k for k, name in enumerate(CASES)}
    return sorted(rows, key=lambda row: place[row["case"]])


def _earlier(folder: Path, measured_now: set[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of an earlier run on the same machine and versions that this one does not replace, and their notes."""
    meta = _meta()
    try:
        rows = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
        old = json.loads((folder / "latest-meta.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [], meta
    if any(old[key] != meta[key] for key in ("machine", "versions")):
        return [], meta  # not comparable
    stay = {name for name in old["cases"] if name in CASES and name not in measured_now}
    for key in ("cases", "baselines"):
        meta[key] = {name: value for name, value in old[key].items() if name in stay}
    return [row for row in rows if row["case"] in stay], meta


def _meta() -> dict[str, Any]:
    return {
        "machine": {
            "processors": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        },
        "versions": {name: version(name) for name in PACKAGES},
        "cases": {},
        "baselines": {},
    }


def _load() -> float | None:
    """One-minute load average; None where the system has none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _write(folder: Path, rows: list[dict[str, Any]], meta: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("latest.json", rows), ("latest-meta.json", meta)):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8", newline="\n")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the measurement ends with us
    sys.exit(main())
