"""What stands on a town's parcels: uses, good firms, vacant land, and what that changes in the drawn attributes."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.synthetic.attributes import (
    HALL,
    HOUSING,
    IDLE,
    INDUSTRY,
    LOGISTICS,
    REMNANT,
    VACANT,
    WORKING_USES,
)
from geodata.synthetic.land import PARCEL_ID
from geodata.synthetic.town_fitting import FittedTown
from geodata.synthetic.town_model import Group, Town
from geodata.units import M2_PER_MU

STOCK: Final = "存量"
INCREMENT: Final = "增量"
FRONTAGE: Final = "临路长度_m"
STOCK_OR_INCREMENT: Final = "存量增量"
INDUSTRY_COLUMN: Final = "行业"

_EDGE_M: Final = 15.0
_LEASES_END_BY: Final = 15
"""Last year of a lease outside the sites."""


def parcel_frame(fitted: FittedTown, town: Town, rng: np.random.Generator) -> pd.DataFrame:
    """What attributes are drawn from (see `geodata.synthetic.attributes.attributes`), and traits of the groups.

    Parameters
    ----------
    fitted : FittedTown
    town : Town
    rng : numpy.random.Generator
    """
    groups = [group for site in town.sites for group in site.groups]
    of = [groups[e] for e in fitted.drawing.sketch.estate_of]
    names = [town.sites[s].name for s in fitted.site]
    inside = np.array([n is not None for n in names])
    ready = np.array([g.ready_year for g in of])
    frame = pd.DataFrame(
        {
            "area_mu": shapely.area(fitted.polygons) / M2_PER_MU,
            "zone": names,
            "village": [g.village for g in of],
            "group": [g.group for g in of],
            "place": [town.sites[s].place for s in fitted.site],
            "ready_year": ready,
            "lease_cap_year": np.where(inside, ready, _LEASES_END_BY),
            "designated": inside,
            "full_papers_share": [g.full_papers_share for g in of],
            "yield_factor": [g.yield_factor for g in of],
            "willing_shift": [g.willing_shift for g in of],
            "increment": _increment(of, rng),
        }
    )
    if town.shed_share is not None:
        frame = frame.assign(shed_share=town.shed_share)
    return _with_uses(frame, fitted, town, rng)


def _increment(of: list[Group], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Vacant parcels, by the share of their group."""
    share = np.array([g.increment_share for g in of])
    return np.asarray(rng.random(len(of)) < share, dtype=np.bool_)


def _with_uses(frame: pd.DataFrame, fitted: FittedTown, town: Town, rng: np.random.Generator) -> pd.DataFrame:
    """Set uses and good firms: industry in the sites, a little housing and a hall at their edges, a mixture outside."""
    n = len(frame)
    inside, area = frame["designated"].to_numpy(dtype=np.bool_), frame["area_mu"].to_numpy()
    draw = rng.random(n)
    use = np.where(draw < 0.88, INDUSTRY, np.where(draw < 0.96, LOGISTICS, IDLE)).astype(object)
    home = ~inside & (draw < np.where(area < 2, 2.0, 1.0) * town.housing_share)
    use[home] = HOUSING
    use[~inside & (area < 1.5) & (rng.random(n) < 0.1)] = HALL
    good = ~inside & ~home & (rng.random(n) < 0.22)
    for name, zone in fitted.zones.items():
        mine = (frame["zone"] == name).to_numpy()
        edge = mine & (shapely.distance(fitted.polygons, shapely.boundary(zone)) < _EDGE_M)
        _edge_of_site(use, good, edge, area, rng)
    good |= inside & (area > 3.0) & (rng.random(n) < town.good_share)
    use[inside & (area > 0.5) & (area < 1.5) & (use == INDUSTRY) & (rng.random(n) < 0.15)] = REMNANT
    use[frame["increment"]] = VACANT
    return frame.assign(use=use.tolist(), good_firm=good & (use == INDUSTRY))


def _edge_of_site(
    use: NDArray[np.object_],
    good: NDArray[np.bool_],
    edge: NDArray[np.bool_],
    area: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Some housing, a hall and a good firm at the edge of a site, where they cut off nobody."""
    small = np.flatnonzero(edge & (area < 2.0))
    if len(small) > 2:
        chosen = rng.choice(small, size=max(len(small) // 6, 2), replace=False)
        use[chosen] = HOUSING
        use[chosen[0]] = HALL
    medium = np.flatnonzero(edge & (area > 4.0) & (area < 10.0))
    if len(medium):
        good[rng.choice(medium)] = True


def town_columns(
    table: pd.DataFrame, frame: pd.DataFrame, frontage: NDArray[np.float64], town: Town, rng: np.random.Generator
) -> pd.DataFrame:
    """Attributes as a town has them: its county's codes, traits of its villages, vacant land, and further columns.

    Parameters
    ----------
    table : pandas.DataFrame
        From `attributes`; not changed.
    frame : pandas.DataFrame
        From `parcel_frame`.
    frontage : (n,) array of float
        m on roads of at least 12 m.
    town : Town
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        With ``临路长度_m``, ``存量增量``, and ``行业`` where the town names industries.
    """
    factor = frame["yield_factor"].where(~frame["good_firm"], 1.0)
    out = table.assign(
        **{
            PARCEL_ID: town.county + table[PARCEL_ID].str[6:],
            "亩均税收_万元": (table["亩均税收_万元"] * factor).round(2),
            "亩均产值_万元": (table["亩均产值_万元"] * factor).round(1),
            "意愿": (table["意愿"] + frame["willing_shift"]).clip(0, 1).round(2),
        }
    )
    out = _vacant(out, frame["increment"].to_numpy(dtype=np.bool_))
    out[FRONTAGE] = np.round(frontage, 1)
    out[STOCK_OR_INCREMENT] = np.where(frame["increment"], INCREMENT, STOCK)
    if town.industries:
        names, shares = zip(*town.industries, strict=True)
        drawn = rng.choice(np.array(names, dtype=object), size=len(out), p=np.array(shares) / sum(shares))
        working = frame["use"].isin(WORKING_USES) & (frame["use"] != IDLE)
        out[INDUSTRY_COLUMN] = pd.Series(drawn, index=out.index).where(working, None)
    return out


def _vacant(table: pd.DataFrame, vacant: NDArray[np.bool_]) -> pd.DataFrame:
    """Land that was never built on: no building, firm, lease or veto, nothing to compensate; all known to be nought."""
    nought = {
        "建筑面积_m2": 0.0,
        "容积率": 0.0,
        "建成年份": 0,
        "亩均税收_万元": 0.0,
        "亩均产值_万元": 0.0,
        "租约到期年": 0.0,
        "企业数": 0,
        "规上企业数": 0,
        "拆迁补偿_万元": 0.0,
    }
    out = table.assign(**{name: table[name].mask(vacant, value) for name, value in nought.items()})
    return out.assign(建筑类型=out["建筑类型"].mask(vacant, "无"), 环保安全否决=out["环保安全否决"].mask(vacant, "否"))
