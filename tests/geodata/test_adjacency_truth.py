"""Shared lengths against a slow method that has nothing of it in common: shapely alone, pair by pair.

The slow method buffers the boundary of one parcel by the touch tolerance and measures what of the other's boundary lies
in it, both ways; the lesser counts. It measures more than the shared length, for reasons that bound the difference:

* every stretch runs past its two ends by up to the tolerance, where boundaries part square to each other, and by more
  where they part at a blunt angle: past a bend of angle t by tolerance / sin(t), where they only drift apart;
* an edge steeper than 45 degrees to the other boundary is within the buffer and shares nothing.

So every stretch beyond a real contact, taken at both of its ends, is allowed `END_M`, and boundaries that drift
apart `SHARE` of the length. The largest disagreements are those with many such ends or long drifts: 0.2 m in Cambridge
and Seoul, 0.7 m in Thiene, at least 1.3 m in Veneto, 2.2 m in Swellendam. Ours is never
longer than theirs by more than the rounding of the buffer's circles.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import Adjacency, build_adjacency
from geodata.barrier_index import empty_barriers
from geodata.repair import repair
from geodata.spec import AdjacencySpec, RepairSpec
from tests.geodata.shapes import cambridge, with_ids

SPEC = AdjacencySpec()
END_M = 2 * SPEC.touch_tolerance_m
"""What the slow method may add to each stretch, at both its ends together, where boundaries part square."""
SHARE = 0.01
LEAST_M = 0.1
Shared = Callable[[str], Path]


def middle(raw: gpd.GeoDataFrame, share: float) -> gpd.GeoDataFrame:
    """What meets the middle of the box, as wide and high as this share of it."""
    x0, y0, x1, y1 = raw.total_bounds
    dx, dy = (x1 - x0) * (1 - share) / 2, (y1 - y0) * (1 - share) / 2
    return raw.cx[x0 + dx : x1 - dx, y0 + dy : y1 - dy]


def read(name: str, folder: Shared, share: float) -> gpd.GeoDataFrame:
    """One of the five sets, or the middle of it."""
    if name == "cambridge":
        raw = cambridge(folder("cambridge_fy13"))
        raw = raw.cx[228000:229800, 904300:905500] if share < 1 else raw
    elif name == "veneto":
        raw = middle(gpd.read_parquet(folder("veneto/veneto_PD_56559.parquet")), share)
    else:
        paths = {
            "thiene": "veneto/thiene_cluster.gpkg",
            "swellendam": "swellendam/farms_33S.shp",
            "seoul": "seoul_gangnam/Parcels.shp",
        }
        raw = middle(pyogrio.read_dataframe(folder(paths[name])), share)
    return repair(with_ids(raw), RepairSpec()).parcels


def slow_shared_m(a: BaseGeometry, b: BaseGeometry, tolerance_m: float) -> tuple[float, int]:
    """Boundary of each within a buffer of the other's, the shorter of the two; and in how many pieces."""
    low, high = np.split(np.array([shapely.bounds(one) for one in (a, b)]), 2, axis=1)
    box = np.concatenate([low.max(axis=0) - 1.0, high.min(axis=0) + 1.0])
    lines = [shapely.clip_by_rect(shapely.boundary(one), *box) for one in (a, b)]
    sides = [shapely.intersection(one, shapely.buffer(other, tolerance_m)) for one, other in (lines, reversed(lines))]
    pieces = [shapely.line_merge(side) for side in sides]
    return min(side.length for side in sides), max(int(shapely.get_num_geometries(p)) for p in pieces)


def disagreement(parcels: gpd.GeoDataFrame, adjacency: Adjacency, most: int) -> tuple[int, float, float]:
    """Pairs compared, and by how much ours is shorter than the slow method at most: in all, and less what is allowed.

    Every pair that comes within the tolerance must be spoken of, and be adjacent just if it shares enough.
    """
    geometry = np.asarray(parcels.geometry.array)
    i, j = shapely.STRtree(geometry).query(geometry, predicate="dwithin", distance=SPEC.touch_tolerance_m)
    every = np.stack([i, j], axis=1)[i < j]
    every = every[np.lexsort(every.T[::-1])][:: max(1, len(every) // most)]
    cut = adjacency.cut
    ours = {(a, b): m for a, b, m in cut[["parcel_a", "parcel_b", "shared_before_m"]].itertuples(index=False)}
    ids = adjacency.parcel_ids
    adjacent = {
        (min(ids[i], ids[j]), max(ids[i], ids[j])): m
        for (i, j), m in zip(adjacency.pairs.tolist(), adjacency.shared_m.tolist(), strict=True)
    }
    ours |= adjacent
    largest, beyond = 0.0, 0.0
    for i, j in every.tolist():
        pair = (min(ids[i], ids[j]), max(ids[i], ids[j]))
        assert pair in ours, f"{pair} touch, and are not spoken of"
        assert (ours[pair] >= SPEC.min_shared_m - 1e-6) == (pair in adjacent)
        length, pieces = slow_shared_m(geometry[i], geometry[j], SPEC.touch_tolerance_m)
        assert ours[pair] <= length + 1e-3, (pair, ours[pair], length)
        largest = max(largest, length - ours[pair])
        beyond = max(beyond, length - ours[pair] - END_M * pieces - max(LEAST_M, SHARE * length))
    return len(every), largest, beyond


def check(name: str, folder: Shared, share: float, most: int) -> float:
    """Largest disagreement of a set, m, which is written to standard output as well."""
    parcels = read(name, folder, share)
    adjacency = build_adjacency(parcels, SPEC, empty_barriers(parcels.crs))
    count, largest, beyond = disagreement(parcels, adjacency, most)
    sys.stdout.write(f"{name}: {count} pairs of {len(parcels)} parcels, largest disagreement {largest:.3f} m\n")
    assert count > 100
    assert beyond <= 0
    return largest


WINDOWS = {"cambridge": 0.5, "thiene": 0.2, "veneto": 0.08, "swellendam": 0.25, "seoul": 1.0}


@pytest.mark.parametrize("name", list(WINDOWS))
def test_windows_of_real_sets(shared_data: Shared, name: str) -> None:
    check(name, shared_data, WINDOWS[name], 250)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(WINDOWS))
def test_whole_sets(shared_data: Shared, name: str) -> None:
    """Every pair of every parcel."""
    check(name, shared_data, 1.0, sys.maxsize)


def test_the_slow_method_on_two_squares() -> None:
    """10 m shared, and at each end the two sides that part square to it, up to the tolerance of each."""
    length, pieces = slow_shared_m(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), 0.05)
    assert length == pytest.approx(10.1, abs=1e-3) and pieces == 1
