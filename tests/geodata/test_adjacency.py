from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import CUT_COLUMNS, REFUSED_COLUMNS, Adjacency, build_adjacency, perimeter_m
from geodata.barrier_index import empty_barriers
from geodata.errors import CrsError, DataError
from geodata.repair import repair
from geodata.spec import AdjacencySpec, RepairSpec
from tests.geodata.shapes import CRS, box, frame, jittered, walls, with_ids

SPEC = AdjacencySpec()
Pair = frozenset[str]


def barriers(**shapes: BaseGeometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": list(shapes)}, geometry=list(shapes.values()), crs=CRS)


NONE = empty_barriers(CRS)


def build(shapes: dict[str, BaseGeometry], spec: AdjacencySpec = SPEC, cuts: gpd.GeoDataFrame = NONE) -> Adjacency:
    return build_adjacency(frame(shapes), spec, cuts)


def shared(adjacency: Adjacency) -> dict[Pair, float]:
    ids = adjacency.parcel_ids
    return {frozenset((ids[i], ids[j])): m for (i, j), m in zip(adjacency.pairs, adjacency.shared_m, strict=True)}


def links(adjacency: Adjacency) -> dict[Pair, tuple[float, BaseGeometry]]:
    ids = adjacency.parcel_ids
    parts = zip(adjacency.link_pairs, adjacency.gap_m, adjacency.link_lines, strict=True)
    return {frozenset((ids[i], ids[j])): (gap, line) for (i, j), gap, line in parts}


def pairs_of(*names: str) -> set[Pair]:
    return {frozenset(name.split()) for name in names}


def check_arrays(adjacency: Adjacency) -> None:
    """What holds for every adjacency."""
    for pairs in (adjacency.pairs, adjacency.link_pairs):
        assert pairs.dtype == np.int64 and pairs.shape[1] == 2
        assert (pairs[:, 0] < pairs[:, 1]).all()
        assert [tuple(p) for p in pairs] == sorted({tuple(p) for p in pairs})
    assert len(adjacency.shared_m) == len(adjacency.pairs)
    assert len(adjacency.gap_m) == len(adjacency.link_lines) == len(adjacency.link_pairs)
    assert not set(shared(adjacency)) & set(links(adjacency))
    cut = {frozenset(p) for p in zip(adjacency.cut["parcel_a"], adjacency.cut["parcel_b"], strict=True)}
    assert len(cut) == len(adjacency.cut) and not cut & set(shared(adjacency))
    by_barrier = adjacency.cut[adjacency.cut["reason"] == "barrier"]
    assert not {frozenset(p) for p in zip(by_barrier["parcel_a"], by_barrier["parcel_b"], strict=True)} & set(
        links(adjacency)
    )
    assert (adjacency.cut["shared_after_m"] <= adjacency.cut["shared_before_m"] + 1e-9).all()


def check_links(parcels: gpd.GeoDataFrame, adjacency: Adjacency, spec: AdjacencySpec, cuts: gpd.GeoDataFrame) -> None:
    """Every link by its own line, with plain shapely."""
    geometry = np.asarray(parcels.geometry.array)
    i, j = adjacency.link_pairs.T
    tolerance = spec.touch_tolerance_m
    distance = shapely.distance(geometry[i], geometry[j])
    assert (adjacency.gap_m >= distance - tolerance - 1e-6).all()
    assert (adjacency.gap_m <= spec.bridge_max_m + 1e-6).all()
    assert (adjacency.facing_m >= spec.bridge_min_facing_m - 1e-6).all()
    line = adjacency.link_lines
    assert (np.abs(shapely.length(line) - adjacency.gap_m) <= tolerance + 1e-6).all()
    ids = np.asarray(adjacency.parcel_ids, dtype=object)
    first = np.where(ids[i] < ids[j], i, j)
    for end, parcel in ((0, first), (-1, i + j - first)):
        assert (shapely.distance(shapely.get_point(line, end), geometry[parcel]) <= tolerance).all()
    long = shapely.length(line) > 0
    n, parcel = shapely.STRtree(geometry).query(line[long])
    third = (parcel != i[long][n]) & (parcel != j[long][n])
    n, parcel = n[third], parcel[third]
    inside = np.bincount(n, shapely.length(shapely.intersection(line[long][n], geometry[parcel])), minlength=long.sum())
    assert (inside <= tolerance + 1e-9).all()
    for barrier in cuts.geometry:
        assert shapely.distance(shapely.get_point(line, 0), barrier).min(initial=99) >= spec.barrier_tolerance_m
        assert shapely.distance(line[long], barrier).min(initial=99) >= spec.barrier_tolerance_m


GRID = {f"{r}{c}": box(10 * c, 10 * r, 10, 10) for r in range(3) for c in range(3)}


def test_grid_has_twelve_edges_and_no_link_over_its_corners() -> None:
    adjacency = build(GRID)
    check_arrays(adjacency)
    assert shared(adjacency) == {
        frozenset((f"{r}{c}", f"{r + dr}{c + dc}")): pytest.approx(10.0)
        for r in range(3)
        for c in range(3)
        for dr, dc in ((0, 1), (1, 0))
        if r + dr < 3 and c + dc < 3
    }
    assert not links(adjacency)
    assert list(adjacency.refused.columns) == list(REFUSED_COLUMNS) and set(adjacency.refused["facing_m"]) == {0.0}
    corners = adjacency.refused[adjacency.refused["gap_m"] == 0]
    assert len(corners) == 8 and set(corners["reason"]) == {"faces too little"}
    assert len(adjacency.cut) == 8 and set(adjacency.cut["reason"]) == {"short"}
    assert adjacency.cut["barrier"].isna().all() and list(adjacency.cut.columns) == list(CUT_COLUMNS)


def test_pairs_are_positions_of_rows() -> None:
    adjacency = build({"z": box(0, 0, 10, 10), "far": box(90, 0, 10, 10), "a": box(10, 0, 10, 10)})
    assert adjacency.parcel_ids == ("z", "far", "a")
    assert adjacency.pairs.tolist() == [[0, 2]]


def test_t_junctions_and_one_long_edge_beside_several_short_ones() -> None:
    shapes = {
        "long": box(0, 0, 30, 10),
        "a": box(0, 10, 4, 10),
        "b": box(4, 10, 13, 10),
        "c": box(17, 10, 20, 10),
    }
    assert shared(build(shapes)) == {
        frozenset(("long", "a")): pytest.approx(4.0),
        frozenset(("long", "b")): pytest.approx(13.0),
        frozenset(("long", "c")): pytest.approx(13.0),
        frozenset(("a", "b")): pytest.approx(10.0),
        frozenset(("b", "c")): pytest.approx(10.0),
    }


@pytest.mark.parametrize("shift", [-0.04, -0.01, 0.01, 0.04])
def test_gaps_and_overlaps_within_the_tolerance_coincide(shift: float) -> None:
    adjacency = build({"a": box(0, 0, 10, 10), "b": box(10 + shift, 2, 10, 6)})
    assert shared(adjacency) == {frozenset("ab"): pytest.approx(6.0)}


def test_a_gap_beyond_the_tolerance_is_a_bridge() -> None:
    adjacency = build({"a": box(0, 0, 10, 10), "b": box(10.06, 0, 10, 10)})
    assert not len(adjacency.pairs) and links(adjacency)[frozenset("ab")][0] == pytest.approx(0.06)


def test_slightly_turned_edges_share_only_what_is_near() -> None:
    # The gap opens from 0 to 0.2 m over 20 m: within 0.05 m on the first 5 m.
    wedge = shapely.Polygon([(0, 0), (20, 0.2), (20, 10), (0, 10)])
    adjacency = build({"a": box(0, -10, 20, 10), "b": wedge})
    assert shared(adjacency) == {frozenset("ab"): pytest.approx(5.0, abs=0.01)}


def test_a_parcel_in_the_hole_of_another() -> None:
    hole = shapely.Polygon(shapely.box(0, 0, 30, 30).exterior, [shapely.box(10, 10, 20, 20).exterior.coords])
    adjacency = build({"ring": hole, "core": box(10, 10, 10, 10)})
    assert shared(adjacency) == {frozenset(("ring", "core")): pytest.approx(40.0)}
    assert perimeter_m(frame({"ring": hole}))["ring"] == pytest.approx(160.0)


def test_multipart_parcels_count_with_all_their_parts() -> None:
    two = shapely.MultiPolygon([box(0, 10, 10, 10), box(20, 10, 10, 10)])
    adjacency = build({"base": box(0, 0, 30, 10), "two": two})
    assert shared(adjacency) == {frozenset(("base", "two")): pytest.approx(20.0)}


def test_a_spike_beside_an_edge_counts_once() -> None:
    # b sends a spike 2 cm thin along the whole edge of a: both edges of the spike lie within the tolerance.
    spike = shapely.Polygon([(0, 10), (40, 10), (40, 10.02), (10, 10.02), (10, 20), (0, 20)])
    adjacency = build({"a": box(0, 0, 40, 10), "b": spike})
    assert shared(adjacency) == {frozenset("ab"): pytest.approx(40.0)}


@pytest.mark.parametrize(("width", "adjacent"), [(3.0, True), (2.99, False)])
def test_least_shared_boundary(width: float, adjacent: bool) -> None:
    adjacency = build({"a": box(0, 0, 10, 10), "b": box(10 - width, 10, 10, 10)})
    assert (len(adjacency.pairs) == 1) is adjacent
    if not adjacent:
        row = adjacency.cut.iloc[0]
        assert (row["parcel_a"], row["parcel_b"], row["reason"]) == ("a", "b", "short")
        assert row["shared_before_m"] == row["shared_after_m"] == pytest.approx(2.99)
        assert not links(adjacency) and adjacency.refused["facing_m"].tolist() == pytest.approx([2.99])
        less = AdjacencySpec(bridge_min_facing_m=2)  # boundary they share is faced at a width of 0
        gap, line = links(build({"a": box(0, 0, 10, 10), "b": box(10 - width, 10, 10, 10)}, less))[frozenset("ab")]
        assert gap == 0.0 and line.length == 0.0


def test_a_barrier_along_an_edge_cuts_it() -> None:
    canal = barriers(canal=shapely.LineString([(10.6, -5), (10.6, 35)]))
    adjacency = build(GRID, cuts=canal)
    check_arrays(adjacency)
    cut = adjacency.cut[adjacency.cut["reason"] == "barrier"]
    assert cut["parcel_a"].tolist() == ["00", "10", "20"] and cut["parcel_b"].tolist() == ["01", "11", "21"]
    assert cut["barrier"].tolist() == ["canal"] * 3
    assert cut["shared_before_m"].tolist() == pytest.approx([10.0] * 3)
    assert cut["shared_after_m"].tolist() == pytest.approx([0.0] * 3)
    assert len(shared(adjacency)) == 9
    assert not links(adjacency)  # corners on the canal are no way across it, nor are the others


def test_a_barrier_across_an_edge_takes_its_width_from_it() -> None:
    ditch = barriers(ditch=shapely.LineString([(0, 4), (20, 4)]))
    shapes = {"a": box(0, 0, 10, 10), "b": box(10, 0, 10, 10)}
    assert shared(build(shapes, cuts=ditch)) == {frozenset("ab"): pytest.approx(8.0, abs=1e-3)}
    thin = AdjacencySpec(min_shared_m=8.5)
    adjacency = build(shapes, thin, ditch)
    row = adjacency.cut.iloc[0]
    assert (row["reason"], row["barrier"]) == ("barrier", "ditch")
    assert (row["shared_before_m"], row["shared_after_m"]) == pytest.approx((10.0, 8.0), abs=1e-3)
    assert not len(adjacency.link_pairs)


def test_two_barriers_are_both_named_and_not_counted_twice() -> None:
    both = barriers(
        wall=shapely.LineString([(10, 0), (10, 5)]), pond=box(9, 3, 2, 9), far=shapely.LineString([(90, 0), (91, 0)])
    )
    adjacency = build({"a": box(0, 0, 10, 10), "b": box(10, 0, 10, 10)}, cuts=both)
    assert adjacency.cut["barrier"].tolist() == ["pond; wall"]
    assert adjacency.cut["shared_after_m"].tolist() == [0.0]


def test_the_whole_area_of_a_polygon_is_barrier() -> None:
    # A river with more vertices than one piece holds, over the whole lower half of the contact.
    river = shapely.buffer(shapely.LineString([(-500, -40), (500, -40)]), 45, quad_segs=200)
    adjacency = build({"a": box(0, -20, 10, 60), "b": box(10, -20, 10, 60)}, cuts=barriers(river=river))
    assert shared(adjacency) == {frozenset("ab"): pytest.approx(40 - 5 - 1, abs=1e-3)}


def test_barrier_tolerance_of_zero_means_the_touch_tolerance() -> None:
    line = barriers(line=shapely.LineString([(10.03, 0), (10.03, 10)]))
    zero = AdjacencySpec(barrier_tolerance_m=0.0)
    adjacency = build({"a": box(0, 0, 10, 10), "b": box(10, 0, 10, 10)}, zero, line)
    assert not len(adjacency.pairs) and not len(adjacency.link_pairs)


def test_a_lane_is_bridged_and_a_road_is_not() -> None:
    shapes = {"a": box(0, 0, 20, 20), "b": box(26, 0, 20, 20), "c": box(59, 0, 20, 20)}
    adjacency = build(shapes)
    assert set(links(adjacency)) == pairs_of("a b")
    gap, line = links(adjacency)[frozenset("ab")]
    assert gap == pytest.approx(6.0) and line.length == pytest.approx(6.0)
    assert shapely.get_coordinates(line)[:, 0].tolist() == [20.0, 26.0]
    assert not len(build(shapes, AdjacencySpec(bridge_max_m=0)).link_pairs)


def test_no_bridge_across_a_barrier_or_a_third_parcel() -> None:
    shapes = {"a": box(0, 0, 20, 20), "b": box(26, 0, 20, 20)}
    canal = barriers(canal=shapely.LineString([(23, -50), (23, 50)]))
    assert not len(build(shapes, cuts=canal).link_pairs)
    between = {**shapes, "strip": box(22, -50, 2, 100)}
    assert set(links(build(between))) == pairs_of("a strip", "b strip")


@pytest.mark.parametrize("blocked", ["north", "south"])
def test_another_line_across_the_lane_is_found_where_an_end_is_taken(blocked: str) -> None:
    # Whichever corner the shortest line is drawn from, a hut stands at one end of the lane.
    shapes = {"a": box(0, 0, 20, 20), "b": box(26, 0, 20, 20)}
    shapes["hut"] = box(21, 18, 4, 9) if blocked == "north" else box(21, -7, 4, 9)
    adjacency = build(shapes)
    assert frozenset("ab") in links(adjacency)
    check_links(frame(shapes), adjacency, SPEC, NONE)
    wall = barriers(wall=shapely.LineString([(23, 16), (23, 40)] if blocked == "north" else [(23, 4), (23, -20)]))
    adjacency = build({k: v for k, v in shapes.items() if k != "hut"}, cuts=wall)
    assert frozenset("ab") in links(adjacency)


def test_a_lane_built_over_in_its_whole_length_is_no_bridge() -> None:
    shapes = {"a": box(0, 0, 20, 20), "b": box(26, 0, 20, 20), "hut": box(20.5, 0, 5, 20)}
    assert frozenset("ab") not in links(build(shapes))


def test_a_barrier_through_a_crossing_closes_its_corners() -> None:
    four = {"nw": box(0, 10, 10, 10), "ne": box(10, 10, 10, 10), "sw": box(0, 0, 10, 10), "se": box(10, 0, 10, 10)}
    diagonal = barriers(rail=shapely.LineString([(0, 0.5), (20, 20.5)]))
    adjacency = build(four, cuts=diagonal)
    assert not len(adjacency.link_pairs)
    assert set(shared(adjacency)) == pairs_of("nw ne", "nw sw", "ne se", "sw se")


@pytest.mark.parametrize(("facing", "linked"), [(3.0, True), (2.99, False)])
def test_parcels_must_face_each_other_over_enough(facing: float, linked: bool) -> None:
    adjacency = build({"a": box(0, 0, 20, 20), "b": box(20 - facing, 26, 20, 20)})
    assert len(adjacency.link_pairs) == linked
    if linked:
        assert adjacency.gap_m.tolist() == [6.0] and adjacency.facing_m.tolist() == pytest.approx([3.0])
    else:
        row = adjacency.refused.iloc[0]
        assert (row["reason"], row["gap_m"], row["facing_m"]) == ("faces too little", 6.0, pytest.approx(2.99))


def test_the_gap_is_the_width_of_the_lane_not_the_distance_of_corners() -> None:
    # Across a crossroads of lanes of 6 m the corners are 8.5 m apart: no lane leads straight from one to the other.
    four = {f"{r}{c}": box(26 * c, 26 * r, 20, 20) for r in range(2) for c in range(2)}
    adjacency = build(four)
    assert set(links(adjacency)) == pairs_of("00 01", "00 10", "01 11", "10 11")
    assert adjacency.gap_m.tolist() == pytest.approx([6.0] * 4)
    assert adjacency.facing_m.tolist() == pytest.approx([20.0] * 4)
    # A lane that narrows from 8 m to 4 m over its length.
    wedge = shapely.Polygon([(0, 28), (20, 24), (20, 50), (0, 50)])
    gap, line = links(build({"a": box(0, 0, 20, 20), "b": wedge}))[frozenset("ab")]
    assert gap == pytest.approx(4.0) and line.length <= gap + 0.05


def test_refused_pairs_name_what_lies_between() -> None:
    shapes = {"a": box(0, 0, 20, 20), "b": box(26, 0, 20, 20)}
    canal = build(shapes, cuts=barriers(canal=shapely.LineString([(23, -50), (23, 50)])))
    assert canal.refused[["reason", "by", "facing_m"]].to_numpy().tolist() == [["barrier", "canal", 0.0]]
    hut = build({**shapes, "hut": box(21, 0, 4, 18)})
    row = hut.refused.set_index(["parcel_a", "parcel_b"]).loc[("a", "b")]
    assert (row["reason"], row["by"]) == ("another parcel between", "hut")
    assert row["facing_m"] == pytest.approx(2.0, abs=0.02)


def test_row_order_changes_only_the_positions() -> None:
    shapes = {**GRID, "x": box(36, 0, 10, 30), "y": box(0, 33, 46, 10)}
    canal = barriers(canal=shapely.LineString([(-5, 20.4), (50, 20.4)]))
    names = list(shapes)
    straight = build(shapes, cuts=canal)
    back = build({name: shapes[name] for name in reversed(names)}, cuts=canal)
    check_arrays(back)
    assert shared(straight) == shared(back)
    assert {k: (g, line.wkt) for k, (g, line) in links(straight).items()} == {
        k: (g, line.wkt) for k, (g, line) in links(back).items()
    }
    pd.testing.assert_frame_equal(straight.cut, back.cut)


def test_no_parcels_and_one_parcel() -> None:
    empty = build_adjacency(frame(GRID).iloc[:0], SPEC, NONE)
    check_arrays(empty)
    assert empty.parcel_ids == ()
    one = build({"a": box(0, 0, 10, 10)}, cuts=barriers(canal=shapely.LineString([(0, 0), (10, 0)])))
    check_arrays(one)
    assert not len(one.pairs) and one.cut.empty


def test_bad_layers_are_refused() -> None:
    parcels = frame({"a": box(0, 0, 10, 10), "bow": shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])})
    with pytest.raises(DataError, match="no valid polygon for bow"):
        build_adjacency(parcels, SPEC, NONE)
    good = parcels.iloc[:1]
    with pytest.raises(CrsError, match="barriers, CRS"):
        build_adjacency(good, SPEC, barriers(canal=shapely.Point(0, 0)).to_crs(4326))
    nameless = gpd.GeoDataFrame({"name": [None, "b"]}, geometry=[box(0, 0, 1, 1), None], crs=CRS)
    with pytest.raises(DataError) as caught:
        build_adjacency(good, SPEC, nameless)
    assert [i.found for i in caught.value.issues] == ["no geometry", "no name"]
    with pytest.raises(DataError, match="no such column"):
        build_adjacency(good, SPEC, nameless[["geometry"]])


