"""The towns beside Qingxi as sites: what is published of them, and villages, shares and years that are invented.

Facts are the names of sites and the sums that the towns' own reports give (see ``docs/cases``). Names of villages
that no report gives are made of numbers, so that nobody takes them for real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from geodata.synthetic.town_model import Divider, Group, Outlines, Site, Town

_WATERWAY: Final = Divider("waterway", 60.0, 18.0)
_RIVER: Final = Divider("river", 60.0, 15.0)
_ARTERIAL: Final = Divider("arterial", 56.0, 18.0)


def _groups(village: str, ready: Sequence[int], like: Group | None = None) -> tuple[Group, ...]:
    """Equal shares of one village, settled in these years; other traits as those of ``like``."""
    model = like or Group("", "", 1.0, 1)
    return tuple(
        replace(model, village=village, group=f"{village}{k}组", share=1 / len(ready), ready_year=year)
        for k, year in enumerate(ready, start=1)
    )


def _shared(villages: Sequence[str], ready: Sequence[int], like: Group | None = None) -> tuple[Group, ...]:
    """Equal shares of several villages, each settled in these years."""
    every = [group for village in villages for group in _groups(village, ready, like)]
    return tuple(replace(group, share=group.share / len(villages)) for group in every)


def _around(villages: Sequence[str], area_mu: float, n_parcels: int, like: Group | None = None) -> Site:
    """Land outside every zone."""
    return Site(None, area_mu, n_parcels, _shared(villages, (5, 5), like))


# ------------------------------------------------------------------------------------------------ Guzhen
_PARKS: Final = (
    (3400.0, (1, 2, 2, 3, 4, 5)),
    (3000.0, (1, 1, 2, 3, 5, 6)),
    (2800.0, (2, 2, 3, 3, 4, 6)),
    (2600.0, (1, 2, 3, 4, 4, 5)),
    (2400.0, (1, 3, 3, 4, 5)),
    (2200.0, (2, 3, 4, 5, 6)),
)
_PLATFORMS: Final = (
    ("灯都产业新城", 2600.0, 245, (1, 2, 3, 4, 5)),
    ("灯都新客厅", 1600.0, 150, (1, 2, 3)),
    ("螺沙园区", 2400.0, 226, (1, 2, 3, 5)),
)
GUZHEN: Final = Town(
    origin=(416_700.0, 2_501_500.0),
    county="442000",
    sites=(
        *(
            Site(f"园区{k}", area, round(area / 10.6), _groups(f"古镇{k}村", ready))
            for k, (area, ready) in enumerate(_PARKS, start=1)
        ),
        *(
            Site(name, area, n, _groups(f"古镇{k}村", ready))
            for k, (name, area, n, ready) in enumerate(_PLATFORMS, start=len(_PARKS) + 1)
        ),
        _around(("古镇10村",), 1400.0, 150),
        _around(("古镇11村",), 1400.0, 150),
    ),
    dividers=(_WATERWAY, _ARTERIAL, Divider("creek", 44.0, 13.0)),
    shed_share=0.75,
    good_share=0.03,
    industries=(("灯饰", 0.65), ("五金", 0.2), ("塑料", 0.15)),
)
"""Six parks worked at the same time and three platforms, over 20 000 mu by all; the split among them is invented."""

# --------------------------------------------------------------------------------------------- Guangqing
GUANGQING: Final = Town(
    origin=(398_000.0, 2_606_000.0),
    county="441800",
    sites=(
        Site("首期", 3000.0, 283, _groups("广清1村", (1, 2, 3, 4), Group("", "", 1.0, 1, increment_share=0.35))),
        Site("二期", 2800.0, 264, _groups("广清2村", (4, 5, 6, 7), Group("", "", 1.0, 1, increment_share=0.75))),
        Site("三期", 3200.0, 302, _groups("广清3村", (7, 8, 8, 9), Group("", "", 1.0, 1, increment_share=0.9))),
        _around(("广清4村",), 1200.0, 120),
    ),
    dividers=(_RIVER, _ARTERIAL),
    aspect=1.8,
)
"""Three rounds, 2014-17, 2018-20 and from 2021 on; sizes, and how much of each is vacant, are invented."""

# ----------------------------------------------------------------------------------------------- Xiaolan
_STRONG: Final = Group("", "", 1.0, 1, full_papers_share=0.45, yield_factor=1.25, willing_shift=0.04)
_WEAK: Final = Group("", "", 1.0, 1, full_papers_share=0.08, yield_factor=0.55, willing_shift=-0.12)
XIAOLAN_COMMUNITIES: Final = ("永宁社区", *(f"小榄{k}社区" for k in range(2, 24)))
XIAOLAN_WEAK_VILLAGES: Final = tuple(f"南{k}村" for k in range(1, 7))


def _xiaolan_parks() -> list[Site]:
    """Ten parks of 1150 mu: seven of three communities each, then three of two weak villages each."""
    owners = [(XIAOLAN_COMMUNITIES[3 * k + 1 : 3 * k + 4], (1, 2), _STRONG) for k in range(7)]
    parks = [*owners, *((XIAOLAN_WEAK_VILLAGES[2 * k : 2 * k + 2], (1, 2, 3), _WEAK) for k in range(3))]
    return [Site(f"千亩园{k}", 1150.0, 108, _shared(*owner)) for k, owner in enumerate(parks, start=1)]


XIAOLAN: Final = Town(
    origin=(421_900.0, 2_508_400.0),
    county="442000",
    sites=(
        Site("永宁板块一", 230.0, 24, _groups("永宁社区", (1, 1), _STRONG), place="永宁地块"),
        Site("永宁板块二", 215.0, 22, _groups("永宁社区", (1, 1), _STRONG), place="永宁地块"),
        Site("永宁板块三", 180.0, 18, _groups("永宁社区", (1, 2), _STRONG), place="永宁地块"),
        *_xiaolan_parks()[:5],
        _around(XIAOLAN_COMMUNITIES[22:], 1400.0, 130, _STRONG),
        *_xiaolan_parks()[5:],
        _around(XIAOLAN_WEAK_VILLAGES, 1400.0, 130, _WEAK),
    ),
    dividers=(_WATERWAY, _ARTERIAL),
    aspect=0.85,
    shed_share=0.75,
)
"""The Yongning site of 625 mu in three plates in the north, thousand-mu parks of 23 communities and, in the south, of
six weak villages. How the plates share the site, and all parks, are invented."""

# --------------------------------------------------------------------------------------------- Changping
CHANGPING: Final = Town(
    origin=(498_500.0, 2_542_000.0),
    county="441900",
    sites=(
        Site("黄泥塘园区", 3200.0, 300, _groups("常平1村", (1, 2, 3, 4, 5))),
        Site("常平新城", 3000.0, 280, _groups("常平2村", (1, 2, 3, 4))),
        Site("TOD香港城", 1800.0, 170, _groups("常平3村", (2, 3, 4))),
        Site("深莞合作区", 2800.0, 265, _groups("常平4村", (1, 3, 4, 5))),
        Site("连片工业用地", 4200.0, 395, _groups("常平5村", (1, 2, 2, 3, 4, 5))),
        *(_around((f"常平{k}村",), 3200.0, 320) for k in range(6, 12)),
    ),
    dividers=(Divider("railway", 60.0, 20.0), Divider("river", 60.0, 18.0), _ARTERIAL),
    housing_share=0.1,
    outlines=Outlines(town_km2=103.0, construction_zone_km2=66.0, outside_share=0.10),
)
"""About 3 000 industrial parcels at the five named sites and around them, in a town of 103 km² of which 66 km² are
its concentrated urban construction zone."""

TOWNS: Final = {"guzhen": GUZHEN, "guangqing": GUANGQING, "xiaolan": XIAOLAN, "changping": CHANGPING}
