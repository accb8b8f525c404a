"""What a planner is told about the data: the findings, their order, and their text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from planner.config_file import load_config
from planner.land import Land, prepare
from planner.progress import Silent
from planner.quality import QualityRow, as_dicts, data_quality
from planner.report.quality import quality_text
from tests.planner.land_builders import EAST, NORTH, case, grid_land


def _land(folder: Path) -> Land:
    """A grid with an unknown tax, a village missing, and the first parcel stored twice."""
    land = grid_land()
    land.loc[3, "tax"] = None
    land.loc[[4, 5], "village"] = None
    twin = land.iloc[[0]].assign(code="TWIN")
    return prepare(load_config(case(folder, land=pd.concat([land, twin], ignore_index=True))).config, Silent())


def _by_what(rows: list[QualityRow]) -> dict[str, QualityRow]:
    return {r.what: r for r in rows}


def test_findings_name_parcels_and_land(tmp_path: Path) -> None:
    rows = _by_what(data_quality(_land(tmp_path), {"criterion tax": ["P03"]}))
    unknown = rows["field tax_wan_yuan_per_mu unknown"]
    assert (unknown.count, unknown.parcel_ids) == (1, ("P03",))
    assert abs((unknown.area_mu or 0) - 10) < 1e-6
    assert rows["criterion tax: cannot be decided for lack of a value"].parcel_ids == ("P03",)
    assert rows["in no zone"].parcel_ids == ("P04", "P05")
    assert abs((rows["in no zone"].area_mu or 0) - 20) < 1e-6
    twice = rows["geometry: duplicate, dropped"]
    assert twice.count == 1
    assert twice.parcel_ids[0] in {"P00", "TWIN"}
    assert twice.area_mu is None  # it is no parcel of the plan any more


def test_findings_on_the_most_land_come_first(tmp_path: Path) -> None:
    rows = data_quality(_land(tmp_path), {})
    assert [r.to_fix for r in rows] == sorted((r.to_fix for r in rows), reverse=True)
    for to_fix in (True, False):
        areas = [r.area_mu or 0.0 for r in rows if r.to_fix is to_fix]
        assert areas == sorted(areas, reverse=True)
        assert len(areas) >= 2


def test_sound_land_gives_no_finding_about_parcels(tmp_path: Path) -> None:
    land = prepare(load_config(case(tmp_path)).config, Silent())
    assert [r for r in data_quality(land, {}) if r.area_mu is not None] == []


def test_barrier_and_short_contacts_are_counted(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[EAST + 200, NORTH + 10], [EAST + 200, NORTH - 500]]}
    (tmp_path / "canal.geojson").write_text(
        '{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:4547"}}, "features": '
        f'[{{"type": "Feature", "properties": {{}}, "geometry": {str(line).replace(chr(39), chr(34))}}}]}}',
        encoding="utf-8",
    )
    config = load_config(case(tmp_path, {"barriers": [{"name": "canal", "path": "canal.geojson"}]})).config
    land = prepare(config, Silent())
    assert _by_what(data_quality(land, {}))["pairs cut by a barrier"].count == 3  # one for each row of the grid
    assert shapely.length(land.barriers.geometry.iloc[0]) > 500


def test_as_dicts_is_json_ready() -> None:
    row = QualityRow("in no zone", 2, 20.0, ("a", "b"))
    told = {"what": "in no zone", "count": 2, "area_mu": 20.0, "parcel_ids": ["a", "b"], "to_fix": True}
    assert as_dicts([row]) == [told]


def test_text_without_findings() -> None:
    assert quality_text([]) == "Data quality: nothing was found that needs a look."


def test_text_is_ordered_by_land_and_lines_up() -> None:
    text = quality_text(
        [
            QualityRow("pairs cut by a barrier", 3, None, ("a",)),
            QualityRow("field far unknown", 7, 12.345, ("P1", "P2", "P3", "P4", "P5")),
            QualityRow("in no zone", 1234, 56789.0, ()),
        ]
    )
    lines = text.splitlines()
    assert lines[0] == "Data quality, by the land concerned:"
    findings = [line for line in lines if "zone" in line or "unknown" in line or "barrier" in line]
    assert findings == [
        "  56,789.00  1,234  in no zone",
        "      12.35      7  field far unknown",
        "          –      3  pairs cut by a barrier",
    ]
    assert lines[lines.index(findings[1]) + 1].strip() == "P1, P2, P3, P4, P5 and 2 more"
    assert lines[-1].strip() == "a and 2 more"


ids = st.lists(st.text(min_size=1, max_size=60).filter(lambda t: "\n" not in t and t.isprintable()), max_size=5)
rows = st.builds(
    lambda what, names, extra, area: QualityRow(what, len(names) + extra, area, tuple(names)),
    st.text(alphabet="abc 编码", min_size=1, max_size=20).filter(lambda t: t.strip() != ""),
    ids,
    st.integers(0, 10_000),
    st.one_of(st.none(), st.floats(0, 1e7)),
)


@given(st.lists(rows, min_size=1, max_size=8))
def test_text_tells_every_finding_once_in_falling_order(findings: list[QualityRow]) -> None:
    lines = quality_text(findings).splitlines()[3:]
    told = [line.split(maxsplit=2) for line in lines if not line.startswith(" " * 16)]
    # the column of counts ends before the 16th place, so a line of ids starts further right
    assert sorted(r.what.strip() for r in findings) == sorted(parts[2].strip() for parts in told)
    areas = [0.0 if parts[0] == "–" else float(parts[0].replace(",", "")) for parts in told]
    assert areas == sorted(areas, reverse=True)
    assert sorted(areas) == pytest.approx(sorted(r.area_mu or 0.0 for r in findings), abs=0.006)
    for finding in findings:
        if finding.parcel_ids:
            assert any(line.strip().startswith(finding.parcel_ids[0].strip()) for line in lines)
