"""Whether the layers have what the judge needs at all."""

from __future__ import annotations

from geodata.errors import DataError, Issue
from planner.check.model import LAYERS, CheckInput
from planner.config import Config
from planner.land_fields import joined_fields
from planner.tables import BETWEEN_COLUMNS, BLOCK_COLUMNS, LINK_COLUMNS, OVERLAY_COLUMNS, PARCEL_COLUMNS

SOURCE = "plan.gpkg"


def needed_columns(config: Config) -> dict[str, tuple[str, ...]]:
    """Columns that each layer must have under a configuration; one without rows may lack them."""
    fields = [*config.parcels.fields, *(name for table in config.tables for name in table.fields)]
    fields += [name for _, name in joined_fields(config)]
    zone_field = [config.zones.field] if config.zones is not None and config.zones.field is not None else []
    cost = ["cost"] if config.optimise.cost is not None else ["cost", "mode"] if config.modes is not None else []
    return {
        "parcels": tuple(dict.fromkeys([*PARCEL_COLUMNS, *cost, *fields, *zone_field])),
        "blocks": (*BLOCK_COLUMNS, *(("mode",) if config.modes is not None else ())),
        "zones": ("zone",),
        "links": LINK_COLUMNS,
        "barriers": (),
        "between": BETWEEN_COLUMNS,
        "overlays": OVERLAY_COLUMNS,
    }


def require_shape(tables: CheckInput, config: Config) -> None:
    """Raise a `DataError` that lists every missing column, and a layer of parcels that is empty."""
    issues = []
    for layer in LAYERS:
        frame = getattr(tables, layer)
        missing = [c for c in needed_columns(config)[layer] if c not in frame.columns]
        if layer in {"between", "overlays"} and not len(frame):
            continue  # plans of hand-made layers need none
        if missing:
            present = ", ".join(str(c) for c in frame.columns if c != "geometry") or "none"
            issues.append(
                Issue(
                    f"{SOURCE}, layer {layer}",
                    f"the columns {present}",
                    f"also {', '.join(missing)}",
                    "Write the plan again with `planner run`; the layer was changed or is of another version.",
                )
            )
    if not len(tables.parcels):
        issues.append(
            Issue(f"{SOURCE}, layer parcels", "no rows", "every parcel of the study area", "Write the plan again.")
        )
    if issues:
        raise DataError(issues)
