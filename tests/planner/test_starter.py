"""``planner init``: what is guessed from a file, that the result can be planned, and the bundled sample."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geodata.errors import CrsError, DataError
from geodata.units import M2_PER_MU
from geodata.write import write_gpkg
from planner.config_file import load_config
from planner.errors import ConfigError
from planner.pipeline import prepare_run
from planner.starter import NUMBER_COLUMN, SAMPLE_LAND, write_sample, write_starter
from planner.starter_guess import guess, nearly_unique_columns, unique_columns
from planner.starter_text import nice
from tests.planner.land_builders import PLAN_FILES, grid_land, names, planner, write_land

AREA_M2 = 10 * M2_PER_MU


def village_land(n_rows: int = 3, n_columns: int = 5) -> gpd.GeoDataFrame:
    """Columns as a village's own file has them."""
    land = grid_land(n_rows, n_columns)
    n = len(land)
    k = np.arange(n)
    return gpd.GeoDataFrame(
        {
            "宗地编码": [f"4419001180{i:04d}" for i in k],
            "村(社区)": land["village"].map({"west": "罗马村", "east": "长山头村"}),
            "用地现状": ["住宅" if i % 9 == 0 else "工业" if i % 2 else "仓储物流" for i in k],
            "证载面积": np.full(n, 10.02),
            "亩均税收（万元）": [None if i % 11 == 0 else float(i % 7) for i in k],
            "容积率": [0.3 + 0.1 * (i % 9) for i in k],
            "建成年份": [0 if i % 10 == 0 else 1990 + int(i) % 20 for i in k],
            "拆迁补偿_万元": [100.0 + i for i in k],
            "备注": ["-"] * n,
        },
        geometry=land.geometry.to_numpy(),
        crs=land.crs,
    )


def frame_of(**columns: list[Any]) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(k, 0, k + 1, 1) for k in range(n)], crs="EPSG:4547")


def guessed(columns: dict[str, list[Any]]) -> dict[str, Any]:
    n = len(next(iter(columns.values())))
    layer = frame_of(**{"id": [f"P{k}" for k in range(n)], **columns})
    return {c.column: c for c in guess(layer, np.full(n, AREA_M2)).columns}


# ------------------------------------------------------------------------------------------------ guesses


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"name": ["a", "b"], "OBJECTID": [1, 2]}, ["name", "OBJECTID"]),
        ({"name": ["a", "a"], "OBJECTID": [1, 2]}, ["OBJECTID"]),
        ({"GlobalID": ["{a}", "{b}"], "id": ["1", "2"]}, ["id", "GlobalID"]),
        ({"remark": ["x", "y"], "宗地编码": ["a", "b"]}, ["宗地编码", "remark"]),
        ({"area": [1.5, 2.5], "cad_id": [6242406.0, 6242407.0]}, ["cad_id"]),  # whole numbers stored as floats count
        ({"code": ["a", None]}, []),
        ({"code": ["a", " "]}, []),
        ({"code": [4.41900118001e17, 4.41900118002e17]}, []),  # digits lost
    ],
)
def test_ids_are_unique_text_or_whole_numbers(columns: dict[str, list[Any]], expected: list[str]) -> None:
    assert unique_columns(pd.DataFrame(columns)) == expected


