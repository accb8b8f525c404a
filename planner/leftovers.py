"""Land that a plan leaves behind beside its blocks, too small to become a block later."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from planner.problem import AREA_TOLERANCE_MU, Floats, Ints, Problem
from planner.tables import LEFTOVER_COLUMNS

_JOIN: Final = ", "


def leftovers(parcels: gpd.GeoDataFrame, problem: Problem) -> gpd.GeoDataFrame:
    """Orphan gaps: connected land outside the plan, beside a block, with less than the least area of a block.

    Counted is land that is not in the plan and not excluded, eligible or not. Parcels hang together over the contacts
    that a block may use: shared boundaries and bridged links, within one zone where blocks stay within one. A gap is
    beside a block where any of its parcels touches one of the block or has a bridged link to it, zones aside.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Layer of parcels of a plan (``parcel_id``, ``area_mu``, ``status``, ``block_id``, ``perimeter_m``), in the order
        of the problem.
    problem : Problem

    Returns
    -------
    geopandas.GeoDataFrame
        `LEFTOVER_COLUMNS`, largest first, then by the first parcel id: ``leftover_id`` L-01 … · ``area_mu`` ·
        ``n_parcels`` int64 · ``blocks``, ids of the blocks beside it · ``enclosed_share``, part of its outline that it
        shares with blocks: 1 = surrounded; land between parcels, such as lanes, is not shared · ``parcels``, their ids.
        Geometry = union of the parcels.
    """
    group = _groups(parcels, problem)
    area = _sums(group[group >= 0], problem.area_mu[group >= 0], int(group.max(initial=-1)) + 1)
    small = area < problem.block_min_mu - AREA_TOLERANCE_MU
    outline, shared = _outlines(parcels, problem, group, len(area))
    beside = _blocks_beside(problem, group, parcels["block_id"])
    rows: list[dict[str, Any]] = []
    shapes, geometry = [], parcels.geometry.to_numpy()
    for g in np.flatnonzero(small).tolist():
        if g not in beside:
            continue
        members = np.flatnonzero(group == g)
        rows.append(
            {
                "leftover_id": "",
                "area_mu": float(area[g]),
                "n_parcels": len(members),
                "blocks": _JOIN.join(sorted(beside[g])),
                "enclosed_share": float(np.clip(shared[g] / outline[g], 0.0, 1.0)) if outline[g] > 0 else 0.0,
                "parcels": _JOIN.join(sorted(problem.parcel_ids[i] for i in members.tolist())),
            }
        )
        shapes.append(shapely.union_all(geometry[members]))
    types = dict.fromkeys(LEFTOVER_COLUMNS, "object") | {"area_mu": "float64", "enclosed_share": "float64"}
    frame = pd.DataFrame(rows, columns=list(LEFTOVER_COLUMNS)).astype(types | {"n_parcels": "int64"})
    layer = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=parcels.crs), crs=parcels.crs)
    layer = layer.sort_values(["area_mu", "parcels"], ascending=[False, True], ignore_index=True)
    layer["leftover_id"] = pd.Series([f"L-{k:02d}" for k in range(1, len(layer) + 1)], dtype=object)
    return layer


def leftover_figures(layer: gpd.GeoDataFrame) -> dict[str, Any]:
    """How many gaps there are, their land and their parcels, for ``summary.json``."""
    return {
        "count": len(layer),
        "area_mu": float(layer["area_mu"].sum()),
        "parcels": int(layer["n_parcels"].sum()),
    }


def _groups(parcels: gpd.GeoDataFrame, problem: Problem) -> Ints:
    """Number of the connected group of each parcel that is left, -1 for the others."""
    status = parcels["status"]
    left = np.asarray(~status.isin(["selected", "excluded"]), dtype=np.bool_)
    contacts = np.concatenate([problem.pairs, problem.link_pairs]).reshape(-1, 2)
    if problem.within_zone:
        contacts = contacts[problem.zone[contacts[:, 0]] == problem.zone[contacts[:, 1]]]
    i, j = contacts[left[contacts].all(axis=1)].T
    matrix = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(problem.n, problem.n))
    _, label = connected_components(matrix, directed=False)
    return np.where(left, label.astype(np.int64), -1)


def _outlines(parcels: gpd.GeoDataFrame, problem: Problem, group: Ints, count: int) -> tuple[Floats, Floats]:
    """Length of the outline of each group, and how much of it is shared with blocks, m."""
    taken = np.asarray(parcels["status"] == "selected", dtype=np.bool_)
    left = group >= 0
    outline = _sums(group[left], problem.perimeter_m[left], count)
    a, b = problem.pairs.reshape(-1, 2).T
    inner = left[a] & (group[a] == group[b])
    outline = outline - 2 * _sums(group[a[inner]], problem.shared_m[inner], count)
    shared = np.zeros(count)
    for one, other in ((a, b), (b, a)):
        touching = left[one] & taken[other]
        shared += _sums(group[one[touching]], problem.shared_m[touching], count)
    return outline, shared


def _sums(group: Ints, values: Floats, count: int) -> Floats:
    """Sum of the values of each group, ``float64[count]``."""
    return np.asarray(np.bincount(group, weights=values, minlength=count), dtype=np.float64)


def _blocks_beside(problem: Problem, group: Ints, block_id: pd.Series[Any]) -> dict[int, set[str]]:
    """Names of the blocks that each group has a contact with; groups without one are missing."""
    name, in_block = block_id.to_numpy(dtype=object), block_id.notna().to_numpy(dtype=bool)
    contacts = np.concatenate([problem.pairs, problem.link_pairs]).reshape(-1, 2)
    found: dict[int, set[str]] = {}
    for one, other in (contacts.T, contacts[:, ::-1].T):
        touching = (group[one] >= 0) & in_block[other]
        for g, block in zip(group[one[touching]].tolist(), name[other[touching]].tolist(), strict=True):
            found.setdefault(g, set()).add(str(block))
    return found
