"""Everything that reports are made from: a judged plan with its figures, fresh from a run or read from its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyogrio
from pyogrio.errors import DataSourceError

from geodata.errors import DataError, Issue
from planner.codes import CODE_COLUMN
from planner.config import Config
from planner.config_file import load_config
from planner.shown import shown_facts
from planner.table_files import read_tables
from planner.tables import PlanTables

GPKG: Final = "plan.gpkg"
CONFIG: Final = "config.resolved.yaml"
SUMMARY: Final = "summary.json"
TABLES: Final = "tables"
BESIDE_MODES: Final = ("demand", "demand_tests", "demand_blocks", "demand_by_year", "equity")
"""Tables of `PlanContents.beside`, by name."""
_NULLABLE: Final = {
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
"""Arrow → pandas: with one value unknown, whole numbers would else lose digits and yes/no turn into numbers."""
_EXPECTED: Final = "the folder of a run of `planner run` that has a plan"
_FIX: Final = "Name the output folder of a run, or run `planner run` again."


@dataclass(frozen=True)
class PlanContents:
    """A plan for reports; nothing of it is ever changed in place.

    Attributes
    ----------
    config : Config
    tables : PlanTables
        Layers in the metric CRS.
    summary : mapping
        Content of ``summary.json``, the verdict of the check included.
    modes : mapping of str to pandas.DataFrame
        Tables about the modes by name (``tables/<name>.csv``, see `planner.mode_report.ModeReport`); empty without
        modes.
    beside : mapping of str to pandas.DataFrame
        Tables that need no modes, by name (`BESIDE_MODES`): about demand and equity.
    facts : pandas.DataFrame, optional
        What `shown` is, where the parcels lack fields that it is made of; worked out from the parcels when None.
    """

    config: Config
    tables: PlanTables
    summary: Mapping[str, Any]
    modes: Mapping[str, pd.DataFrame]
    facts: pd.DataFrame | None = None
    beside: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def shown(self) -> pd.DataFrame:
        """Facts of every parcel by ``parcel_id``, see `planner.shown.shown_facts`."""
        return shown_facts(self.config, self.tables.parcels) if self.facts is None else self.facts

    @property
    def codes(self) -> dict[str, str] | None:
        """Block → permanent code of its project, by phase and block; None where the plan was written without codes."""
        blocks = self.tables.blocks
        if CODE_COLUMN not in blocks:
            return None
        rows = blocks.assign(phase=blocks["phase"].astype(int)).sort_values(["phase", "block_id"])
        return {str(b): str(c) for b, c in zip(rows["block_id"], rows[CODE_COLUMN], strict=True)}

    def in_language(self, language: str) -> PlanContents:
        """The same plan, for reports in another language."""
        report = self.config.report.model_copy(update={"language": language})
        return replace(self, config=self.config.model_copy(update={"report": report}))

    @property
    def title(self) -> str:
        """Title of map and prints."""
        return self.config.report.title or self.config.project.name

    def day(self, today: date) -> date:
        """The date on maps and in the workbook: ``report.print.date`` (of a month its first day), else `today`."""
        given = self.config.report.print.date
        return today if given is None else date.fromisoformat(f"{given}-01"[:10])

    @property
    def synthetic(self) -> bool:
        """The land is generated; every output says so."""
        return self.config.project.synthetic


def read_contents(folder: Path) -> PlanContents:
    """Read back what a run wrote.

    Parameters
    ----------
    folder : pathlib.Path
        Output folder of a run that has a plan.

    Raises
    ------
    DataError
        No such folder, no plan in it, or a file that is missing or damaged.
    ConfigError
        The resolved configuration is no configuration.
    """
    missing = [name for name in (GPKG, CONFIG, SUMMARY) if not (folder / name).is_file()]
    if missing:
        found = f"a folder without {', '.join(missing)}" if folder.is_dir() else "no such folder"
        raise DataError(Issue(str(folder), found, _EXPECTED, _FIX))
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Issue(str(folder / SUMMARY), f"no JSON ({error})", _EXPECTED, _FIX)) from error
    if not isinstance(summary, dict) or summary.get("status") not in {"optimal", "feasible"}:
        status = summary.get("status") if isinstance(summary, dict) else None
        raise DataError(Issue(str(folder / SUMMARY), f"no plan (status {status})", _EXPECTED, _FIX))
    config = load_config(folder / CONFIG).config
    tables = read_tables(folder / TABLES)
    modes, beside = ({n: t for n, t in tables.items() if (n in BESIDE_MODES) == yes} for yes in (False, True))
    return PlanContents(config, _layers(folder / GPKG), summary, modes, beside=beside)


def _layers(path: Path) -> PlanTables:
    try:
        present = {str(name) for name, _ in pyogrio.list_layers(path)}
        wanted = [f.name for f in fields(PlanTables)]
        return PlanTables(**{name: _layer(path, name) for name in wanted if name in present})
    except (DataSourceError, RuntimeError, TypeError) as error:  # damage inside a file is a RuntimeError of GDAL
        raise DataError(Issue(str(path), f"a file that cannot be read ({error})", _EXPECTED, _FIX)) from error


def _layer(path: Path, name: str) -> gpd.GeoDataFrame:
    """A layer as stored: texts as objects with None, whole numbers and yes/no nullable."""
    frame = pyogrio.read_dataframe(
        path, layer=name, use_arrow=True, arrow_to_pandas_kwargs={"types_mapper": _NULLABLE.get}
    )
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame)))
    for column in frame.columns.drop("geometry"):
        if pd.api.types.is_string_dtype(frame[column].dtype) or frame[column].dtype == object:
            frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    return frame