@pytest.mark.parametrize(
    ("column", "values", "field", "unit"),
    [
        ("亩均税收_万元", [1.0, 2.0], "tax_wan_yuan_per_mu", "wan_yuan/mu"),
        ("亩均税收（元/亩）", [1.0, 2.0], "tax_wan_yuan_per_mu", "yuan/mu"),
        ("亩均税收", [1.0, 2.0], "tax_wan_yuan_per_mu", "wan_yuan/mu"),
        ("tax_per_mu", [1.0, 2.0], "tax_per_mu", None),
        ("容积率", [0.5, 2.0], "far", None),
        ("FAR", [0.5, 2.0], "far", None),
        ("plot_ratio", [0.5, 2.0], "far", None),
        ("建筑面积（平方米）", [10.0, 20.0], "floor_area_m2", "m2"),
        ("gross_area_sqft", [10.0, 20.0], "floor_area_m2", "ft2"),
        ("YearBuilt", [1990, 2000], "year_built", None),
        ("竣工年份", [1990, 2000], "year_built", None),
        ("landuse", ["a", "b"], "land_use", None),
        ("用地性质", ["a", "b"], "land_use", None),
        ("村(社区)", ["a", "b"], "village", None),
        ("证载面积_亩", [10.0, 10.0], "certificate_area_mu", "mu"),
        ("宗地面积", [AREA_M2, AREA_M2 * 1.01], "certificate_area_mu", "m2"),  # told by the measured area
        ("宗地面积", [10.0, 10.1], "certificate_area_mu", "mu"),
        ("lot_area", [AREA_M2 / 1e4, AREA_M2 / 1e4], "certificate_area_mu", "ha"),
        ("拆迁补偿_万元", [10.0, 10.0], "compensation_yuan", "wan_yuan"),
        ("权属", ["集体", "国有"], "ownership", None),
    ],
)
def test_names_and_values_give_fields_away(column: str, values: list[Any], field: str, unit: str | None) -> None:
    found = guessed({column: values * 3})[column]
    assert (found.field, found.unit) == (field, unit)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("村民小组", ["a", "b"]),
        ("容积率", ["tall", "low"]),
        ("landuse", [1, 2]),
        ("AREA", [0.0, 1e-5]),
        ("name", ["factory road", "school road"]),
        ("umsatzsteuer", [1.0, 2.0]),
    ],
)
def test_what_is_not_sure_enough_is_left_to_the_planner(column: str, values: list[Any]) -> None:
    assert column not in guessed({column: values * 3}) or column == "name"


def test_zero_years_and_stray_texts_mean_unknown() -> None:
    found = guessed({"建成年份": [0, 1990, 2000], "容积率": ["0.5", "不详", "1.5"]})
    assert found["建成年份"].missing == (0,)
    assert found["建成年份"].values.isna().tolist() == [True, False, False]
    assert found["容积率"].missing == ("不详",)


def test_land_use_is_told_by_its_values_where_no_name_does() -> None:
    found = guessed({"A14": ["일반공업지역", "제3종일반주거지역", "일반상업지역"], "A15": ["x", "y", "z"]})
    assert found["A14"].field == "land_use"
    assert "A15" not in found


def test_other_candidates_are_listed() -> None:
    assert guessed({"landuse": ["a", "b"], "landuse_class": ["a", "b"]})["landuse"].others == ("landuse_class",)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 0.0), (1234.5, 1200.0), (0.05678, 0.057), (99.9, 100.0), (-47.2, -47.0)]
)
def test_nice_figures(value: float, expected: float) -> None:
    assert nice(value) == pytest.approx(expected)


# ------------------------------------------------------------------------------------------------ the starter


def test_a_village_s_file_becomes_a_plan(tmp_path: Path) -> None:
    write_gpkg({"宗地": village_land()}, tmp_path / "宗地.gpkg")
    result = planner("init", tmp_path / "宗地.gpkg", "--out", tmp_path / "config.yaml")
    assert result.exit_code == 0, result.output
    assert f"planner run {tmp_path / 'config.yaml'}" in result.stdout
    assert names(tmp_path) == {"宗地.gpkg", "config.yaml"}
    config = load_config(tmp_path / "config.yaml").config
    assert config.parcels.id == "宗地编码"
    assert config.parcels.path == tmp_path / "宗地.gpkg"
    fields = config.parcels.fields
    assert fields["certificate_area_mu"].unit == "mu"
    assert fields["tax_wan_yuan_per_mu"].unit == "wan_yuan/mu"
    assert fields["year_built"].missing == (0,)
    assert config.zones is not None
    assert config.zones.field == "village"
    assert {c.name for c in config.scoring.criteria} == {"tax per mu", "plot ratio", "building age"}
    assert config.project.currency == "CNY"
    prepared = prepare_run(config)
    industrial = village_land()["用地现状"].ne("住宅").sum()
    assert (prepared.assembly.status == "eligible").sum() == industrial
    assert (prepared.assembly.status == "excluded").sum() == len(village_land()) - industrial
    last = config.optimise.phases[-1].target_mu
    assert last == pytest.approx(0.4 * 10 * industrial, rel=0.05)
    planned = planner("run", tmp_path / "config.yaml", "--out", tmp_path / "out", "--time-limit", "10", "--quiet")
    assert planned.exit_code == 0, planned.output
    assert names(tmp_path / "out") == PLAN_FILES


