"""Reads a written plan back, as a stranger to the run that wrote it would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pydantic
import pyogrio
from pyogrio.errors import DataSourceError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from geodata.errors import DataError, Issue
from planner.check.model import LAYERS, AreaClaim, ChangeClaim, CheckInput, Claims, OutlayClaim, PeakClaim
from planner.config import Config

GPKG: Final = "plan.gpkg"
CONFIG: Final = "config.resolved.yaml"
SUMMARY: Final = "summary.json"
_NULLABLE: Final = {
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
"""Arrow → pandas: with one value unknown, whole numbers would else lose digits and yes/no turn into numbers."""
_NO_PLAN: Final = {
    "infeasible": "it is proven that the targets and rules cannot all be kept",
    "no_plan": "none was found in time",
    "rejected": "it failed its check and stands, with the findings, in the folder rejected",
}
"""Status of a run that wrote no plan → what it means."""
_DOCUMENTED: Final = "`objective`, `bound`, `gap`, `phases`, `zones`, `money` and `keep` as documented"
_AGAIN: Final = "Write the plan again with `planner run`."


def read_plan(directory: str | Path) -> tuple[CheckInput, Config, Claims]:
    """Read ``plan.gpkg``, ``config.resolved.yaml`` and, where there is one, ``summary.json``.

    Parameters
    ----------
    directory : str or Path
        Output folder of a run.

    Returns
    -------
    tuple of (CheckInput, Config, Claims)
        Claims are empty without a summary.

    Raises
    ------
    geodata.errors.DataError
        The run found no plan; or a file or layer is missing or damaged, everything wrong being listed.
    """
    folder = Path(directory)
    _require_plan(folder)
    issues: list[Issue] = []
    tables = _read_layers(folder / GPKG, issues)
    config = _read_config(folder / CONFIG, issues)
    claims = _read_claims(folder / SUMMARY, issues)
    if tables is None or config is None or claims is None:
        raise DataError(issues)
    return tables, config, claims


def _require_plan(folder: Path) -> None:
    """A run that found no plan says so itself; nothing is missing or damaged then."""
    if not (folder / SUMMARY).is_file():
        return
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except ValueError:
        return  # reported as damaged
    status = summary.get("status") if isinstance(summary, dict) else None
    if status in _NO_PLAN and not (status == "rejected" and (folder / GPKG).is_file()):
        found = f"no plan: status {status} ({_NO_PLAN[status]})"
        raise DataError(Issue(str(folder), found, "a run with a plan", f"See {folder / 'summary.md'}."))


def _missing(path: Path) -> Issue:
    return Issue(str(path), "no such file", "a file written by `planner run`", "Name the output folder of a run.")


def _damaged(path: Path, found: str, expected: str) -> Issue:
    return Issue(str(path), found, expected, _AGAIN)


def _read_layers(path: Path, issues: list[Issue]) -> CheckInput | None:
    if not path.is_file():
        issues.append(_missing(path))
        return None
    try:
        present = {str(name) for name, _ in pyogrio.list_layers(path)}
        missing = [layer for layer in LAYERS if layer not in present]
        if missing:
            issues.append(_damaged(path, f"no layer {', '.join(missing)}", f"the layers {', '.join(LAYERS)}"))
            return None
        return CheckInput(**{layer: _read_layer(path, layer) for layer in LAYERS})
    except (DataSourceError, RuntimeError) as error:  # GDAL reports damage inside a file as a RuntimeError
        issues.append(_damaged(path, f"a file that cannot be read ({error})", "a GeoPackage"))
        return None


def _read_layer(path: Path, layer: str) -> gpd.GeoDataFrame:
    """One layer as stored; a layer may be empty, and one without geometry gets a missing one."""
    frame = pyogrio.read_dataframe(
        path, layer=layer, use_arrow=True, arrow_to_pandas_kwargs={"types_mapper": _NULLABLE.get}
    )
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame)))
    return frame


def _read_config(path: Path, issues: list[Issue]) -> Config | None:
    if not path.is_file():
        issues.append(_missing(path))
        return None
    try:
        return Config.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
    except (YAMLError, UnicodeDecodeError) as error:
        issues.append(_damaged(path, f"text that is no YAML ({' '.join(str(error).split())})", "YAML in UTF-8"))
    except pydantic.ValidationError as error:
        for fault in error.errors():
            key = ".".join(str(part) for part in fault["loc"]) or "the whole"
            issues.append(Issue(f"{path}, {key}", repr(fault["input"])[:80], fault["msg"], _AGAIN))
    return None


def _read_claims(path: Path, issues: list[Issue]) -> Claims | None:
    if not path.is_file():
        return Claims()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return claims_of(data)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        issues.append(_damaged(path, f"text that is no JSON ({error})", "JSON in UTF-8"))
    except KeyError as error:
        issues.append(_damaged(path, f"no key {error}", _DOCUMENTED))
    except (TypeError, ValueError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        issues.append(_damaged(path, found, _DOCUMENTED))
    return None


def claims_of(summary: dict[str, Any]) -> Claims:
    """Claims of a ``summary.json``: objective, bound, gap, areas by phase, by zone too, money, changes.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        Where the summary is not of the documented form.
    """
    areas = _area_claims(None, summary["phases"])
    for zone, figures in (summary.get("zones") or {}).items():
        areas += _area_claims(str(zone), figures["phases"])
    money = summary.get("money") or {}
    return Claims(
        objective=_number(summary["objective"]),
        bound=_number(summary["bound"]),
        gap=_number(summary["gap"]),
        areas=tuple(areas),
        peak_gaps=tuple(_peak_claim(row) for row in money.get("peak_gaps") or ()),
        outlays=tuple(
            OutlayClaim(str(party), str(phase), float(yuan))
            for party, phases in (money.get("outlays") or {}).items()
            for phase, yuan in phases.items()
        ),
        changes=_change_claim(summary.get("keep")),
    )


def _change_claim(keep: dict[str, Any] | None) -> ChangeClaim | None:
    if keep is None:
        return None
    parcels, land = ([keep[f"{what}_{unit}"] for what in ("changed", "kept")] for unit in ("parcels", "mu"))
    changed, kept = (int(k) for k in parcels)
    return ChangeClaim(changed, float(land[0]), kept, float(land[1]), float(keep["change_price"]))


def _peak_claim(row: dict[str, Any]) -> PeakClaim:
    year = row["year"]
    return PeakClaim(str(row["party"]), float(row["peak_gap_yuan"]), None if year is None else int(year))


def _area_claims(zone: str | None, rows: list[dict[str, Any]]) -> list[AreaClaim]:
    """Rows stand in the order of the phases; how a row names its phase does not matter."""
    return [
        AreaClaim(k, zone, _number(row.get("area_mu")), _number(row["cumulative_mu"]), _number(row.get("cost")))
        for k, row in enumerate(rows, start=1)
    ]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
