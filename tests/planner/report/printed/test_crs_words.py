import pytest

from planner.labels import Labels
from planner.report.printed.crs_words import crs_statement


@pytest.mark.parametrize(
    ("crs", "expected"),
    [
        ("EPSG:4547", "2000国家大地坐标系 3°带 中央经线114°"),
        ("EPSG:4526", "2000国家大地坐标系 3°带 第38带 中央经线114°"),
        ("EPSG:4508", "2000国家大地坐标系 6°带 中央经线111°"),
        ("EPSG:2383", "1980西安坐标系 3°带 中央经线114°"),
        ("EPSG:32650", "WGS 84 / UTM zone 50N (EPSG:32650)"),
        ("EPSG:26986", "NAD83 / Massachusetts Mainland (EPSG:26986)"),
    ],
)
def test_the_coordinate_system_is_named_as_on_map_sheets(crs: str, expected: str) -> None:
    assert crs_statement(crs, Labels.of("zh", "print")) == expected


def test_in_english() -> None:
    statement = crs_statement("EPSG:4547", Labels.of("en", "print"))
    assert statement == "CGCS2000, 3-degree zone, central meridian 114°"


def test_a_system_without_a_name_is_described() -> None:
    text = "+proj=tmerc +lat_0=0 +lon_0=114 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +no_defs"
    statement = crs_statement(text, Labels.of("zh", "print"))
    assert statement == "无名坐标系 Transverse Mercator 中央经线114° GRS 1980"
