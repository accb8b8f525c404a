"""Every formula, worked out anew by LibreOffice, gives the value that is stored with it."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from planner.codes import Ledger
from planner.contents import PlanContents
from planner.report.workbook import write_workbook
from tests.planner.report.workbook.small_plan import contents_of

DAY = datetime.date(2026, 3, 1)
OFFICE = shutil.which("soffice")
COST = {"optimise": {"cost": {"value": "100000", "per": "mu"}}}


def recalculated(path: Path, folder: Path) -> Path:
    """The workbook as LibreOffice saves it: without the stored values its formulas are worked out on loading."""
    stripped = folder / "stripped.xlsx"
    book = openpyxl.load_workbook(path)  # openpyxl keeps formulas and drops their values
    book.save(stripped)
    assert OFFICE is not None
    out = folder / "office"
    command = [OFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    subprocess.run(
        [*command, "--convert-to", "xlsx", "--outdir", str(out), str(stripped)], check=True, capture_output=True
    )
    return out / stripped.name


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None and os.environ.get("CI", "").lower() != "true", reason="LibreOffice is not here")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("contents", [contents_of(), contents_of(COST, modes=False)], ids=["modes", "cost"])
def test_formulas_give_what_is_stored(tmp_path: Path, contents: PlanContents, language: str) -> None:
    path = tmp_path / "plan.xlsx"
    gone = Ledger(cells={"QX-2020-001": {"name": "=1+1"}}, loose=({"remarks": "@SUM(1)"},))
    write_workbook(contents, path, day=DAY, language=language, ledger=gone, stamp="内部资料")
    formulas = openpyxl.load_workbook(path)
    stored = openpyxl.load_workbook(path, data_only=True)
    fresh = openpyxl.load_workbook(recalculated(path, tmp_path), data_only=True)
    seen = 0
    for sheet in formulas.worksheets:
        for cell in (c for row in sheet.iter_rows() for c in row if c.data_type == "f"):
            was, now = (book[sheet.title][cell.coordinate].value for book in (stored, fresh))
            assert isinstance(was, (int, float)), (sheet.title, cell.coordinate)
            assert now == pytest.approx(was, abs=1e-6), (sheet.title, cell.coordinate, cell.value)
            seen += 1
    assert seen > 40
    totals = [
        fresh.worksheets[k].cell(row, column).value
        for k, column in ((1, 13), (5, 5))
        for row in range(1, 60)
        if str(fresh.worksheets[k].cell(row, 1).value) in {"合计", "Total 合计"}
    ]
    area = contents.summary["area_ledger"][-1]["net_mu"]
    assert totals == pytest.approx([round(area, 2)] * 2)
