"""What the sheet of a block tells: its figures, its parcels, the points of its boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from geodata.units import M2_PER_MU
from planner.labels.reasons import translated
from planner.modes.names import MILESTONE_NAMES
from planner.report.printed.job import MISSING, PrintJob, mu, number, percent, text, wan
from planner.report.printed.table import Column

_MU_PER_HA: Final = 15.0


@dataclass(frozen=True)
class BlockFacts:
    """A block as its sheet shows it.

    Attributes
    ----------
    block_id, code : str
    phase : int
        From 1.
    figures : list of tuple of str
        Name and value.
    milestones : list of tuple of str
        Name and month; empty without modes.
    columns : list of Column
    rows : list of list of str
        Parcels, numbered from 1 in the order of their ids.
    parcel_ids : list of str
        In the order of the rows.
    points : numpy.ndarray of float64, shape (n, 2)
        East and north of the points of its boundary, m, ring after ring, each once.
    """

    block_id: str
    code: str
    phase: int
    figures: list[tuple[str, str]]
    milestones: list[tuple[str, str]]
    columns: list[Column]
    rows: list[list[str]]
    parcel_ids: list[str]
    points: Any


def block_facts(job: PrintJob) -> list[BlockFacts]:
    """Facts of all blocks, by their ids."""
    tables = job.contents.tables
    blocks = tables.blocks.sort_values("block_id", kind="stable")
    land = tables.parcels[tables.parcels["block_id"].notna()].sort_values("parcel_id", kind="stable")
    groups = dict(list(land.groupby(land["block_id"].astype(str))))
    found = []
    for _, block in blocks.iterrows():
        block_id = str(block["block_id"])
        parcels = groups.get(block_id, land.iloc[:0])
        shown = job.contents.shown.reindex(parcels["parcel_id"])
        columns, rows = _parcel_table(job, parcels, shown)
        found.append(
            BlockFacts(
                block_id=block_id,
                code=job.code(block_id),
                phase=int(block["phase"]),
                figures=_figures(job, block, parcels, shown),
                milestones=_milestones(job, block_id),
                columns=columns,
                rows=rows,
                parcel_ids=[str(i) for i in parcels["parcel_id"]],
                points=boundary_points(block["geometry"]),
            )
        )
    return found


def boundary_points(geometry: Any) -> Any:
    """Points of the boundary, ring after ring, the closing point of each ring left out."""
    rings = [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(shapely.get_parts(geometry))]
    return np.concatenate(rings) if rings else np.empty((0, 2))


def _figures(job: PrintJob, block: pd.Series, parcels: pd.DataFrame, shown: pd.DataFrame) -> list[tuple[str, str]]:
    phase = job.phases[int(block["phase"]) - 1]
    space, consent = _row(job, "space_blocks", block["block_id"]), _row(job, "consent", block["block_id"])
    area, block_id = float(block["area_mu"]), str(block["block_id"])
    found = [
        *([(job.word("code"), job.code(block_id))] if block_id in job.codes else []),
        (job.word("block_id"), block_id),
        (job.word("phase"), job.phase_name(phase)),
        (job.word("area_label"), job.word("area_both", mu(area), number(area / _MU_PER_HA, 4))),
        (job.word("parcel_count"), str(int(block["n_parcels"]))),
        (job.word("zone"), text(block.get("zone"))),
    ]
    if "village" in shown:
        names = sorted({str(v) for v in shown["village"].dropna()})
        found.append((job.fact("village"), "、".join(names) if names else MISSING))
    if "mode" in block:
        found.append((job.word("mode"), job.mode_name(block["mode"])))
    if pd.notna(block.get("cost")):
        word = "net_cost" if "mode" in block else "cost"
        found.append((job.word(word, job.money_unit), wan(block["cost"])))
    found.append((job.word("score_mean"), number(block.get("score_mean"), 2)))
    found += _ratios(job, parcels, shown, space)
    return [*found, *_signed(job, parcels, shown, consent)]


def _ratios(
    job: PrintJob, parcels: pd.DataFrame, shown: pd.DataFrame, space: pd.Series | None
) -> list[tuple[str, str]]:
    """Plot ratios and floor area before and after; before alone where there are no modes."""
    if space is not None:
        lacking = [int(space[f"{when}_floor_m2_unknown_parcels"]) for when in ("before", "after")]
        return [  # both figures first: where the line is too long its end is cut
            (job.word(word), _known(job, " → ".join(number(space[name], digits) for name in pair), *lacking))
            for word, digits, pair in (
                ("far_both", 2, ("far_before", "far_after")),
                ("floor_both", 0, ("before_floor_m2", "after_floor_m2")),
            )
        ]
    if "floor_m2" not in shown:
        return []
    floor = shown["floor_m2"].to_numpy(dtype=float, na_value=np.nan)
    known = ~np.isnan(floor)
    land_m2 = float(parcels["area_mu"].to_numpy(dtype=float)[known].sum()) * M2_PER_MU
    ratio = number(floor[known].sum() / land_m2, 2) if land_m2 else MISSING
    return [(job.word("far_before"), _known(job, ratio, int((~known).sum())))]


def _known(job: PrintJob, figure: str, *unknown: int) -> str:
    """A figure, or one before and after, with how many parcels it leaves out because they are unknown."""
    if not any(unknown):
        return figure
    return job.word("of_known", figure, " → ".join(str(n) for n in dict.fromkeys(unknown)))


def _signed(
    job: PrintJob, parcels: pd.DataFrame, shown: pd.DataFrame, consent: pd.Series | None
) -> list[tuple[str, str]]:
    """Signed share of right-holders and of area."""
    if consent is not None:
        both = f"{percent(consent['signed_holders_share'])} / {percent(consent['signed_area_share'])}"
        return [(job.word("signed_both"), _known(job, both, int(consent["unknown_parcels"])))]
    if "signed_share" not in shown:
        return []
    share = shown["signed_share"].to_numpy(dtype=float, na_value=np.nan)
    area = parcels["area_mu"].to_numpy(dtype=float)
    known = ~np.isnan(share)
    value = percent(np.average(share[known], weights=area[known])) if known.any() else MISSING
    return [(job.word("signed_area"), _known(job, value, int((~known).sum())))]


def _row(job: PrintJob, table: str, block_id: object) -> pd.Series | None:
    frame = job.contents.modes.get(table)
    if frame is None or "block_id" not in frame:
        return None
    rows = frame[frame["block_id"].astype(str) == str(block_id)]
    return rows.iloc[0] if len(rows) else None


def _milestones(job: PrintJob, block_id: str) -> list[tuple[str, str]]:
    row = _row(job, "milestones", block_id)
    if row is None:
        return []
    names = {key: name.zh if job.labels.language == "zh" else name.en for key, name in MILESTONE_NAMES.items()}
    return [(name, text(row[key])) for key, name in names.items() if key in row.index]


def _parcel_table(job: PrintJob, parcels: pd.DataFrame, shown: pd.DataFrame) -> tuple[list[Column], list[list[str]]]:
    """Number, id, area, land use, score, what is known of signing and lease, reason."""
    columns: list[tuple[Column, Sequence[str]]] = [
        (Column(job.word("row"), 7, "center"), [str(i + 1) for i in range(len(parcels))]),
        (Column(job.word("parcel_id"), 36), [str(i) for i in parcels["parcel_id"]]),
        (Column(job.word("mu"), 13, "right"), [mu(a) for a in parcels["area_mu"]]),
    ]
    if "land_use" in shown:
        columns.append((Column(job.fact("land_use"), 18), [text(v) for v in shown["land_use"]]))
    columns.append((Column(job.word("score"), 11, "right"), [number(s, 2) for s in parcels["score"]]))
    for fact, word, write in (("signed_share", "signed", percent), ("lease_year", "lease", _year)):
        if fact in shown:
            columns.append((Column(job.word(word), 13, "right"), [write(v) for v in shown[fact]]))
    reasons = [translated(str(r), job.labels.language) for r in parcels["reason"]]
    columns.append((Column(job.word("reason"), 62), reasons))
    return [column for column, _ in columns], [list(row) for row in zip(*(cells for _, cells in columns), strict=True)]


def _year(value: Any) -> str:
    return MISSING if pd.isna(value) else f"{float(value):g}"
