"""README of the GIS package, Chinese and English: what each file is, coordinates, areas, limits, hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geodata.crs import crs_name
from geodata.hashing import file_sha256
from geodata.notes import SourceNote
from planner.contents import PlanContents
from planner.labels import Labels

_FILES: Final = (
    ("plan.gpkg", "readme_file_gpkg"),
    ("plan.qgz", "readme_file_qgz"),
    ("plan.gdb", "readme_file_gdb"),
    ("parcels.parquet, blocks.parquet", "readme_file_parquet"),
    ("shapefile/", "readme_file_shapefile"),
    ("shapefile/fields.csv", "readme_file_fields"),
    ("plan.dxf", "readme_file_dxf"),
)
_SHOWN_ITEMS: Final = 5
_RULE: Final = "-" * 72


@dataclass(frozen=True)
class PackageFacts:
    """What a README tells beside the files.

    Attributes
    ----------
    contents : PlanContents
    stamp : str or None
        Who may read it.
    txt_crs : str
        CRS of the coordinate TXT; empty where there is none.
    txt_national : bool
        It is one of CGCS2000.
    why_no_txt : str
        Why there is no coordinate TXT; empty where there is one.
    notes : sequence of SourceNote
        What formats could not hold.
    """

    contents: PlanContents
    stamp: str | None
    txt_crs: str
    txt_national: bool
    why_no_txt: str
    notes: Sequence[SourceNote]


def readme_text(facts: PackageFacts, folder: Path, files: Sequence[Path]) -> str:
    """README in both languages, with the SHA-256 of every file but those inside the file geodatabase."""
    parts = [_part(facts, Labels.of(language, "gis")) for language in ("zh", "en")]
    labels = [Labels.of(language, "gis")("readme_hashes") for language in ("zh", "en")]
    sums = [f"{file_sha256(path)}  {path.relative_to(folder).as_posix()}" for path in files if path.is_file()]
    text = [*parts[0], "", _RULE, "", *parts[1], "", _RULE, "", " / ".join(labels), "", *sums]
    return "\ufeff" + "\n".join(text) + "\n"


def _part(facts: PackageFacts, labels: Labels) -> list[str]:
    contents, summary = facts.contents, facts.contents.summary
    crs = contents.tables.parcels.crs
    authority = crs.to_authority()
    return [
        labels("readme_heading"),
        "",
        *([labels("synthetic_label") + ": " + labels("readme_synthetic")] if contents.synthetic else []),
        labels("readme_project", contents.title),
        labels("readme_stamp", facts.stamp) if facts.stamp else labels("readme_no_stamp"),
        labels("readme_crs", crs.name, ":".join(authority) if authority else crs_name(crs)),
        labels("readme_area"),
        labels("readme_version", summary["version"], summary["config_hash"], summary["input_hash"]),
        "",
        labels("readme_files"),
        *(f"  {name}: {labels(key)}" for name, key in _FILES),
        _txt_line(facts, labels),
        "",
        labels("readme_limits"),
        *(f"  {labels(f'readme_limit_{kind}')}" for kind in ("same", "shapefile", "gdb", "dxf")),
        *(f"  {_note_line(note, labels)}" for note in facts.notes),
    ]


def _txt_line(facts: PackageFacts, labels: Labels) -> str:
    if facts.why_no_txt:
        return f"  {labels('readme_no_txt', facts.why_no_txt)}"
    crs = labels("readme_txt_cgcs" if facts.txt_national else "readme_txt_other", facts.txt_crs)
    return f"  blocks.txt: {labels('readme_file_txt', crs)}"


def _note_line(note: SourceNote, labels: Labels) -> str:
    """A note with the first rows that it is about; all of them stand in notes.csv."""
    more = ", …" if len(note.items) > _SHOWN_ITEMS else ""
    return labels("readme_note", note.source, note.what, note.count, ", ".join(note.items[:_SHOWN_ITEMS]) + more)
