"""Land between parcels where it is hard to share out: lines that lead far out, crumbs at the edges of tiles."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.between import WIDTH_SLACK_M, _beside, allot_between
from geodata.repair import repair
from geodata.shares import _close_by
from geodata.spec import RepairSpec, SyntheticSpec
from geodata.synthetic import PARCEL_ID, generate

BOUNDS = np.array([[0.0, 0.0, 10.0, 4.0]])


def test_a_line_within_stays_to_the_last_bit() -> None:
    line = np.array([[[0.1, 0.3], [9.7, 3.9]]])
    kept, piece = _close_by(line, np.array([0]), BOUNDS)
    assert sorted(kept[0].tolist()) == line[0].tolist()  # in either direction
    assert piece.tolist() == [0]


def test_a_line_that_leads_far_out_ends_a_metre_beyond_the_piece() -> None:
    far = np.array([[[5.0, 1.0], [5.0, 5e12]], [[5e12, 2.0], [5.0, 2.0]]])
    kept, piece = _close_by(far, np.array([0, 0]), BOUNDS)
    assert kept.tolist() == [[[5.0, 1.0], [5.0, 5.0]], [[5.0, 2.0], [11.0, 2.0]]]
    assert piece.tolist() == [0, 0]


def test_lines_that_pass_by_are_dropped() -> None:
    lines = np.array([[[-5.0, 6.0], [20.0, 6.0]], [[20.0, 0.0], [20.0, 4.0]], [[-9.0, 0.0], [1.0, 20.0]]])
    kept, piece = _close_by(lines, np.array([0, 0, 0]), BOUNDS)
    assert len(kept) == len(piece) == 0


coordinate = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


@given(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), min_size=1, max_size=8))
def test_what_lies_near_the_piece_is_kept_whole(rows: list[tuple[float, float, float, float]]) -> None:
    lines = np.array(rows).reshape(-1, 2, 2)
    kept, _ = _close_by(lines, np.zeros(len(lines), dtype=np.int64), BOUNDS)
    near = shapely.box(-1.0, -1.0, 11.0, 5.0)
    wanted = shapely.length(shapely.intersection(shapely.linestrings(lines), near)).sum()
    assert (
        shapely.length(shapely.linestrings(kept)).sum() == pytest.approx(wanted, abs=1e-6)
        if len(kept)
        else (wanted == pytest.approx(0.0, abs=1e-6))
    )


def test_a_crumb_apart_from_its_parcel_is_nobody_s() -> None:
    parcels = np.array([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)])
    beside, crumb = shapely.box(10, 0, 12, 10), shapely.box(15, 0, 15.01, 0.02)
    united = np.array([shapely.multipolygons([beside, crumb]), shapely.box(15, 5, 15.1, 5.1)])
    found = _beside(np.array([0, 1]), united, parcels, 0.5)
    assert found.parcel.tolist() == [0]
    assert shapely.equals(found.geometry[0], beside)
    assert found.unallotted_m2 == pytest.approx(0.5 + 0.0002 + 0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "seed"), [("guangqing", 2023), ("guangqing", 2014), ("guzhen", 1)])
def test_on_generated_towns_all_of_it_is_shared_out_beside_its_parcels(case: str, seed: int) -> None:
    land = generate(SyntheticSpec.model_validate({"case": case, "seed": seed}))
    raw = land.parcels.rename(columns={PARCEL_ID: "parcel_id"}).set_index("parcel_id")[["geometry"]]
    shapes = repair(raw, RepairSpec()).parcels.sort_index().geometry.to_numpy()
    found = allot_between(shapes, land.barriers.geometry.to_numpy(), 12.0)
    parts, row = shapely.get_parts(found.geometry, return_index=True)
    assert (shapely.distance(parts, shapes[found.parcel[row]]) <= WIDTH_SLACK_M).all()
    corners, at = shapely.get_coordinates(found.geometry, return_index=True)
    away = shapely.distance(shapely.points(corners), shapes[found.parcel[at]])
    assert away.max() < 12.0  # land whose nearest parcel lies further off could hold a free disc
    assert found.unallotted_m2 < 1.0
