from xml.etree import ElementTree as ET

import pytest

from planner.report import palette
from planner.report.context import PhaseFigures
from planner.report.gis.styles import gpkg_styles
from planner.tables import PlanTables
from tests.planner.report.plan_builders import context_of, grid_plan


@pytest.fixture(scope="module")
def plan():
    return grid_plan(columns=12, rows=9)


def categories(qml, option="color"):
    """Value → (label, colour) of a categorised style."""
    root = ET.fromstring(qml)
    symbols = {s.get("name"): s for s in root.iter("symbol")}
    result = {}
    for category in root.iter("category"):
        (value,) = symbols[category.get("symbol")].findall(f".//Option[@name='{option}']")
        result[category.get("value")] = (category.get("label"), value.get("value"))
    return result


def rgb(colour):
    return ",".join(str(c) for c in bytes.fromhex(colour[1:]))


def with_barriers(plan, barriers):
    return PlanTables(plan.parcels, plan.blocks, plan.zones, plan.links, barriers, plan.repair_log)


def test_parcels_have_the_maps_colours(plan):
    context = context_of(plan)
    found = categories(gpkg_styles(plan, context.phases)["parcels"])
    colours = palette.phase_colours(3)
    expected = {f"phase {i + 1}": (f"P{i + 1} · year {2 * i + 1}", f"{rgb(c)},255") for i, c in enumerate(colours)}
    assert {k: v for k, v in found.items() if k.startswith("phase")} == expected
    assert {k: v[1] for k, v in found.items() if not k.startswith("phase")} == {
        status: f"{rgb(colour)},255" for status, colour in palette.MUTED.items()
    }


def test_blocks_take_the_colour_of_their_phase(plan):
    found = categories(gpkg_styles(plan)["blocks"])
    assert list(found) == ["1", "2", "3"]
    assert [v[1].rsplit(",", 1)[0] for v in found.values()] == [rgb(c) for c in palette.phase_colours(3)]
    assert [v[0] for v in found.values()] == ["Phase 1", "Phase 2", "Phase 3"]


def test_calendar_years_and_hostile_names_are_labels(plan):
    phases = (PhaseFigures("<P&1>", 2026, None, None, 0, 0), PhaseFigures('"', None, None, None, 0, 0))
    labels = [v[0] for k, v in categories(gpkg_styles(plan, phases)["parcels"]).items() if k.startswith("phase")]
    assert labels == ["<P&1> · 2026", '"']


def test_used_links_are_stronger(plan):
    found = categories(gpkg_styles(plan)["links"], "line_width")
    assert float(found["used"][1]) > float(found["possible"][1])


def test_barriers_are_drawn_as_what_they_are(plan):
    areas = gpkg_styles(with_barriers(plan, plan.barriers.iloc[:1]))["barriers"]
    lines = gpkg_styles(with_barriers(plan, plan.barriers.iloc[1:]))["barriers"]
    assert ET.fromstring(areas).find(".//symbol").get("type") == "fill"
    assert ET.fromstring(lines).find(".//symbol").get("type") == "line"
    assert "barriers" not in gpkg_styles(plan)
    assert "barriers" not in gpkg_styles(with_barriers(plan, plan.barriers.iloc[:0]))


def test_names_are_shown_on_blocks_and_zones(plan):
    styles = gpkg_styles(plan)
    for layer, field in (("blocks", '"block_id"'), ("zones", '"zone"')):
        assert field in ET.fromstring(styles[layer]).find(".//text-style").get("fieldName")
