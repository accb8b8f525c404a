"""Subjects of the atlas: location, present state, ownership, low efficiency, control lines, blocks, phases, modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from pyproj import Transformer

from geodata.units import M2_PER_MU
from planner.control_lines import control_ground
from planner.report.printed import symbols
from planner.report.printed.decanting import decanting
from planner.report.printed.job import PrintJob, number
from planner.report.printed.theme import (
    CONTROL,
    Layer,
    Theme,
    area_layer,
    block_outlines,
    fabric,
    holdout_layer,
    in_legend_order,
    rest_layers,
    shapes,
    summed,
)

OWNERSHIP_FIELD: Final = "ownership"
"""Name of the field with state-owned or collective in the starter configuration."""

_SCORE_EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
_SIZE_CLASSES_MU: Final = (0.0, 100.0, 500.0, 1000.0)
_WHOLE: Final = 0.999
"""Share from which land counts as wholly state-owned: figures are rounded."""


@dataclass(frozen=True)
class Absent:
    """A sheet that is left out.

    Attributes
    ----------
    sheet : str
    reason : str
        In the language of the print.
    """

    sheet: str
    reason: str


def phases(job: PrintJob) -> Theme:
    """The plan: blocks by phase, and the land that stays outside it. This is the printed map itself."""
    parcels = job.contents.tables.parcels
    listed = job.phases
    parts = [
        area_layer(symbols.phase_symbol(i, len(listed)), parcels[_equals(parcels["phase"], i)], job.phase_name(phase))
        for i, phase in enumerate(listed, start=1)
    ]
    subject = [*summed(job, parts), *rest_layers(job), block_outlines(job), *holdout_layer(job)]
    return Theme("phases", in_legend_order(job, subject), block_names=True, notes=tuple(_target_notes(job)))


def _target_notes(job: PrintJob) -> list[str]:
    """Per phase: what is reached in all against the target."""
    return [
        job.word("target", phase.id, number(phase.cumulative_mu, 1), number(phase.target_mu, 1))
        for phase in job.phases
        if phase.target_mu is not None
    ]


def location(job: PrintJob) -> Theme:
    """Where the study area lies: a smaller scale, zones, coordinates."""
    notes = (job.word("no_base_map"), job.word("middle", *_middle(job)))
    return Theme("location", in_legend_order(job, [fabric(job)]), notes=notes)


def _middle(job: PrintJob) -> tuple[str, str]:
    """Latitude and longitude of the middle of the study area, on the datum of the plan, in degrees and minutes."""
    parcels = job.contents.tables.parcels
    west, south, east, north = parcels.total_bounds
    to_degrees = Transformer.from_crs(parcels.crs, parcels.crs.geodetic_crs, always_xy=True)
    longitude, latitude = to_degrees.transform((west + east) / 2, (south + north) / 2)
    return _degrees(latitude, "NS"), _degrees(longitude, "EW")


def _degrees(value: float, sides: str) -> str:
    whole, minutes = divmod(round(abs(value) * 600), 600)
    return f"{whole}°{minutes / 10:04.1f}′{sides[value < 0]}"


def present(job: PrintJob) -> Theme | Absent:
    """Present land use."""
    if "land_use" not in job.contents.shown:
        return Absent("present", job.word("absent_fact", "report.show.land_use"))
    return _categories(job, "present", job.contents.shown["land_use"])


def ownership(job: PrintJob) -> Theme | Absent:
    """State-owned or collective land: from the state-owned area of each parcel, else from the field of that name."""
    parcels = job.contents.tables.parcels
    if "state_mu" in job.contents.shown:
        state = job.contents.shown["state_mu"].reindex(parcels["parcel_id"]).to_numpy(dtype=float, na_value=np.nan)
        share = state / parcels["area_mu"].to_numpy(dtype=float)
        words = np.select(
            [np.isnan(share), share >= _WHOLE, share <= 1 - _WHOLE],
            ["", job.word("state"), job.word("collective")],
            job.word("mixed"),
        )
        kinds = pd.Series(words, index=parcels["parcel_id"], dtype=object)
        return _categories(job, "ownership", kinds.where(kinds != "", None))
    if OWNERSHIP_FIELD in parcels:
        return _categories(job, "ownership", parcels.set_index("parcel_id")[OWNERSHIP_FIELD])
    return Absent("ownership", job.word("absent_ownership", OWNERSHIP_FIELD))


def _categories(job: PrintJob, key: str, kinds: pd.Series[Any]) -> Theme:
    """Parcels by a text, the kinds with most land first; beyond the signs there are, kinds go together."""
    parcels = job.contents.tables.parcels
    values = kinds.reindex(parcels["parcel_id"]).to_numpy(dtype=object)
    known = pd.notna(values)
    sizes = parcels["area_mu"][known].groupby(values[known].astype(str)).sum()
    names = sorted(sizes.index, key=lambda name: (-round(float(sizes[name]), 6), name))
    most = len(symbols.CATEGORY_COLOURS)
    text_values = np.where(known, values.astype(str), "")
    parts = [
        area_layer(symbols.category_symbol(i), parcels[known & (text_values == name)], name)
        for i, name in enumerate(names[:most])
    ]
    if len(names) > most:
        rest = parcels[known & np.isin(text_values, names[most:])]
        parts.append(area_layer(symbols.category_symbol(most), rest, job.word("other_kinds", len(names) - most)))
    if not known.all():
        parts.append(area_layer(symbols.UNKNOWN, parcels[~known], job.word("unknown")))
    return Theme(key, in_legend_order(job, summed(job, parts)))


def low_efficiency(job: PrintJob) -> Theme:
    """Scores in five classes, 1 = most in need of redevelopment."""
    parcels = job.contents.tables.parcels
    score = parcels["score"].to_numpy(dtype=float, na_value=np.nan)
    unknown = np.isnan(score)
    number_of = np.clip(np.digitize(score, _SCORE_EDGES) - 1, 0, len(_SCORE_EDGES) - 1)
    uppers = (*_SCORE_EDGES[1:], 1.0)
    parts = [
        area_layer(
            symbols.score_symbol(i),
            parcels[~unknown & (number_of == i)],
            job.word("score_class", number(_SCORE_EDGES[i], 1), number(uppers[i], 1)),
        )
        for i in range(len(_SCORE_EDGES))
    ]
    if unknown.any():
        parts.append(area_layer(symbols.UNKNOWN, parcels[unknown], job.word("unknown")))
    return Theme("low_efficiency", in_legend_order(job, summed(job, parts)), notes=(job.word("score_note"),))


def control(job: PrintJob) -> Theme | Absent:
    """Control lines, the ground of parcels on them, and excluded land."""
    tables = job.contents.tables
    if not len(tables.overlays) and not len(tables.barriers):
        return Absent("control", job.word("absent_control"))
    subject = [fabric(job)]
    excluded = tables.parcels[tables.parcels["status"] == "excluded"]
    if len(excluded):
        subject.append(area_layer(symbols.EXCLUDED, excluded, job.word("excluded")))
    ground = control_ground(tables)
    if len(ground):
        shape = symbols.Symbol("area", fill="#4D4D4D", edge="#4D4D4D")
        area_mu = float(ground["overlap_m2"].sum()) / M2_PER_MU
        subject.append(Layer(shape, shapes(ground), job.word("overlaps"), CONTROL - 0.5, len(ground), area_mu))
    notes = () if len(tables.overlays) else (job.word("no_overlays"),)
    return Theme("control", in_legend_order(job, subject), notes=notes)


def blocks(job: PrintJob) -> Theme:
    """Blocks by size: superiors ask how many reach 100, 500 and 1000 mu."""
    rows = job.contents.tables.blocks
    area = rows["area_mu"].to_numpy(dtype=float)
    number_of = np.digitize(area, _SIZE_CLASSES_MU) - 1
    parts = []
    for i, lower in enumerate(_SIZE_CLASSES_MU):
        here = rows[number_of == i]
        if not len(here):
            continue
        upper = _SIZE_CLASSES_MU[i + 1] if i + 1 < len(_SIZE_CLASSES_MU) else None
        name = (
            job.word("size_from", number(lower, 0), len(here))
            if upper is None
            else job.word("size_class", number(lower, 0), number(upper, 0), len(here))
        )
        parcels = job.contents.tables.parcels
        inside = parcels[parcels["block_id"].isin(set(here["block_id"]))]
        parts.append(area_layer(symbols.category_symbol(i), inside, name))
    return Theme(
        "blocks", in_legend_order(job, [fabric(job), *summed(job, parts), block_outlines(job)]), block_names=True
    )


def modes(job: PrintJob) -> Theme | Absent:
    """Blocks by mode, in the order of the configuration."""
    config = job.contents.config.modes
    parcels = job.contents.tables.parcels
    if config is None or "mode" not in parcels:
        return Absent("modes", job.word("absent_modes"))
    parts = []
    for i, choice in enumerate(config.choices):
        rows = parcels[_equals(parcels["mode"], choice.id)]
        if len(rows):
            parts.append(area_layer(symbols.category_symbol(i), rows, job.mode_name(choice.id)))
    subject = [fabric(job), *summed(job, parts), block_outlines(job), *holdout_layer(job)]
    return Theme("modes", in_legend_order(job, subject), block_names=True)


def decant(job: PrintJob) -> Theme | Absent:
    """Where firms go."""
    found = decanting(job)
    return Absent("decanting", found) if isinstance(found, str) else found


THEMES: Final[Mapping[str, Callable[[PrintJob], Theme | Absent]]] = {
    "location": location,
    "present": present,
    "ownership": ownership,
    "low_efficiency": low_efficiency,
    "control": control,
    "blocks": blocks,
    "phases": phases,
    "modes": modes,
    "decanting": decant,
}
"""Sheets of the atlas in their order."""


def _equals(column: pd.Series[Any], value: object) -> Any:
    return (column == value).fillna(False).to_numpy(dtype=bool)
