"""The package that leaves the building: map, workbook, prints and GIS files of a plan, from the folder of its run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from geodata.write import write_json
from planner.check import check_plan, first_error, read_plan
from planner.codes import Ledger
from planner.contents import PlanContents, read_contents
from planner.errors import PlanRejectedError
from planner.redact import Redaction, redacted
from planner.report.gis import write_gis
from planner.report.map import write_map
from planner.report.printed import write_atlas, write_overview
from planner.report.workbook import write_workbook
from planner.staging import Kind, staged

PACKAGE_FORMAT: Final = "land-consolidation-package"
PARTS: Final = ("map", "workbook", "print", "gis")
"""What a package may hold."""
PACKAGE: Final = Kind(
    "earlier package", "package.json", PACKAGE_FORMAT, ("package.json", "map.html", "plan.xlsx", "print", "gis")
)
"""The folder of a package."""


@dataclass(frozen=True)
class Wishes:
    """How a package is to be.

    Attributes
    ----------
    day : datetime.date
        Date on prints and in the workbook, where the configuration gives none.
    parts : sequence of str
        Of `PARTS`.
    language : str or None
        Of workbook, prints and layer names; that of the configuration when None.
    redact : bool
        Without right-holders, credit codes, rents, remarks, hand-filled cells and fields named as sensitive.
    stamp : str or None
        Shown on every sheet, page and map, e.g. 内部资料.
    ledger : Ledger or None
        An earlier workbook, whose codes and hand-filled cells are kept.
    """

    day: date
    parts: Sequence[str] = PARTS
    language: str | None = None
    redact: bool = False
    stamp: str | None = None
    ledger: Ledger | None = None


@dataclass(frozen=True)
class Package:
    """What was written.

    Attributes
    ----------
    files : tuple of str
        Paths in the package, with forward slashes.
    redaction : Redaction or None
        What was left out; None where nothing was asked to be.
    notes : tuple of str
        What a reader of the package should know, such as sheets that could not be made.
    """

    files: tuple[str, ...]
    redaction: Redaction | None
    notes: tuple[str, ...]


def export_plan(folder: Path, out: Path, wishes: Wishes) -> Package:
    """Write a package.

    Parameters
    ----------
    folder : pathlib.Path
        Output folder of a run that has a plan.
    out : pathlib.Path
        Folder of the package; written whole or not at all.
    wishes : Wishes

    Raises
    ------
    DataError, ConfigError
        The folder holds no plan, or is damaged.
    PlanRejectedError
        The plan as it stands in the folder fails its independent check.
    """
    contents = read_contents(folder)
    require_sound(folder)
    if wishes.language is not None:
        contents = contents.in_language(wishes.language)
    redaction = None
    if wishes.redact:
        contents, redaction = redacted(contents)
    with staged(out, PACKAGE) as new:
        notes = [note for part in PARTS if part in wishes.parts for note in _WRITERS[part](contents, new, wishes)]
        files = sorted(p for p in new.rglob("*") if p.is_file())
        write_json(_listing(contents, wishes, redaction, new, files, notes), new / PACKAGE.marker)
        names = tuple(p.relative_to(new).as_posix() for p in files)
    return Package((PACKAGE.marker, *names), redaction, tuple(notes))


def require_sound(folder: Path) -> None:
    """Raise `PlanRejectedError` where the plan as it stands in a folder fails its independent check."""
    report = check_plan(*read_plan(folder))
    if not report.passed:
        raise PlanRejectedError(f"The plan in {folder} fails its independent check: {first_error(report)}")


def _map(contents: PlanContents, new: Path, wishes: Wishes) -> list[str]:
    write_map(contents, new / "map.html", stamp=wishes.stamp)
    return []


def _workbook(contents: PlanContents, new: Path, wishes: Wishes) -> list[str]:
    ledger = wishes.ledger
    if wishes.redact and ledger is not None:
        ledger = ledger.without_cells()
    day = contents.day(wishes.day)
    write_workbook(contents, new / "plan.xlsx", day=day, language=wishes.language, ledger=ledger, stamp=wishes.stamp)
    return []


def _print(contents: PlanContents, new: Path, wishes: Wishes) -> list[str]:
    folder = new / "print"
    folder.mkdir()
    how: dict[str, Any] = {"day": wishes.day, "language": wishes.language, "stamp": wishes.stamp}
    how["codes"] = contents.codes
    overview = write_overview(contents, folder / "overview.pdf", folder / "overview.png", **how)
    atlas = write_atlas(contents, folder / "atlas.pdf", **how)
    left_out = [f"atlas without the sheet {absent.sheet}: {absent.reason}" for absent in atlas.left_out]
    return [*dict.fromkeys((*overview.warnings, *atlas.warnings)), *left_out]


def _gis(contents: PlanContents, new: Path, wishes: Wishes) -> list[str]:
    folder = new / "gis"
    folder.mkdir()
    write_gis(contents, folder, language=wishes.language, stamp=wishes.stamp)
    return []


_WRITERS: Final[Mapping[str, Callable[[PlanContents, Path, Wishes], list[str]]]] = {
    "map": _map,
    "workbook": _workbook,
    "print": _print,
    "gis": _gis,
}


def _listing(
    contents: PlanContents,
    wishes: Wishes,
    redaction: Redaction | None,
    new: Path,
    files: Sequence[Path],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Content of ``package.json``: where the package comes from, and the fingerprint of every file in it."""
    summary = contents.summary
    return {
        "format": PACKAGE_FORMAT,
        "project": contents.config.project.name,
        "synthetic": contents.synthetic,
        "version": summary["version"],
        "config_hash": summary["config_hash"],
        "input_hash": summary["input_hash"],
        "stamp": wishes.stamp,
        "redacted": None if redaction is None else vars(redaction).copy(),
        "notes": list(notes),
        "files": [
            {
                "path": path.relative_to(new).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        ],
    }
