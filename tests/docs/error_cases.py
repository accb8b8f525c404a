"""Mistakes with the small world, one for each example on the page of errors, and what the program then prints.

``python -m tests.docs.error_cases`` writes the examples anew, after a message has changed.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import shapely
from typer.testing import CliRunner

from geodata.write import write_gpkg
from planner.check.model import LAYERS
from planner.cli import Exit, app
from tests.docs.modes_world import COST, write_modes_world
from tests.docs.pages import DOCS
from tests.docs.small_world import CRS, write_world

PAGE = DOCS / "errors.md"


@dataclass(frozen=True)
class Case:
    """A mistake: the code it ends with, the arguments, what is done to the world, and to which."""

    code: Exit
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _folder: None
    world: Callable[[Path], Path] = write_world


def _replace(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def _append(text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.yaml"
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    return change


def _modes(text: str) -> Callable[[Path], None]:
    """A section of modes that uses the bundled tables, in place of the cost."""

    def change(folder: Path) -> None:
        _replace(COST, "")(folder)
        _append(f"modes: {text}\n")(folder)

    return change


def _letters(folder: Path) -> None:
    (folder / "letters").mkdir()
    (folder / "letters" / "to-the-mayor.txt").write_text("Dear", encoding="utf-8")


def _without_crs(folder: Path) -> None:
    gpd.read_file(folder / "parcels.gpkg").to_file(folder / "parcels.shp")
    (folder / "parcels.prj").unlink()
    _replace("parcels.gpkg", "parcels.shp")(folder)


def _strange_table(folder: Path) -> None:
    (folder / "firms.csv").write_text("code,firms\n441900-1,2\n441900-2,5\n", encoding="utf-8")
    _append("tables: [{path: firms.csv, key: {parcels: code, table: code}, fields: {firms: {column: firms}}}]\n")(
        folder
    )


def _many_parcels(folder: Path) -> None:
    boxes = [shapely.box(x, y, x + 100, y + 100) for x in range(0, 1200, 100) for y in range(0, 1200, 100)]
    parcels = gpd.GeoDataFrame(
        {"code": [f"B{k:03d}" for k in range(144)], "use": "industry", "tax": 1.0}, geometry=boxes
    )
    parcels.geometry = parcels.translate(500_000, 2_530_000)
    parcels.set_crs(CRS).to_file(folder / "parcels.gpkg")
    _replace("min_mu: 30, max_mu: 60", "min_mu: 300, max_mu: 400")(folder)


def _tampered(folder: Path) -> None:
    """A finished run in which somebody moves a parcel to another block by hand."""
    assert CliRunner().invoke(app, ["run", "config.yaml", "--quiet"]).exit_code == 0
    path = folder / "out" / "plan.gpkg"
    layers = {name: gpd.read_file(path, layer=name) for name in LAYERS}
    parcels = layers["parcels"]
    parcels.loc[parcels["parcel_id"] == "A00", "block_id"] = "P1-02"
    write_gpkg(layers, path)


def _entries(folder: Path) -> None:
    """A finished run, and a table of entries about it with two mistakes."""
    coded = ["run", "config.yaml", "--quiet", "--set", "report.codes.year=2023"]
    assert CliRunner().invoke(app, coded).exit_code == 0
    rows = ["code,entry_state,entered_cleared_mu", "XM-2023-001,推进中,12.5亩", "XM-2022-009,已销号,30"]
    (folder / "entries.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _changes(folder: Path) -> None:
    """A finished run, and a file of changes that contradict each other."""
    coded = ["run", "config.yaml", "--quiet", "--set", "report.codes.year=2023"]
    assert CliRunner().invoke(app, coded).exit_code == 0
    lines = ["changes:", "  - refused: [A00]", "  - done: [P1-01, P1-02, P1-09]", "  - target: {P3: {target_mu: 80}}"]
    (folder / "changes.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


_REPORT = ("progress", "report", "out", "--entries", "entries.csv", "--at", "2024-06", "--starts", "2024-01")

MODES_CASES: dict[str, Case] = {
    "unknown-mode": Case(
        Exit.USAGE,
        ("run", "config.yaml"),
        _modes('{use: [goverment_acquisition], consent: {holders: "1", signed: "1"}}'),
    ),
    "figure-without-source": Case(
        Exit.USAGE,
        ("run", "config.yaml"),
        _modes('{figures: {demolition_yuan_per_m2: {value: 80}}, consent: {holders: "1", signed: "1"}}'),
    ),
    "idle-figure": Case(
        Exit.USAGE,
        ("run", "config.yaml"),
        _replace("  choices:\n", "    rent_yuan: {value: 9, source: judgement, date: 2024}\n  choices:\n"),
        write_modes_world,
    ),
    "modes-without-consent": Case(
        Exit.USAGE,
        ("run", "config.yaml"),
        _replace('  consent: {holders: area_mu / 5, signed: "0.7", expected: "0.8"}\n', ""),
        write_modes_world,
    ),
    "cost-with-modes": Case(Exit.USAGE, ("run", "config.yaml"), _replace("  village: zone\n", COST), write_modes_world),
    "limit-of-no-phase": Case(
        Exit.USAGE, ("run", "config.yaml"), _replace("outlay: {P1:", "outlay: {P4:"), write_modes_world
    ),
    "months-that-fall": Case(
        Exit.USAGE, ("run", "config.yaml", "--set", "modes.figures.levelled_months.value=8"), world=write_modes_world
    ),
    "line-without-milestone": Case(
        Exit.USAGE, ("run", "config.yaml"), _replace("{demolished: 6, levelled: 8,", "{levelled: 8,"), write_modes_world
    ),
    "negative-payment": Case(
        Exit.USAGE,
        ("run", "config.yaml"),
        _replace("amount: land_yuan_per_mu *", "amount: (land_yuan_per_mu - price_yuan_per_mu) *"),
        write_modes_world,
    ),
    "share-above-one": Case(
        Exit.DATA, ("run", "config.yaml"), _replace('signed: "0.7"', 'signed: "70"'), write_modes_world
    ),
    "no-room-for-firms": Case(
        Exit.UNREACHABLE,
        ("run", "config.yaml", "--set", "modes.decant.sites.0.floor_m2=1000"),
        world=write_modes_world,
    ),
}
CASES: dict[str, Case] = MODES_CASES | {
    "misspelt-key": Case(Exit.USAGE, ("run", "config.yaml"), _append("solve: {time_limit: 120}\n")),
    "wrong-type": Case(Exit.USAGE, ("run", "config.yaml", "--set", "solve.gap=little")),
    "unknown-field": Case(
        Exit.USAGE, ("run", "config.yaml"), _replace("value: tax_wan_yuan_per_mu", "value: tax_per_mu")
    ),
    "number-for-expression": Case(Exit.USAGE, ("run", "config.yaml"), _replace('"100000"', "100000")),
    "broken-yaml": Case(Exit.USAGE, ("run", "config.yaml"), _replace("max_mu: 60}", "max_mu: 60")),
    "no-configuration": Case(Exit.USAGE, ("run", "plan.yaml")),
    "strange-folder": Case(Exit.USAGE, ("run", "config.yaml", "--out", "letters"), _letters),
    "unknown-lock": Case(Exit.USAGE, ("run", "config.yaml", "--set", "optimise.locks.in=[A00, B17]")),
    "contradicting-changes": Case(
        Exit.USAGE, ("replan", "out", "--changes", "changes.yaml", "--out", "replan"), _changes
    ),
    "missing-file": Case(Exit.DATA, ("run", "config.yaml"), _replace("parcels.gpkg", "parcel.gpkg")),
    "no-crs": Case(Exit.DATA, ("run", "config.yaml"), _without_crs),
    "ids-twice": Case(Exit.DATA, ("run", "config.yaml"), _replace("id: code", "id: use")),
    "text-for-number": Case(Exit.DATA, ("run", "config.yaml"), _replace("column: tax", "column: use")),
    "no-column": Case(Exit.DATA, ("run", "config.yaml"), _replace("column: tax", "column: TAX")),
    "no-match": Case(Exit.DATA, ("run", "config.yaml"), _strange_table),
    "wrong-entries": Case(Exit.DATA, (*_REPORT, "--out", "report"), _entries),
    "target-too-high": Case(Exit.UNREACHABLE, ("run", "config.yaml", "--set", "optimise.phases.1.target_mu=200")),
    "excluded-locked-in": Case(Exit.UNREACHABLE, ("run", "config.yaml", "--set", "optimise.locks.in=[A23]")),
    "no-time": Case(Exit.NO_PLAN, ("run", "config.yaml", "--time-limit", "0.001"), _many_parcels),
    "tampered": Case(Exit.REJECTED, ("check", "out"), _tampered),
}


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def output_of(name: str, folder: Path) -> tuple[int, str]:
    """Exit code, and the command with everything it printed; the folder's own path and seconds are left out."""
    case = CASES[name]
    case.world(folder)
    with _inside(folder):
        case.prepare(folder)
        quiet = ["--quiet"] if case.arguments[0] == "run" else []
        result = CliRunner().invoke(app, [*case.arguments, *quiet], catch_exceptions=False)
    printed = result.output
    for path, shown in ((folder.resolve(), "…/"), (folder, "…/"), (Path("out"), "out/")):
        printed = printed.replace(f"{path}{os.sep}", shown)
    printed = re.sub(r"within \d+ s ", "within 0 s ", printed)  # the machine's own affair
    command = " ".join(f'"{a}"' if " " in a else a for a in case.arguments)
    return result.exit_code, f"$ planner {command}\n{printed}"


def matches(example: str, output: str) -> bool:
    """Whether an example is what was printed; a last line ``…`` stands for the rest."""
    shown = example.removesuffix("…\n")
    return output.startswith(shown) if shown != example else output == example


def main() -> None:
    """Write the examples of the page anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            _, output = output_of(name, Path(folder))
        lines = output.splitlines()
        shown = "\n".join(lines if len(lines) <= 8 else [*lines[:8], "…"])
        block = f"<!-- example: {name} -->\n```text\n{shown}\n```\n"
        pattern = re.compile(rf"<!-- example: {name} -->\n(?:```.*?^```\n)?", re.DOTALL | re.MULTILINE)
        place = pattern.search(text)
        assert place is not None, f"the page has no place for {name}"
        text = text[: place.start()] + block + text[place.end() :]
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
