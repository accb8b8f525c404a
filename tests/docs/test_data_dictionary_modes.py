"""The data dictionary names exactly the columns, keys and tables that a plan with modes and its hold-outs have."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from typer.testing import CliRunner

from planner.cli import app
from planner.codes import CODE_COLUMN
from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS
from tests.docs.modes_world import write_modes_world
from tests.docs.pages import bare, table_under, tables, text_of

PAGE = text_of("data-dictionary.md")
PHASES = ("P1", "P2")
BESIDE = ("_unknown_parcels", "_unknown_mu")


@dataclass(frozen=True)
class ModesRun:
    """Folder of a finished run with modes, and its summary."""

    folder: Path
    summary: dict[str, Any]

    def header(self, table: str) -> list[str]:
        with (self.folder / table).open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ModesRun:
    """The small village with modes, planned, and asked about hold-outs."""
    folder = tmp_path_factory.mktemp("modes-world")
    out = folder / "out"
    config = write_modes_world(folder)
    asked = ["explain", "holdouts", "--plan", str(out), "--time-limit", "1"]
    for arguments in (["run", str(config), "--out", str(out)], asked):
        result = CliRunner().invoke(app, [*arguments, "--quiet"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    return ModesRun(out, json.loads((out / "summary.json").read_text(encoding="utf-8")))


def _listed(heading: str, column: str = "column", years: tuple[str, ...] = ()) -> list[str]:
    cells = table_under(PAGE, heading).column(column)
    return [name for cell in cells for name in _spelt_out(bare(cell.split(", ")), years)]


def _spelt_out(names: list[str], years: tuple[str, ...]) -> Iterator[str]:
    """Names with the years and phases that stand for one."""
    for name in names:
        if name == "YEAR":
            yield from years
        elif name.endswith("PHASE"):
            yield from (name.replace("PHASE", phase) for phase in PHASES)
        else:
            yield name


def _titles() -> list[str]:
    return [t.headings[-1] for t in tables(PAGE) if t.headings[1:2] == ("Tables",)]


def test_every_table_is_listed(run: ModesRun) -> None:
    assert {path.name for path in (run.folder / "tables").iterdir()} == set(bare(_titles()))


@pytest.mark.parametrize("title", _titles())
def test_tables_have_the_columns_listed(run: ModesRun, title: str) -> None:
    written = run.header(f"tables/{title.strip('`')}")
    listed = _listed(title, years=tuple(name for name in written if name.isdigit()))
    beside = {name + end for name in listed for end in BESIDE} - {*listed}
    assert [name for name in written if name not in beside] == listed


def test_rows_of_the_funding_balance_are_told(run: ModesRun) -> None:
    with (run.folder / "tables" / "funding_balance.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told = PAGE[PAGE.index("Rows below the items:") :]
    assert all(f"`{row['item']}`" in told for row in rows if row["section"] in {"result", "memo"})
    assert {row["section"] for row in rows} == {"outlay", "income", "result", "memo"}


def test_the_summary_has_the_keys_of_modes_before_the_check(run: ModesRun) -> None:
    heads = [t for t in tables(PAGE) if t.headings[-1:] == ("With a plan",)]
    usual, of_modes = (bare(t.column("key")) for t in heads)
    assert list(run.summary) == [*usual[:-1], *of_modes, usual[-1]]
    assert list(run.summary["modes"][0]) == ["id", "name_zh", "name_en", "blocks"]


@pytest.mark.parametrize("part", ["money", "decanting"])
def test_parts_of_the_summary_have_the_keys_listed(run: ModesRun, part: str) -> None:
    assert list(run.summary[part]) == _listed(f"`{part}`", "key")


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        (("milestones",), "milestones"),
        (("money", "parties"), "parties"),
        (("money", "limits"), "limits"),
        (("consent",), "consent"),
        (("space", "years"), "space_years"),
        (("space", "blocks"), "space_blocks"),
        (("villages",), "villages"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rows_of_the_summary_are_those_of_the_tables(run: ModesRun, rows: tuple[str, ...], table: str) -> None:
    part: Any = run.summary
    for key in rows:
        part = part[key]
    assert list(part[0]) == run.header(f"tables/{table}.csv")


def test_phases_tell_the_milestone_last(run: ModesRun) -> None:
    assert list(run.summary["phases"][0]) == [*bare(table_under(PAGE, "`phases[]`").column("key")), "milestone"]


def test_parcels_and_blocks_tell_the_mode(run: ModesRun) -> None:
    listed = {"plan": [*PARCEL_COLUMNS, "mode"], "blocks": [*BLOCK_COLUMNS, "mode", CODE_COLUMN]}
    for name, columns in listed.items():
        written = json.loads((run.folder / f"{name}.geojson").read_text(encoding="utf-8"))
        assert list(written["features"][0]["properties"]) == columns
    parcels = pyogrio.read_dataframe(run.folder / "plan.gpkg", layer="parcels", read_geometry=False)
    listed = {*PARCEL_COLUMNS, *bare(table_under(PAGE, "`parcels`").column("column")), "mode"}
    assert set(parcels.columns) == {*listed, "land_use", "tax_wan_yuan_per_mu", "area_m2"}
    outside = parcels["block_id"].isna()
    assert outside.any() and parcels.loc[outside, ["mode", "cost", "benefit"]].isna().all(axis=None)
    assert parcels.loc[~outside, ["mode", "cost", "benefit"]].notna().all(axis=None)


def test_holdouts_have_the_columns_listed(run: ModesRun) -> None:
    assert run.header("holdouts/holdouts.csv") == _listed("`holdouts.csv`")
    assert run.header("holdouts/consent.csv") == _listed("`consent.csv` of hold-outs")
    names = {path.name for path in (run.folder / "holdouts").iterdir()}
    told = PAGE[PAGE.index("## Hold-outs") :]
    assert names and all(f"`{name}`" in told for name in names)
