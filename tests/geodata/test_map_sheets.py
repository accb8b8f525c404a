import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.map_sheets import map_sheets


def test_the_examples_of_the_standard() -> None:
    """GB/T 13989, annex: longitude 114°33′45″, latitude 39°22′30″."""
    point = (114.5625, 39.375)
    assert map_sheets((*point, *point))[0][:3] == "J50"
    inside = (114.57, 39.376, 114.57, 39.376)
    assert map_sheets(inside) == ("J50G015010",)


def test_a_sheet_by_hand() -> None:
    """Qingxi: row F is 20° to 24°, column 50 is 114° to 120°; 2.5′ and 3.75′ a sheet, counted from the north-west."""
    lon, lat = 114.16, 22.84  # (24 − 22.84) · 24 = 27.84 → row 28; 0.16 · 16 = 2.56 → column 3
    assert map_sheets((lon, lat, lon, lat)) == ("F50G028003",)
    assert map_sheets((lon, lat, lon, lat), 5_000) == ("F50H056006",)


def test_several_sheets_from_the_north_west() -> None:
    found = map_sheets((113.99, 22.84, 114.01, 22.88))
    assert found == ("F49G027096", "F50G027001", "F49G028096", "F50G028001")


@pytest.mark.parametrize("bounds", [(0, -1, 1, 1), (0, 0, 1, 89), (2, 0, 1, 1)])
def test_other_places_are_refused(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="no sheets"):
        map_sheets(bounds)


@given(st.floats(73, 135), st.floats(3, 54))
def test_a_point_lies_on_one_sheet_of_ten_signs(lon: float, lat: float) -> None:
    (sheet,) = map_sheets((lon, lat, lon, lat))
    assert len(sheet) == 10
    assert 1 <= int(sheet[4:7]) <= 96
    assert 1 <= int(sheet[7:]) <= 96
