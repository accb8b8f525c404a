"""Numbers of the sheets of the national map series 国家基本比例尺地形图分幅编号 (GB/T 13989-2012) that land lies on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_ZONE_LAT: Final = 4.0
_ZONE_LON: Final = 6.0
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUV"


@dataclass(frozen=True)
class Series:
    """A scale of the series: its letter, and sheets per 1:1 000 000 sheet along a side."""

    letter: str
    per_side: int


SERIES: Final = {10_000: Series("G", 96), 5_000: Series("H", 192)}
"""Scale denominator → series: 1:10 000 with sheets of 2′30″ by 3′45″, 1:5 000 with half of that."""


def map_sheets(bounds: tuple[float, float, float, float], scale: int = 10_000) -> tuple[str, ...]:
    """Sheets that a box lies on, from north to south and west to east.

    Parameters
    ----------
    bounds : (west, south, east, north)
        Degrees, CGCS2000; on the northern hemisphere. A side on the edge of a sheet counts for the sheet north and
        east of it.
    scale : {10000, 5000}
        Scale denominator.

    Returns
    -------
    tuple of str
        E.g. ``('F50G029003',)``: row and column of the 1:1 000 000 sheet, letter of the scale, row and column in it.

    Raises
    ------
    ValueError
        If the box is not between the equator and 88° north.
    """
    west, south, east, north = bounds
    if not (0 <= south <= north < _ZONE_LAT * len(_LETTERS) and -180 <= west <= east <= 180):
        raise ValueError(f"no sheets for {bounds}")
    series = SERIES[scale]
    step_lat, step_lon = _ZONE_LAT / series.per_side, _ZONE_LON / series.per_side
    rows = range(math.floor(north / step_lat), math.floor(south / step_lat) - 1, -1)
    columns = range(math.floor((west + 180) / step_lon), math.floor((east + 180) / step_lon) + 1)
    return tuple(_number(row, column, series) for row in rows for column in columns)


def _number(row: int, column: int, series: Series) -> str:
    """Number of the sheet that is the `row`-th north of the equator and the `column`-th east of 180° west."""
    zone_row, inner_row = divmod(row, series.per_side)
    zone_column, inner_column = divmod(column, series.per_side)
    down = series.per_side - inner_row
    return f"{_LETTERS[zone_row]}{zone_column + 1:02d}{series.letter}{down:03d}{inner_column + 1:03d}"
