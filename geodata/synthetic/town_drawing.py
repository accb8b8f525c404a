"""Drawing a town: a rectangle is divided among the sites by water, roads and avenues, each site into parcels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geodata.synthetic.layout import Sketch, band, fill_estates, street
from geodata.synthetic.polygons import (
    Point,
    Ring,
    chord,
    level_at_share,
    long_axis,
    rectangle,
    split,
    split_with_gap,
    turned,
)
from geodata.synthetic.sizes import cutting_order, deal_out, gross_m2, parcel_sizes, street_blocks
from geodata.synthetic.town_model import AVENUE, ROADS_FOR_FRONTAGE, VILLAGE_ROAD, Divider, Town

Sizes = list[list[list[float]]]
"""Parcel sizes by site and group, mu."""

_DIVIDERS_SHARE = 1.06
"""Land of the whole rectangle over that of the sites: what rivers and avenues take."""


@dataclass
class Drawing:
    """One drawing of the whole town in the local frame.

    Attributes
    ----------
    sketch : Sketch
        Parcels (their estate is the number of a group over the whole town) and streets.
    rings : dict of int to Ring
        Land of each site.
    barriers : list of (str, Ring)
        What cuts contiguity.
    wide_roads : list of Ring
        Land between the parcels on both sides of each road of at least 12 m.
    """

    sketch: Sketch = field(default_factory=Sketch)
    rings: dict[int, Ring] = field(default_factory=dict)
    barriers: list[tuple[str, Ring]] = field(default_factory=list)
    wide_roads: list[Ring] = field(default_factory=list)


def draw_sizes(town: Town, rng: np.random.Generator) -> Sizes:
    """Draw the parcel sizes of every group; those of a site add up to its land.

    Raises
    ------
    ValueError
        A parcel too large for every group of its site.
    """
    found = []
    for site in town.sites:
        sizes = parcel_sizes(site.n_parcels, rng, min(120.0, site.area_mu / 8))
        sizes *= site.area_mu / sizes.sum()
        wanted = [g.share * site.area_mu for g in site.groups]
        found.append(deal_out(sizes.tolist(), wanted, [g.largest_mu for g in site.groups]))
    return found


def gross_land_m2(groups: Sequence[Sequence[float]], rng: np.random.Generator) -> float:
    """Land of a site with its lanes, before it is drawn."""
    return sum(gross_m2(block) for group in groups for block in street_blocks(group, rng))


def draw_town(town: Town, sizes: Sizes, weights: Sequence[float], seed: int) -> Drawing:
    """Draw sites, what divides them, streets and parcels.

    All random draws depend on the seed and the site alone, so that small changes of the weights change little.

    Parameters
    ----------
    town : Town
    sizes : list
        From `draw_sizes`.
    weights : sequence of float
        Land of each site, m².
    seed : int
    """
    drawing = Drawing()
    _divide(drawing, town, weights, np.random.default_rng([seed, 5]))
    number = 0
    for s, groups in enumerate(sizes):
        own = np.random.default_rng([seed, 6, s])
        tree = cutting_order([sum(g) for g in groups], own)
        numbers = range(number, number + len(groups))
        fill_estates(drawing.sketch, drawing.rings[s], tree, groups, rng=own, numbers=numbers)
        number += len(groups)
    return drawing


def site_of_parcels(drawing: Drawing, town: Town) -> NDArray[np.int64]:
    """Site of each parcel, by number."""
    site = np.array([s for s, site in enumerate(town.sites) for _ in site.groups], dtype=np.int64)
    return np.asarray(site[np.asarray(drawing.sketch.estate_of)], dtype=np.int64)


def _divide(drawing: Drawing, town: Town, weights: Sequence[float], rng: np.random.Generator) -> None:
    """Divide the rectangle, the piece with the most places first, across its longer axis, slightly askew."""
    total = sum(weights) * _DIVIDERS_SHARE
    land = rectangle(0.0, 0.0, math.sqrt(town.aspect * total), math.sqrt(total / town.aspect))
    pending: list[tuple[Ring, list[tuple[int, ...]], bool]] = [(land, list(town.places()), False)]
    cuts = 0
    while pending:
        pending.sort(key=lambda piece: (-len(piece[1]), piece[1]))
        ring, places, within = pending.pop(0)
        if len(places) == 1 and len(places[0]) > 1:
            places, within = [(s,) for s in places[0]], True
        if len(places) == 1:
            drawing.rings[places[0][0]] = ring
            continue
        divider = VILLAGE_ROAD if within else town.dividers[cuts] if cuts < len(town.dividers) else AVENUE
        cuts += not within
        half = (len(places) + 1) // 2
        first, second = (sum(weights[s] for place in part for s in place) for part in (places[:half], places[half:]))
        normal = turned(long_axis(ring), float(rng.uniform(-0.06, 0.06)))
        below, above = _cut(drawing, ring, normal, level_at_share(ring, normal, first / (first + second)), divider)
        pending += [(below, places[:half], within), (above, places[half:], within)]


def _cut(drawing: Drawing, ring: Ring, normal: Point, level: float, divider: Divider) -> tuple[Ring, Ring]:
    """Cut a piece in two and note what lies between."""
    if divider.half_width_m > 0:
        drawing.barriers.append((divider.name, _strip(chord(ring, normal, level), divider.half_width_m)))
    else:
        drawing.sketch.roads.append(street(ring, normal, level, divider.name, divider.gap_m))
    if divider.name in ROADS_FOR_FRONTAGE:
        upper = split(ring, normal, level - divider.gap_m / 2)[1]
        drawing.wide_roads.append(split(upper, normal, level + divider.gap_m / 2)[0])
    return split_with_gap(ring, normal, level, divider.gap_m)


def _strip(line: tuple[Point, Point], half_width_m: float) -> Ring:
    """Band along a line, 20 m longer at both ends."""
    start, end = np.asarray(line)
    length = float(np.hypot(*(end - start)))
    steps = np.linspace(-20.0, length + 20.0, max(int(length / 50.0), 2))
    points = start + (end - start) / length * steps[:, None]
    return band([(float(x), float(y)) for x, y in points], np.full(len(points), half_width_m))
