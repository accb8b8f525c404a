"""Units of area, length and money, and the factors between them.

A field says its unit by the end of its name: ``land_area_m2``, ``cost_wan_yuan``, ``tax_wan_yuan_per_mu``. A source
column says its unit in the configuration. `conversion_factor` joins the two, exactly: all factors are fractions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from geodata.errors import GeodataError

M2_PER_MU: Final = 10_000 / 15
"""One mu (亩) in square metres: a fifteenth of a hectare."""

_FOOT: Final = Fraction(3048, 10_000)

_UNITS: Final[dict[str, tuple[str, Fraction]]] = {
    "m2": ("area", Fraction(1)),
    "mu": ("area", Fraction(10_000, 15)),
    "ha": ("area", Fraction(10_000)),
    "ft2": ("area", _FOOT**2),
    "km2": ("area", Fraction(1_000_000)),
    "m": ("length", Fraction(1)),
    "ft": ("length", _FOOT),
    "km": ("length", Fraction(1000)),
    "yuan": ("money", Fraction(1)),
    "wan_yuan": ("money", Fraction(10_000)),
    "unit": ("money", Fraction(1)),
    "thousand": ("money", Fraction(1000)),
    "million": ("money", Fraction(1_000_000)),
}
"""Unit → dimension and size in the base unit (m2, m, one unit of the project's currency).

Money knows no exchange rates: a project has one currency, so yuan and `unit` are both one of it. ft is the
international foot.
"""

_SPELLINGS: Final = {
    "m²": "m2",
    "㎡": "m2",
    "sqm": "m2",
    "平方米": "m2",
    "亩": "mu",
    "公顷": "ha",
    "ft²": "ft2",
    "sqft": "ft2",
    "km²": "km2",
    "平方公里": "km2",
    "平方千米": "km2",
    "米": "m",
    "公里": "km",
    "千米": "km",
    "元": "yuan",
    "万元": "wan_yuan",
    "百万元": "million",
}

_NOT_A_SUFFIX: Final = frozenset({"unit"})  # `planning_unit` is a name, not an amount


class UnitError(GeodataError, ValueError):
    """A unit is not known, or two units measure different things."""


def known_units() -> tuple[str, ...]:
    """All units by name, areas first."""
    return tuple(_UNITS)


def parse_unit(text: str) -> str:
    """Canonical spelling of a unit or a ratio of two: ``'万元/亩'`` → ``'wan_yuan/mu'``.

    Raises
    ------
    UnitError
        If a part is not known; the message names those that are.
    """
    parts = [_SPELLINGS.get(part.strip(), part.strip()) for part in text.split("/")]
    unknown = [part for part in parts if part not in _UNITS]
    if unknown or len(parts) > 2:
        raise UnitError(
            f"unit {text!r} is not known; known are {', '.join(_UNITS)}, and a ratio of two such as wan_yuan/mu"
        )
    return "/".join(parts)


def dimension(unit: str) -> str:
    """What a unit measures: ``'area'``, ``'length'``, ``'money'``, or a ratio such as ``'money/area'``.

    Raises
    ------
    UnitError
        If the unit is not known.
    """
    return "/".join(_UNITS[part][0] for part in parse_unit(unit).split("/"))


def conversion_factor(source: str, target: str) -> float:
    """Factor that turns a number in `source` into one in `target`.

    Parameters
    ----------
    source, target : str
        Units (``'ft2'``) or ratios (``'wan_yuan/mu'``).

    Returns
    -------
    float
        The correctly rounded quotient of the two sizes.

    Raises
    ------
    UnitError
        If a unit is not known, or the two measure different things.
    """
    have, want = dimension(source), dimension(target)
    if have != want:
        raise UnitError(f"{source} measures {have}, {target} measures {want}: no factor leads from one to the other")
    return float(_size(source) / _size(target))


def canonical_unit(field_name: str) -> str | None:
    """Unit that a field's name ends in, or None.

    ``land_area_m2`` → ``m2``; ``tax_wan_yuan_per_mu`` → ``wan_yuan/mu``; ``lease_end_year`` → None. A yield whose
    numerator names no unit counts whole units: ``tax_per_mu`` → ``unit/mu``.
    """
    numerator, per, denominator = field_name.rpartition("_per_")
    if per and denominator in _UNITS and denominator not in _NOT_A_SUFFIX:
        return f"{_suffix(numerator) or 'unit'}/{denominator}"
    return _suffix(field_name)


def _suffix(name: str) -> str | None:
    """Longest unit after the last underscores of a name."""
    fitting = [unit for unit in _UNITS if unit not in _NOT_A_SUFFIX and name.endswith(f"_{unit}")]
    return max(fitting, key=len, default=None)


def _size(unit: str) -> Fraction:
    parts = [_UNITS[part][1] for part in parse_unit(unit).split("/")]
    return parts[0] if len(parts) == 1 else parts[0] / parts[1]
