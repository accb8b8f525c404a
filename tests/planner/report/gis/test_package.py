import csv
import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import ezdxf
import geopandas as gpd
import pyogrio
import pytest

from geodata.boundary_txt import read_boundary_txt
from planner.report.gis import plan_styles, qgis_project, write_gis
from tests.planner.report.plan_builders import hostile_plan
from tests.planner.report.printed.world import contents as plan_of
from tests.planner.report.printed.world import summary_of


@pytest.fixture(scope="module")
def plan():
    return plan_of()


@pytest.fixture(scope="module")
def package(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gis")
    files = write_gis(plan, folder, language="zh", stamp="内部资料")
    return folder, files


def qgs(content: bytes) -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        assert name == "plan.qgs"
        return ET.fromstring(archive.read(name).decode("utf-8").split("\n", 1)[1])


def test_everything_is_there_and_listed(package):
    folder, files = package
    tops = {p.relative_to(folder).parts[0] for p in files}
    assert tops == {
        "README.txt",
        "blocks.parquet",
        "blocks.txt",
        "notes.csv",
        "parcels.parquet",
        "plan.dxf",
        "plan.gdb",
        "plan.gpkg",
        "plan.qgz",
        "shapefile",
    }
    readme = (folder / "README.txt").read_text(encoding="utf-8-sig")
    for path in files:
        if path.is_file() and path.name != "README.txt":
            assert f"  {path.relative_to(folder).as_posix()}\n" in readme
    for word in ("内部资料", "合成数据", "SYNTHETIC", "EPSG:4547", "1.2.3", "ab" * 32, "cd" * 32):
        assert word in readme


def test_the_same_plan_gives_the_same_bytes(plan, package, tmp_path):
    folder, files = package
    again = write_gis(plan, tmp_path, language="zh", stamp="内部资料")
    assert [p.relative_to(tmp_path) for p in again] == [p.relative_to(folder) for p in files]
    for one, two in zip(files, again, strict=True):
        if one.is_file():
            assert one.read_bytes() == two.read_bytes(), one.name


def test_all_formats_hold_the_same_land(plan, package):
    folder, _ = package
    blocks = plan.tables.blocks
    for path, layer in (("plan.gpkg", "blocks"), ("plan.gdb", "blocks"), ("shapefile/blocks.shp", "blocks")):
        found = pyogrio.read_dataframe(folder / path, layer=layer)
        assert list(found["block_id"]) == list(blocks["block_id"])
        assert found["area_mu"].to_numpy() == pytest.approx(blocks["area_mu"].to_numpy())
        assert found.crs.to_epsg() == 4547
        assert found.area.to_numpy() == pytest.approx(blocks.area.to_numpy(), rel=1e-6)
    assert list(gpd.read_parquet(folder / "blocks.parquet")["block_id"]) == list(blocks["block_id"])


def test_boundary_points_are_in_the_national_zone_with_sheets(plan, package):
    folder, _ = package
    found, notes = read_boundary_txt(folder / "blocks.txt")
    assert found.crs.to_epsg() == 4526
    assert list(found["id"]) == list(plan.tables.blocks["block_id"])
    assert found.area.to_numpy() == pytest.approx(plan.tables.blocks.area.to_numpy(), rel=1e-5)
    assert all("F50G" in sheet for sheet in found["map_sheet"])
    assert "合成数据" in (folder / "blocks.txt").read_text(encoding="gb18030")
    assert not [n for n in notes if n.warning and "encoding" not in n.what and "GB18030" not in n.what]


def test_elsewhere_the_boundary_points_stay_in_the_plans_crs(plan, tmp_path):
    moved = {
        name: getattr(plan.tables, name).set_crs(26986, allow_override=True)
        for name in ("parcels", "blocks", "zones", "links", "barriers", "repair_log", "overlays", "holdouts")
    }
    write_gis(replace(plan, tables=replace(plan.tables, **moved)), tmp_path)
    text = (tmp_path / "blocks.txt").read_text(encoding="gb18030")
    assert "坐标系=其他" in text
    assert "坐标系名称=NAD83 / Massachusetts Mainland (EPSG:26986)" in text
    assert "EPSG:26986" in (tmp_path / "README.txt").read_text(encoding="utf-8-sig")


def test_the_drawing_has_a_layer_per_phase(plan, package):
    folder, _ = package
    document = ezdxf.readfile(folder / "plan.dxf")
    assert not document.audit().errors
    names = {layer.dxf.name for layer in document.layers}
    assert {f"P{n}_{what}" for n in (1, 2, 3) for what in ("连片区", "地块", "填充", "标注")} <= names
    assert {"片区", "阻隔", "管控线", "留守户"} <= names
    outlines = [e for e in document.modelspace().query("LWPOLYLINE") if e.dxf.layer.endswith("_连片区")]
    ids = {e.get_xdata("LANDPLAN")[0][1] for e in outlines}
    assert ids == {f"block_id={i}" for i in plan.tables.blocks["block_id"]}
    labels = [t for t in document.modelspace().query("MTEXT") if t.dxf.layer.endswith("_标注")]
    first = plan.tables.blocks.iloc[0]
    assert f"{first['block_id']}\n{first['area_mu']:.2f} 亩" in {t.plain_text() for t in labels}


def test_the_dictionary_explains_every_column_of_the_shapefiles(package):
    folder, _ = package
    with (folder / "shapefile" / "fields.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told = {(row["图层"], row["字段短名"]) for row in rows}
    found = {
        (path.stem, str(name))
        for path in (folder / "shapefile").glob("*.shp")
        for name in pyogrio.read_info(path)["fields"]
    }
    assert told == found
    by_name = {(row["图层"], row["字段全名"]): row for row in rows}
    assert by_name["parcels", "area_mu"]["含义"] == "面积（亩）"
    assert by_name["blocks", "area_mu"]["单位"] == "亩（10000/15 m²）"


def test_project_names_groups_and_sources(plan):
    root = qgs(qgis_project(plan, "plan.gpkg", language="zh", stamp="内部资料"))
    assert root.findtext("title") == "内部资料 · 合成数据（非真实地块） · grid"
    tree = root.find("layer-tree-group")
    groups = {g.get("name"): [n.get("name") for n in g] for g in tree.findall("layer-tree-group")}
    assert list(groups) == ["核查与问题", "用地与管控", "方案"]
    assert groups["方案"] == ["留守户", "跨越连接", "连片区", "地块"]
    assert groups["用地与管控"] == ["片区", "管控线（面）", "管控线（线）", "阻隔（面）", "阻隔（线）"]
    sources = [e.text for e in root.iter("datasource")]
    assert "./plan.gpkg|layername=blocks" in sources
    assert "./plan.gpkg|layername=barriers|geometrytype=LineString" in sources
    ids = [e.findtext("id") for e in root.iter("maplayer")]
    assert len(set(ids)) == len(ids) == len(sources)
    assert all("_" in i for i in ids)  # else QGIS makes up another id and loses the style


def test_locks_are_chosen_from_a_list(plan):
    style = ET.fromstring(plan_styles(plan, "en")["parcels"])
    widget = style.find("./fieldConfiguration/field[@name='locked']/editWidget")
    assert widget.get("type") == "ValueMap"
    values = [o.get("value") for o in widget.iter("Option") if o.get("value")]
    assert values[1:] == ["in", "out", "by P1", "by P2", "by P3", "at P1", "at P2", "at P3"]
    editable = {f.get("name") for f in style.findall("./editable/field") if f.get("editable") == "1"}
    assert editable == {"locked"}
    aliases = {a.get("field"): a.get("name") for a in style.iter("alias")}
    assert (aliases["locked"], aliases["village"]) == ("Lock", "Village")


def test_remarks_are_typed(plan):
    parcels = plan.tables.parcels.assign(note=None)
    style = ET.fromstring(plan_styles(replace(plan, tables=replace(plan.tables, parcels=parcels)))["parcels"])
    editable = {f.get("name") for f in style.findall("./editable/field") if f.get("editable") == "1"}
    assert editable == {"locked", "note"}
    assert style.find("./fieldConfiguration/field[@name='note']/editWidget").get("type") == "TextEdit"


@pytest.mark.parametrize("text", ["</style><script>alert(1)</script>", "=1+1\"'&<>", "a,b@c", "{\\P}%%c", "长" * 200])
def test_hostile_values_do_no_harm(text, tmp_path):
    tables, _ = hostile_plan(text)
    contents = plan_of(tables)
    files = write_gis(replace(contents, summary=summary_of(tables)), tmp_path)
    assert tmp_path / "plan.gdb" in files
    found = pyogrio.read_dataframe(tmp_path / "plan.gpkg", layer="blocks")
    assert text in set(found["block_id"])
    assert not ezdxf.readfile(tmp_path / "plan.dxf").audit().errors
    assert qgs((tmp_path / "plan.qgz").read_bytes()).tag == "qgis"
    readme = (tmp_path / "README.txt").read_text(encoding="utf-8-sig")
    assert ("No coordinate TXT" in readme) == ("," in text)
    assert (tmp_path / "blocks.txt").exists() == ("," not in text)
