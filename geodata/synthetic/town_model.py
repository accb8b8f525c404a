"""What a town is made of: sites of a known sum of parcel land, the groups that own them, and what divides them.

A site is a fact (its name, its land); where it lies, its parcels, its villages and their shares are invented.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from geodata.synthetic.polygons import Point

ROADS_FOR_FRONTAGE: Final = ("arterial", "avenue")
"""Dividers that are roads of at least 12 m; the others are water and railways."""


@dataclass(frozen=True)
class Group:
    """Land of one village group in a site.

    Attributes
    ----------
    village, group : str
    share : float
        Of the site's land; shares of a site add up to 1.
    ready_year : int
        Year by which its papers and leases are settled.
    largest_mu : float
        Largest parcel.
    full_papers_share : float
        Share of its parcels whose papers are complete before that year.
    yield_factor : float
        Tax and output per mu against the distribution that holds everywhere.
    willing_shift : float
        Added to the willingness of its right-holders.
    increment_share : float
        Share of its land that is vacant and was never built on.
    """

    village: str
    group: str
    share: float
    ready_year: int
    largest_mu: float = math.inf
    full_papers_share: float = 0.30
    yield_factor: float = 1.0
    willing_shift: float = 0.0
    increment_share: float = 0.0


@dataclass(frozen=True)
class Site:
    """A designated area, or land around: its parcels' sum, how many they are, whose they are.

    Attributes
    ----------
    name : str or None
        Name of the zone; None for land outside every zone.
    area_mu : float
        Sum of its parcels; exact for a zone.
    n_parcels : int
    groups : tuple of Group
    place : str or None
        Name of a place that its parcels carry. Neighbouring sites of one place lie side by side, and only village
        roads divide them.
    """

    name: str | None
    area_mu: float
    n_parcels: int
    groups: tuple[Group, ...]
    place: str | None = None

    def __post_init__(self) -> None:
        if abs(sum(g.share for g in self.groups) - 1.0) > 1e-9:
            raise ValueError(f"shares of the groups of site {self.name} do not add up to 1")


@dataclass(frozen=True)
class Divider:
    """What a cut between sites leaves free.

    Attributes
    ----------
    name : str
    gap_m : float
        Width of the land left free.
    half_width_m : float
        Half the width of what lies in the middle of it; 0 = no barrier.
    """

    name: str
    gap_m: float
    half_width_m: float = 0.0


AVENUE: Final = Divider("avenue", 30.0)
"""Divides sites where no barrier does."""

VILLAGE_ROAD: Final = Divider("village road", 10.0)
"""Divides the sites of one place: narrow enough to be bridged."""


@dataclass(frozen=True)
class Outlines:
    """Administrative outlines of a town: their areas are facts, their course is invented.

    Attributes
    ----------
    town_km2, construction_zone_km2 : float
        The whole town, and its concentrated urban construction zone within.
    outside_share : float
        Share of the parcels that the construction zone leaves out.
    """

    town_km2: float
    construction_zone_km2: float
    outside_share: float


@dataclass(frozen=True)
class Town:
    """Sites, and what divides them.

    Attributes
    ----------
    origin : tuple of float
        Easting and northing of the local origin, m.
    county : str
        First six digits of its parcel codes.
    sites : tuple of Site
    dividers : tuple of Divider
        Of the first cuts; `AVENUE` of the later ones.
    aspect : float
        Length (west to east) over depth of the whole land. Below 1 the first half of the sites lies in the north,
        else in the west.
    shed_share : float or None
        Share of the buildings that are sheds; Dongguan's mix when None.
    housing_share : float
        Share of the parcels outside the sites that are housing; twice that of the parcels below 2 mu.
    good_share : float
        Share of the working parcels inside the sites that hold a good firm.
    industries : tuple of (str, float)
        Industries and their shares of the parcels with firms; none: the parcels carry no industry.
    outlines : Outlines or None
    """

    origin: Point
    county: str
    sites: tuple[Site, ...]
    dividers: tuple[Divider, ...] = (Divider("river", 60.0, 15.0), Divider("arterial", 56.0, 18.0))
    aspect: float = 1.5
    shed_share: float | None = None
    housing_share: float = 0.3
    good_share: float = 0.0
    industries: tuple[tuple[str, float], ...] = ()
    outlines: Outlines | None = None

    def places(self) -> Iterator[tuple[int, ...]]:
        """Sites that lie side by side, by number: those of one place, or one alone."""
        keys = [(site.place, None if site.place else k) for k, site in enumerate(self.sites)]
        for _, run in groupby(range(len(self.sites)), key=keys.__getitem__):
            yield tuple(run)