def test_every_guess_is_marked_and_every_column_shown(tmp_path: Path) -> None:
    write_gpkg({"p": village_land()}, tmp_path / "p.gpkg")
    text = write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml").read_text(encoding="utf-8")
    for key in (
        "id:",
        "tax_wan_yuan_per_mu:",
        "far:",
        "land_use:",
        "field: village",
        "currency:",
        "min_mu:",
        "max_mu:",
        "cost:",
        "value_per_mu:",
    ):
        line = next(line for line in text.splitlines() if line.strip().startswith(key))
        assert "GUESS" in line, key
    for heading in ("criteria:", "phases:", "eligible:", "exclude:"):
        start = text.index(heading)
        assert "GUESS" in text[start : start + 400], heading
    for column in village_land().columns[:-1]:
        assert f'"{column}"' in text
    assert "工业" in text
    assert "住宅 (2)" in text


def test_paths_are_relative_to_the_written_file(tmp_path: Path) -> None:
    (tmp_path / "land").mkdir()
    write_land(tmp_path / "land")
    written = write_starter(tmp_path / "land" / "parcels.gpkg", tmp_path / "plans" / "first.yaml")
    assert 'path: "../land/parcels.gpkg"' in written.read_text(encoding="utf-8")
    assert load_config(written).config.parcels.path == tmp_path / "land" / "parcels.gpkg"


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    land = grid_land().rename(columns={"use": 'landuse"}: [#', "village": "村\u2028'}"})
    land['landuse"}: [#'] = ['it\'s "industrial"\\', "a: b # c"] * 6
    write_gpkg({"p": land}, tmp_path / "p.gpkg")
    config = load_config(write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml")).config
    prepared = prepare_run(config)
    assert (prepared.assembly.status == "eligible").sum() == 6


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([f"C{k}" for k in range(40)], None),
        (["C0", "C0", *(f"C{k}" for k in range(2, 40))], "2 rows share their value with another (C0, …)"),
        ([None, *(f"C{k}" for k in range(1, 40))], "1 rows are empty"),
        (["C0"] * 20 + [f"C{k}" for k in range(20, 40)], None),
    ],
)
def test_a_column_that_is_almost_an_id_is_named(codes: list[Any], told: str | None) -> None:
    frame = pd.DataFrame({"parcel_code": codes, "fid": range(40), "remark": ["x", "x", *map(str, range(38))]})
    found = [str(near) for near in nearly_unique_columns(frame)]
    assert found == ([f"column parcel_code is nearly unique, but cannot be the id: {told}"] if told else [])


def test_without_any_id_every_column_that_is_almost_one_is_named() -> None:
    frame = pd.DataFrame({"remark": ["x", "x", *map(str, range(58))], "kind": ["a"] * 60, "size": [0.5] * 60})
    assert [near.column for near in nearly_unique_columns(frame)] == ["remark"]


def test_what_stands_in_the_way_of_an_id_is_logged_and_stands_in_the_starter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    land = grid_land(6, 8).assign(number=range(1, 49))
    land["code"] = ["P00", "P00", *land["code"].tolist()[2:]]
    write_gpkg({"p": land[["code", "number", "geometry"]]}, tmp_path / "p.gpkg")
    with caplog.at_level(logging.WARNING):
        written = write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml")
    said = (
        "In p.gpkg, column code is nearly unique, but cannot be the id: 2 rows share their value with another (P00, …)."
    )
    assert [r.getMessage() for r in caplog.records if r.name.startswith("planner")] == [said]
    assert f"# NOTE: {said}\n" in written.read_text(encoding="utf-8")
    assert load_config(written).config.parcels.id == "number"


