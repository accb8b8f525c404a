"""The towns beside Qingxi as sites: what is published of them, and villages, shares and years that are invented.

Facts are the names of sites and the sums that the towns' own reports give (see ``docs/cases``). Names of villages
that no report gives are made of numbers, so that nobody takes them for real ones.
"""

from __future__ import annotations

from typing import Final

from geodata.synthetic.town import Group, Site, Town

_EVEN: Final = 4
"""Groups of a site where nothing is said of them."""


def _groups(village: str, ready: tuple[int, ...], phases: tuple[int, ...] | None = None) -> tuple[Group, ...]:
    """Equal shares of one village, settled in these years; in no phase of a plan by construction unless given."""
    in_phase = phases or (0,) * len(ready)
    return tuple(
        Group(village, f"{village}{k}组", 1 / len(ready), year, phase)
        for k, (year, phase) in enumerate(zip(ready, in_phase, strict=True), start=1)
    )


def _around(name: str, area_mu: float, n_parcels: int) -> Site:
    """Land outside every zone."""
    return Site(None, area_mu, n_parcels, _groups(name, (5,) * _EVEN))


GUZHEN: Final = Town(
    origin=(416_700.0, 2_501_500.0),
    sites=(
        *(
            Site(f"园区{k}", area, round(area / 10.6), _groups(f"古镇{k}村", ready))
            for k, (area, ready) in enumerate(
                (
                    (3400.0, (1, 2, 2, 3, 4, 5)),
                    (3000.0, (1, 1, 2, 3, 5, 6)),
                    (2800.0, (2, 2, 3, 3, 4, 6)),
                    (2600.0, (1, 2, 3, 4, 4, 5)),
                    (2400.0, (1, 3, 3, 4, 5)),
                    (2200.0, (2, 3, 4, 5, 6)),
                ),
                start=1,
            )
        ),
        Site("灯都产业新城", 2600.0, 245, _groups("灯都新城村", (1, 2, 3, 4, 5))),
        Site("灯都新客厅", 1600.0, 150, _groups("新客厅村", (1, 2, 3))),
        Site("螺沙园区", 2400.0, 226, _groups("螺沙村", (1, 2, 3, 5))),
        _around("岸上村", 1400.0, 150),
        _around("水口村", 1400.0, 150),
    ),
    barriers=(("waterway", 60.0, 18.0), ("arterial", 56.0, 18.0), ("creek", 44.0, 13.0)),
)
"""Six parks worked at the same time and three platforms, over 20 000 mu by all; the split among them is invented."""
GUANGQING: Final = Town(
    origin=(398_000.0, 2_606_000.0),
    sites=(
        Site("首期", 3000.0, 283, _groups("园区首期", (1, 2, 3, 4))),
        Site("二期", 2800.0, 264, _groups("园区二期", (4, 5, 6, 7))),
        Site("三期", 3200.0, 302, _groups("园区三期", (7, 8, 8, 9))),
        _around("石角村", 1200.0, 120),
    ),
    aspect=1.8,
)
"""Three rounds, 2014-17, 2018-20 and from 2021 on; sizes are invented."""
XIAOLAN: Final = Town(
    origin=(421_900.0, 2_508_400.0),
    sites=(
        Site("永宁板块一", 230.0, 24, _groups("永宁", (1, 1))),
        Site("永宁板块二", 215.0, 22, _groups("永宁", (1, 1))),
        Site("永宁板块三", 180.0, 18, _groups("永宁", (1, 2))),
        *(
            Site(f"千亩园{k}", 1150.0, 108, _groups(f"北{k}社区" if k <= 5 else f"南{k}村", (1, 1, 2, 3)))
            for k in range(1, 11)
        ),
        _around("绩西村", 1400.0, 130),
        _around("宝丰村", 1400.0, 130),
    ),
    barriers=(("waterway", 60.0, 18.0), ("arterial", 56.0, 18.0)),
)
"""The Yongning site of about 625 mu in three plates, and thousand-mu parks in the north and the south of the town."""
CHANGPING: Final = Town(
    origin=(498_500.0, 2_542_000.0),
    sites=(
        Site("黄泥塘园区", 3200.0, 300, _groups("黄泥塘村", (1, 2, 3, 4, 5))),
        Site("常平新城", 3000.0, 280, _groups("新城村", (1, 2, 3, 4))),
        Site("TOD香港城", 1800.0, 170, _groups("站前村", (2, 3, 4))),
        Site("深莞合作区", 2800.0, 265, _groups("合作村", (1, 3, 4, 5))),
        Site("连片工业用地", 4200.0, 395, _groups("连片村", (1, 2, 2, 3, 4, 5))),
        *(_around(f"常平{k}村", 2650.0, 265) for k in range(1, 7)),
    ),
    barriers=(("railway", 60.0, 20.0), ("river", 60.0, 18.0), ("arterial", 56.0, 18.0)),
)
"""About 3 000 industrial parcels at the five named sites and around them."""
TOWNS: Final = {"guzhen": GUZHEN, "guangqing": GUANGQING, "xiaolan": XIAOLAN, "changping": CHANGPING}
