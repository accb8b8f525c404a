"""Tables and figures of a benchmark run, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.places import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "benchmarks.md"
IMAGES: Final = REPOSITORY / "docs" / "images"
BEGIN: Final = "<!-- made by benchmarks/optimise.py: begin -->"
END: Final = "<!-- made by benchmarks/optimise.py: end -->"

Row = Mapping[str, Any]


def number(value: float | None, form: str = ",.1f", missing: str = "–") -> str:
    """A figure for people; `missing` where there is none."""
    return missing if value is None else format(value, form)


def improvement(row: Row) -> float | None:
    """(objective − baseline) / |baseline|."""
    ours, theirs = row["objective"], row["baseline_objective"]
    return None if ours is None or not theirs else (ours - theirs) / abs(theirs)


def planning_table(rows: Iterable[Row], meta: Mapping[str, Any]) -> list[str]:
    """Cases with baselines run beside them."""
    lines = [
        "| case | parcels | phases | gap | s | MB | load | baseline | over it | its s |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|--:|",
    ]
    seen = set()
    for row in rows:
        own = ["", "", "", "", "", "", ""]
        if row["case"] not in seen:
            own = [row["case"], number(row["parcels"], ",d"), str(row["phases"])]
            own += [number(row["gap"], ".2%"), number(row["seconds"]), number(row["peak_mb"], ",.0f")]
            own += [_load_of(meta, row["case"])]
        seen.add(row["case"])
        lacking = "no plan" if row["baseline"] and row["baseline_objective"] is None else "–"
        compared = number(improvement(row), "+.1%", lacking)
        lines.append(
            f"| {' | '.join(own)} | {row['baseline'] or '–'} | {compared} | {number(row['baseline_seconds'])} |"
        )
    return lines


def _load_of(meta: Mapping[str, Any], case: str) -> str:
    """Load average of the machine after our solve, which itself brings it near 2."""
    return number(meta["cases"].get(case, {}).get("load_after"))


def published_table(rows: Iterable[Row], meta: Mapping[str, Any]) -> list[str]:
    """Instances from elsewhere against published figures."""
    lines = [
        "| instance | nodes | published | ours | bound | gap | s | published s | load |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [row["case"], number(row["parcels"], ",d"), number(row["baseline_objective"], ",.3f")]
        cells += [number(row["objective"], ",.3f"), number(row["bound"], ",.3f"), number(row["gap"], ".3%")]
        cells += [number(row["seconds"], ",.1f"), number(row["baseline_seconds"], ",.3g")]
        cells += [_load_of(meta, row["case"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def report(rows: Sequence[Row], meta: Mapping[str, Any]) -> str:
    """The generated part of the page."""
    published = [r for r in rows if r["case"].startswith(("mwcs/", "brcmwcs/"))]
    planning = [r for r in rows if r not in published]
    machine = meta["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(meta["versions"].items()))
    parts = [
        f"Measured {_when(meta)} on {machine['processors']} processors ({machine['system']}); {versions}. A solve of "
        "ours with nothing else running brings the load average near 2; more means that it shared the machine.",
        "",
    ]
    if planning:
        parts += ["### Plans", "", *planning_table(planning, meta), ""]
        parts += ["![Gap over time](images/benchmark-gap.png)", "", "![Growth](images/benchmark-growth.png)", ""]
    for title, prefix in (("Maximum-weight connected subgraph", "mwcs/"), ("Rooted, bounded, balanced", "brcmwcs/")):
        some = [r for r in published if r["case"].startswith(prefix)]
        if some:
            parts += [f"### {title}", "", *published_table(some, meta), ""]
    failed = {n: m["error"] for n, m in meta["cases"].items() if m.get("error")}
    if failed:
        parts += ["### Without a plan", "", *(f"- {name}: {why}" for name, why in failed.items()), ""]
    return "\n".join(parts)


def _when(meta: Mapping[str, Any]) -> str:
    times = sorted({m["measured"] for m in meta["cases"].values() if m.get("measured")})
    return "–" if not times else times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"


def between_markers(page: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """The page with a generated part replaced.

    Raises
    ------
    ValueError
        A page without the two markers.
    """
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError("the page must hold both markers once")
    head, rest = page.split(begin)
    return f"{head}{begin}\n{text}\n{end}{rest.split(end)[1]}"


def update_page(rows: Sequence[Row], meta: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write the generated part of the documentation and its figures."""
    text = between_markers(page.read_text(encoding="utf-8"), report(rows, meta))
    page.write_text(text, encoding="utf-8", newline="\n")
    draw(rows, meta, IMAGES)


def draw(rows: Sequence[Row], meta: Mapping[str, Any], folder: Path) -> None:
    """Gap over time of the cases with plans of several blocks; seconds and memory over parcels."""
    import matplotlib as mpl  # noqa: PLC0415 (only figures need it)

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    for name, measured in meta["cases"].items():
        points = gap_over_time(measured.get("trace") or [])
        if "/" not in name and points:
            axes.plot([s for s, _ in points], [100 * g for _, g in points], drawstyle="steps-post", label=name)
    axes.set(xscale="log", yscale="log", xlabel="seconds", ylabel="gap to the proven bound, %")
    axes.grid(which="both", alpha=0.3)
    if axes.lines:
        axes.legend(fontsize="small")
    figure.savefig(folder / "benchmark-gap.png", dpi=130)
    plt.close(figure)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.2), layout="constrained")
    sizes = sorted({(r["parcels"], r["case"]) for r in rows if r["case"].startswith("generated-") and r["gap"]})
    last = {r["case"]: r for r in rows}
    for axis, key, label in ((left, "within", "seconds to a gap of 1 %"), (right, "peak_mb", "memory, MB")):
        found = [(n, _figure_of(last[c], meta["cases"].get(c, {}), key)) for n, c in sizes if not c.endswith("tight")]
        points = [(n, v) for n, v in found if v is not None]
        axis.plot([n for n, _ in points], [v for _, v in points], marker="o")
        axis.set(xscale="log", yscale="log", xlabel="parcels", ylabel=label)
        axis.grid(which="both", alpha=0.3)
    figure.savefig(folder / "benchmark-growth.png", dpi=130)
    plt.close(figure)


def _figure_of(row: Row, measured: Mapping[str, Any], key: str) -> float | None:
    if key != "within":
        value: float | None = row[key]
        return value
    return next((s for s, gap in gap_over_time(measured.get("trace") or []) if gap <= 0.01), None)


def gap_over_time(trace: Sequence[Sequence[float | None]]) -> list[tuple[float, float]]:
    """(seconds, gap) from a trace of (seconds, objective, bound), from the first plan on.

    The best plan and the best bound so far count at every moment.
    """
    points = []
    best: float | None = None
    bound = float("inf")
    for seconds, objective, proven in trace:
        bound = min(bound, float("inf") if proven is None else proven)
        if objective is not None:
            best = objective if best is None else max(best, objective)
        if seconds is not None and best and bound < float("inf"):
            points.append((max(seconds, 1e-3), max((bound - best) / abs(best), 1e-9)))
    return points