def test_a_file_without_a_unique_column_is_numbered_in_a_copy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_gpkg({"p": grid_land().assign(code="same", tax=1.0)}, tmp_path / "p.gpkg")
    before = (tmp_path / "p.gpkg").read_bytes()
    with caplog.at_level(logging.WARNING):
        written = write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml")
    assert "p-numbered.gpkg, written beside c.yaml, is a copy with a running number" in caplog.text
    assert names(tmp_path) == {"p.gpkg", "c.yaml", "p-numbered.gpkg"}
    assert (tmp_path / "p.gpkg").read_bytes() == before
    config = load_config(written).config
    assert config.parcels.id == NUMBER_COLUMN
    assert config.parcels.path == tmp_path / "p-numbered.gpkg"
    assert list(prepare_run(config).land.parcels.index) == [str(k + 1) for k in range(12)]
    assert "No column of p.gpkg is unique" in written.read_text(encoding="utf-8")


def test_nothing_recognised_still_gives_a_plan(tmp_path: Path) -> None:
    land = grid_land(4, 5)[["code", "geometry"]]
    write_gpkg({"p": land}, tmp_path / "p.gpkg")
    written = write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml")
    config = load_config(written).config
    assert [c.value for c in config.scoring.criteria] == ["area_mu"]
    assert config.project.currency == "CNY"
    assert re.search(r"currency: CNY +# GUESS: .*no cost was recognised", written.read_text(encoding="utf-8"))
    assert planner("validate", written, "--quiet").exit_code == 0


def test_existing_files_need_force(tmp_path: Path) -> None:
    write_land(tmp_path)
    (tmp_path / "config.yaml").write_text("mine", encoding="utf-8")
    result = planner("init", tmp_path / "parcels.gpkg", "--out", tmp_path / "config.yaml")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == "mine"
    assert planner("init", tmp_path / "parcels.gpkg", "--out", tmp_path / "config.yaml", "--force").exit_code == 0
    assert load_config(tmp_path / "config.yaml").config.parcels.id == "code"
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError):
        write_starter(tmp_path / "parcels.gpkg", tmp_path / "folder", force=True)


@pytest.mark.parametrize(
    ("crs", "hint"),
    [
        ("EPSG:4490", "EPSG:4490 (degrees"),
        ("EPSG:4526", "EPSG:4526 (CGCS2000 3-degree zone 38"),
        ("EPSG:4547", "EPSG:4547"),
    ],
)
def test_without_a_crs_the_message_says_how_to_declare_it(tmp_path: Path, crs: str, hint: str) -> None:
    pyogrio.write_dataframe(grid_land().to_crs(crs), tmp_path / "p.shp")
    (tmp_path / "p.prj").unlink()
    result = planner("init", tmp_path / "p.shp", "--out", tmp_path / "c.yaml")
    assert result.exit_code == 3
    assert f"planner init {tmp_path / 'p.shp'} --crs" in result.stderr
    assert hint in result.stderr
    assert not (tmp_path / "c.yaml").exists()
    done = planner("init", tmp_path / "p.shp", "--out", tmp_path / "c.yaml", "--crs", crs)
    assert done.exit_code == 0, done.output
    config = load_config(tmp_path / "c.yaml").config
    assert config.parcels.crs == crs
    assert prepare_run(config).land.fields["area_mu"].to_numpy() == pytest.approx(np.full(12, 10.0), rel=1e-3)


def test_a_wrong_crs_is_not_taken(tmp_path: Path) -> None:
    write_land(tmp_path)
    with pytest.raises(CrsError):
        write_starter(tmp_path / "parcels.gpkg", tmp_path / "c.yaml", crs="EPSG:4490")


