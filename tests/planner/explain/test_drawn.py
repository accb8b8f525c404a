from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata.errors import DataError
from planner.explain import Columns, Drawn, read_drawn
from planner.problem import Block, Phase, Problem
from tests.planner.optimise.instances import grid_problem

SIDE = 100.0
PHASES = (Phase("now", 1, 1.0), Phase("later", 3, 0.9))


def land(**changes: object) -> tuple[Problem, gpd.GeoDataFrame]:
    """Four squares of 100 m in a row."""
    problem = grid_problem(4, 1, phases=PHASES, **changes)
    shapes = [shapely.box(500_000 + k * SIDE, 0, 500_000 + (k + 1) * SIDE, SIDE) for k in range(4)]
    parcels = gpd.GeoDataFrame({"x": 0}, geometry=shapes, index=list(problem.parcel_ids), crs="EPSG:4547")
    return problem, parcels.rename_axis("parcel_id")


def table(folder: Path, text: str, columns: Columns | None = None, **changes: object) -> Drawn:
    path = folder / "blocks.csv"
    path.write_text(text, encoding="utf-8")
    return read_drawn(path, *land(**changes), columns)


def polygons(folder: Path, spans: list[tuple[float, float, object]], **columns: list[str]) -> Drawn:
    """Rectangles from and to, in parcels, with a phase."""
    shapes = [shapely.box(500_000 + a * SIDE, 0, 500_000 + b * SIDE, SIDE) for a, b, _ in spans]
    data = {"phase": [p for _, _, p in spans], **columns}
    path = folder / "blocks.gpkg"
    gpd.GeoDataFrame(data, geometry=shapes, crs="EPSG:4547").to_file(path, driver="GPKG")
    return read_drawn(path, *land())


def test_a_table_of_parcels(tmp_path: Path) -> None:
    drawn = table(tmp_path, "parcel_id,block,phase\np002,west,later\np000,east,now\np003,west,later\n")
    assert drawn.labels == ("west", "east")
    assert drawn.blocks == (Block((2, 3), 1), Block((0,), 0))
    assert drawn.cut == ()


def test_phases_by_number_and_columns_by_name(tmp_path: Path) -> None:
    text = "code;P;when\np001;A;2\n"
    drawn = table(tmp_path, text, Columns(phase="when", block="P", parcel="code"))
    assert drawn.blocks == (Block((1,), 1),)


def test_everything_wrong_with_a_table_is_told_at_once(tmp_path: Path) -> None:
    text = "parcel_id,block,phase\np000,A,now\np000,A,now\nq,A,later\np001,B,never\n"
    with pytest.raises(DataError) as caught:
        table(tmp_path, text)
    said = str(caught.value)
    for part in ("unknown parcels: q (row 4)", "in two rows: p000", "block A: 'later', 'now'", "block B: 'never'"):
        assert part in said


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column for the phase; columns: parcel_id, block"):
        table(tmp_path, "parcel_id,block\np000,A\n")
    with pytest.raises(DataError, match="no column 'when'"):
        table(tmp_path, "parcel_id,block,phase\np000,A,now\n", Columns(phase="when"))


def test_polygons_take_the_parcels_they_hold_most_of(tmp_path: Path) -> None:
    # the first ends 0.3 into parcel 2, the second begins there and ends 0.4 into parcel 3
    drawn = polygons(tmp_path, [(0, 2.3, "now"), (2.3, 3.4, "later")])
    assert drawn.blocks == (Block((0, 1), 0), Block((2,), 1))
    by_id = {c.parcel_id: c for c in drawn.cut}
    assert by_id["p002"].shares == pytest.approx({"B2": 0.7, "B1": 0.3})
    assert by_id["p002"].given_to == "B2"
    assert by_id["p003"].shares == pytest.approx({"outside": 0.6, "B2": 0.4})
    assert by_id["p003"].given_to is None


def test_polygons_of_one_block_go_together(tmp_path: Path) -> None:
    drawn = polygons(tmp_path, [(0, 1, 1), (2, 3, 2), (1, 2, 1)], block=["a", "b", "a"])
    assert drawn.labels == ("a", "b")
    assert drawn.blocks == (Block((0, 1), 0), Block((2,), 1))


def test_a_polygon_without_a_parcel_is_noted(tmp_path: Path) -> None:
    drawn = polygons(tmp_path, [(0, 1, "now"), (3.0, 3.2, "now")])
    assert drawn.blocks == (Block((0,), 0),)
    assert "left out: B2" in drawn.notes[0]


def test_fixed_blocks_are_added(tmp_path: Path) -> None:
    drawn = table(tmp_path, "parcel_id,block,phase\np000,A,now\n", fixed=(Block((2, 3), 0),))
    assert drawn.blocks == (Block((0,), 0), Block((2, 3), 0))
    assert "1 fixed blocks were not drawn" in drawn.notes[0]