def brick_edges(wall: list[BaseGeometry]) -> dict[tuple[int, int], float]:
    """Shared length of upright rectangles from their corners alone."""
    out = {}
    for i, a in enumerate(shapely.bounds(wall)):
        for j, b in enumerate(shapely.bounds(wall)[:i]):
            over_x = min(a[2], b[2]) - max(a[0], b[0])
            over_y = min(a[3], b[3]) - max(a[1], b[1])
            if over_x == 0 or over_y == 0:
                out[j, i] = max(over_x, over_y, 0.0)
    return out


@settings(max_examples=25, deadline=None)
@given(walls(), st.integers(0, 1000))
def test_jittered_and_shuffled_walls_keep_their_neighbours(wall: list[BaseGeometry], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = {f"{k:03d}": jittered(shape, seed + k) for k, shape in enumerate(wall)}
    names = list(rng.permutation(list(shapes)))
    parcels = repair(frame({name: shapes[name] for name in names}), RepairSpec()).parcels
    adjacency = build_adjacency(parcels, SPEC, NONE)
    check_arrays(adjacency)
    check_links(parcels, adjacency, SPEC, NONE)
    found = shared(adjacency)
    for (i, j), expected in brick_edges(wall).items():
        a, b = f"{i:03d}", f"{j:03d}"
        pair = frozenset((a, b))
        if expected > SPEC.min_shared_m + 0.2:
            length = found.pop(pair)
            assert length >= expected - 0.15
            # Repaired boundaries may run to and fro within the tolerance, and are longer by that.
            seam = shapely.intersection(parcels.geometry[a], parcels.geometry[b]).length
            assert length == pytest.approx(max(expected, seam), abs=0.15)
        elif expected >= SPEC.min_shared_m - 0.2:
            found.pop(pair, None)
    assert not found


@settings(max_examples=25, deadline=None)
@given(walls(), st.data())
def test_a_barrier_only_ever_takes_away(wall: list[BaseGeometry], data: st.DataObject) -> None:
    # Bricks drawn apart by a lane of 4 m here and there, so that there are bridges too.
    apart = [shapely.affinity.translate(shape, yoff=4.0 * (k % 3 == 0)) for k, shape in enumerate(wall)]
    parcels = repair(frame({f"{k:03d}": shape for k, shape in enumerate(apart)}), RepairSpec()).parcels
    free = build_adjacency(parcels, SPEC, NONE)
    x0, y0, x1, y1 = parcels.total_bounds
    points = data.draw(
        st.lists(st.tuples(st.floats(x0 - 5, x1 + 5), st.floats(y0 - 5, y1 + 5)), min_size=2, max_size=4, unique=True)
    )
    shape = shapely.LineString(points)
    if data.draw(st.booleans()):
        shape = shape.buffer(data.draw(st.floats(0.5, 15)))
    cuts = barriers(thing=shape)
    cut = build_adjacency(parcels, SPEC, cuts)
    check_arrays(cut)
    check_links(parcels, cut, SPEC, cuts)
    assert set(shared(cut)) <= set(shared(free))
    assert all(shared(cut)[pair] <= shared(free)[pair] + 1e-9 for pair in shared(cut))
    assert set(links(cut)) <= set(links(free))


@settings(max_examples=25, deadline=None)
@given(walls(), st.data())
def test_a_barrier_along_an_edge_removes_the_pair(wall: list[BaseGeometry], data: st.DataObject) -> None:
    parcels = frame({f"{k:03d}": shape for k, shape in enumerate(wall)})
    free = build_adjacency(parcels, SPEC, NONE)
    if not len(free.pairs):
        return
    i, j = free.pairs[data.draw(st.integers(0, len(free.pairs) - 1))]
    edge = shapely.intersection(parcels.geometry.iloc[i], parcels.geometry.iloc[j])
    cut = build_adjacency(parcels, SPEC, barriers(edge=edge))
    pair = frozenset((parcels.index[i], parcels.index[j]))
    assert pair in shared(free) and pair not in shared(cut) and pair not in links(cut)
    row = cut.cut[(cut.cut["parcel_a"].isin(pair)) & (cut.cut["parcel_b"].isin(pair))]
    assert row["barrier"].tolist() == ["edge"]


@pytest.mark.slow
def test_swellendam_with_its_river_and_roads(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("swellendam")
    parcels = repair(with_ids(pyogrio.read_dataframe(folder / "farms_33S.shp")), RepairSpec()).parcels
    layers = [pyogrio.read_dataframe(folder / f"{name}_33S.shp")[["geometry"]] for name in ("water", "roads")]
    cuts = pd.concat([layer.assign(name=name) for layer, name in zip(layers, ("river", "road"), strict=True)])
    cuts = cuts[~cuts.geometry.isna()].reset_index(drop=True)
    free, cut = build_adjacency(parcels, SPEC, NONE), build_adjacency(parcels, SPEC, cuts)
    check_arrays(cut)
    assert set(shared(cut)) < set(shared(free)) and set(links(cut)) <= set(links(free))
    lost = {frozenset(p) for p in cut.cut.loc[cut.cut["reason"] == "barrier", ["parcel_a", "parcel_b"]].to_numpy()}
    assert set(shared(free)) - set(shared(cut)) <= lost
    near = shapely.union_all(shapely.buffer(np.asarray(cuts.geometry.array), 0.9))
    assert not shapely.intersects(near, np.asarray(cut.link_lines[cut.gap_m > 0])).any()


def test_perimeter_follows_the_index() -> None:
    parcels = frame({"b": box(0, 0, 10, 10), "a": box(0, 20, 5, 1)})
    series = perimeter_m(parcels)
    assert series.to_dict() == {"b": 40.0, "a": 12.0} and series.name == "perimeter_m"


def test_union_of_a_row_has_the_perimeter_that_the_shared_lengths_say() -> None:
    widths = [7.0, 11.0, 5.0, 9.0]
    starts = np.concatenate([[0.0], np.cumsum(widths)])
    parcels = frame({f"{k}": box(x, 0, w, 12) for k, (x, w) in enumerate(zip(starts[:-1], widths, strict=True))})
    adjacency = build_adjacency(parcels, SPEC, NONE)
    assert set(shared(adjacency)) == {frozenset((f"{a}", f"{b}")) for a, b in pairwise(range(4))}
    whole = perimeter_m(parcels).sum() - 2 * adjacency.shared_m.sum()
    assert whole == pytest.approx(parcels.union_all().length)