def test_layers_are_named_by_an_option(tmp_path: Path) -> None:
    write_gpkg({"a": grid_land(), "b": grid_land().iloc[:5]}, tmp_path / "p.gpkg")
    with pytest.raises(DataError, match="--layer"):
        write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml")
    config = load_config(write_starter(tmp_path / "p.gpkg", tmp_path / "c.yaml", layer="b")).config
    assert config.parcels.layer == "b"
    with pytest.raises(DataError, match=r"Check the path\.$"):
        write_starter(tmp_path / "nothing.gpkg", tmp_path / "d.yaml")


# ------------------------------------------------------------------------------------------------ the sample


def test_the_sample_runs_from_the_generator_and_from_its_files(tmp_path: Path) -> None:
    result = planner("init", "--sample", tmp_path / "sample")
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "sample") == {"config.yaml", SAMPLE_LAND, "scenarios"}
    assert {str(n) for n, _ in pyogrio.list_layers(tmp_path / "sample" / SAMPLE_LAND)} == {
        "parcels",
        "zones",
        "river",
        "arterial",
    }
    generated = prepare_run(load_config(tmp_path / "sample" / "config.yaml").config)
    from_file = prepare_run(load_config(tmp_path / "sample" / "config.yaml", "from-file").config)
    a, b = generated.problem, from_file.problem
    assert a.parcel_ids == b.parcel_ids
    for name in ("area_mu", "benefit", "cost", "perimeter_m", "zone", "earliest", "pairs", "link_pairs"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, err_msg=name)
    assert a.zones == b.zones
    assert from_file.config.project.synthetic  # generated land stays labelled, also when it comes from a file


def test_the_sample_is_not_written_over_anything(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="--force"):
        write_sample(tmp_path)
    assert names(tmp_path) == {"config.yaml"}
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == "mine"


# ------------------------------------------------------------------------------------------------ real data

REAL = [
    pytest.param(
        "seoul_gangnam/Parcels.shp", None, "A1", {"land_use": "A14", "certificate_area_mu": "A12"}, id="seoul"
    ),
    pytest.param("swellendam/farms_33S.shp", None, "AG_CAD_ID", {}, id="swellendam", marks=pytest.mark.slow),
    pytest.param(
        "veneto/thiene_cluster.gpkg",
        None,
        NUMBER_COLUMN,
        {"land_use": "landuse", "village": "comune", "certificate_area_mu": "area_m2"},
        id="thiene",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "cambridge_fy13/ASSESSING_ParcelsFY2013.topojson", "EPSG:4326", "id", {}, id="cambridge", marks=pytest.mark.slow
    ),
]


@pytest.mark.parametrize(("name", "crs", "id_column", "fields"), REAL)
def test_real_files_give_a_starter_that_validates(
    shared_data: Callable[[str], Path],
    tmp_path: Path,
    name: str,
    crs: str | None,
    id_column: str,
    fields: dict[str, str],
) -> None:
    written = write_starter(shared_data(name), tmp_path / "config.yaml", crs=crs)
    config = load_config(written).config
    assert config.parcels.id == id_column
    for field, column in fields.items():
        assert config.parcels.fields[field].column == column
    result = planner("validate", written, "--quiet")
    assert result.exit_code == 0, result.output
    targets = [p.target_mu for p in config.optimise.phases]
    available = float(re.findall(r"of which ([\d,]+) mu", written.read_text(encoding="utf-8"))[0].replace(",", ""))
    assert targets == sorted(targets)
    assert targets[0] > 0
    assert targets[-1] <= 0.45 * available


def test_an_address_is_refused_as_it_was_written(tmp_path: Path) -> None:
    for address in ("https://example.org/a/p.gpkg", "/vsicurl/https://example.org/p.gpkg"):
        result = planner("init", address, "--out", tmp_path / "c.yaml")
        assert result.exit_code == 3
        assert f"the address {address};" in result.stderr
