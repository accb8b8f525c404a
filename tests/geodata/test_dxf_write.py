from pathlib import Path

import ezdxf
import pyogrio
import pytest
import shapely
from ezdxf.document import Drawing

from geodata.dxf_write import APPLICATION, DrawingLayer, DrawingText, nearest_index, write_dxf

HOLED = shapely.box(514_000, 2_520_000, 514_100, 2_520_100) - shapely.box(514_020, 2_520_020, 514_040, 2_520_040)
LABEL = DrawingText(("P1-01", "85.65 亩"), 514_070, 2_520_070, 6.0)


def read(path: Path) -> Drawing:
    document = ezdxf.readfile(path)  # type: ignore[attr-defined]
    audit = document.audit()
    assert not audit.errors
    assert not audit.fixes
    return document


def test_outlines_with_holes_fills_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "plan.dxf"
    fill = DrawingLayer("P1_填充", "#BD0026", [HOLED], fill=True)
    write_dxf([fill, DrawingLayer("P1_连片区", "#BD0026", [HOLED], [("block_id=P1-01",)], [LABEL])], path)
    space = read(path).modelspace()
    rings = list(space.query("LWPOLYLINE"))
    assert [ring.dxf.layer for ring in rings] == ["P1_连片区", "P1_连片区"]
    assert all(ring.closed for ring in rings)
    assert sorted(shapely.Polygon(ring.get_points("xy")).area for ring in rings) == [400.0, 10_000.0]
    tags = [[value for _, value in ring.get_xdata(APPLICATION)] for ring in rings]
    assert tags == [["block_id=P1-01", "ring=outer"], ["block_id=P1-01", "ring=hole"]]
    (hatch,) = space.query("HATCH")
    assert (hatch.dxf.layer, len(hatch.paths)) == ("P1_填充", 2)
    assert hatch.dxf.color == ezdxf.const.BYLAYER
    assert hatch.transparency == pytest.approx(0.5, abs=0.01)
    (text,) = space.query("MTEXT")
    assert text.plain_text() == "P1-01\n85.65 亩"
    assert tuple(text.dxf.insert)[:2] == (LABEL.x, LABEL.y)


def test_units_colours_and_font(tmp_path: Path) -> None:
    layers = [DrawingLayer("红", "#FF0000", [HOLED], width_mm=0.5), DrawingLayer("字", None, texts=[LABEL])]
    write_dxf(layers, tmp_path / "plan.dxf")
    document = read(tmp_path / "plan.dxf")
    assert document.header["$INSUNITS"] == 6  # metres
    assert document.encoding == "gbk"
    red, text = document.layers.get("红"), document.layers.get("字")
    assert (red.rgb, red.color, red.dxf.lineweight) == ((255, 0, 0), 1, 50)
    assert (text.rgb, text.color) == (None, 7)
    (label,) = document.modelspace().query("MTEXT")
    assert document.styles.get(label.dxf.style).dxf.font == "simsun.ttc"


def test_gdal_reads_chinese_names(tmp_path: Path) -> None:
    write_dxf([DrawingLayer("P1_连片区", "#BD0026", [HOLED], texts=[LABEL])], tmp_path / "plan.dxf")
    found = pyogrio.read_dataframe(tmp_path / "plan.dxf")
    assert set(found["Layer"]) == {"P1_连片区"}
    assert found["Text"].dropna().tolist() == ["P1-01\n85.65 亩"]
    assert found.total_bounds.tolist() == [514_000, 2_520_000, 514_100, 2_520_100]


@pytest.mark.parametrize("text", ["{\\fArial;x}", "a\\Pb", "^I%%c", "line\nbreak", "\\U+0041", "’–≥"])
def test_labels_are_no_commands(tmp_path: Path, text: str) -> None:
    label = DrawingText((text,), 0.0, 0.0, 1.0)
    write_dxf([DrawingLayer("a", "#000000", [HOLED], [(text,)], [label])], tmp_path / "plan.dxf")
    (found,) = read(tmp_path / "plan.dxf").modelspace().query("MTEXT")
    plain = found.plain_text().replace("\u200b", "").replace("\\U+200b", "")
    assert plain == text.replace("\n", " ")


def test_names_of_layers_are_allowed_and_distinct(tmp_path: Path) -> None:
    layers = [DrawingLayer(name, "#000000", [HOLED]) for name in ("a/b", "A:B", "0", "x" * 300)]
    write_dxf(layers, tmp_path / "plan.dxf")
    used = [e.dxf.layer for e in read(tmp_path / "plan.dxf").modelspace().query("LWPOLYLINE")]
    assert used[::2][:3] == ["a_b", "A_B_2", "0_2"]
    assert len(set(used)) == 4
    assert len(used[-1]) <= 255


def test_long_data_is_cut_into_pieces(tmp_path: Path) -> None:
    row = "block_id=" + "长" * 300
    write_dxf([DrawingLayer("a", "#000000", [shapely.box(0, 0, 1, 1)], [(row,)])], tmp_path / "plan.dxf")
    (ring,) = read(tmp_path / "plan.dxf").modelspace().query("LWPOLYLINE")
    pieces = [value for _, value in ring.get_xdata(APPLICATION)]
    assert "".join(pieces[:-1]) == row
    assert max(len(piece.encode("utf-8")) for piece in pieces) <= 255


def test_same_layers_same_bytes_and_lines_stay_open(tmp_path: Path) -> None:
    line = DrawingLayer("road", "#35475E", [shapely.LineString([(0, 0), (5, 5)])], dashed=True, shown=False)
    for name in ("a.dxf", "b.dxf"):
        write_dxf([line], tmp_path / name, ["SYNTHETIC"])
    assert (tmp_path / "a.dxf").read_bytes() == (tmp_path / "b.dxf").read_bytes()
    document = read(tmp_path / "a.dxf")
    (drawn,) = document.modelspace().query("LWPOLYLINE")
    assert not drawn.closed
    assert document.layers.get("road").is_off()
    assert ("LANDPLAN1", "SYNTHETIC") in document.header.custom_vars.properties


def test_data_for_another_number_of_shapes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 rows of data for 1 shapes"):
        write_dxf([DrawingLayer("a", "#000000", [HOLED], [("x",), ("y",)])], tmp_path / "plan.dxf")


def test_nearest_index() -> None:
    assert [nearest_index(c) for c in ("#FF0000", "#FFFF00", "#FFFFFF")] == [1, 2, 7]
