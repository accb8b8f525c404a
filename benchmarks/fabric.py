"""Generated land of any size as problems: the village fabric with phases, regions and targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely

from benchmarks.places import HERE
from planner.assemble import assemble
from planner.config_file import load_config
from planner.land import Land, prepare
from planner.problem import Floats, Ints, Problem, Target
from planner.progress import Silent
from planner.scoring import score_parcels

CEILING: Final = 1.02
"""Ceilings over floors: plans of different planners have nearly the same area, so their objectives compare."""

ZONE_SHARES: Final = (0.4, 1.1)
"""Floors of every second region, as parts of the study area's own share, in the middle and the last phase."""


@dataclass(frozen=True)
class FabricCase:
    """One generated case.

    Attributes
    ----------
    n_parcels : int
        Size of the fabric.
    shares : tuple of float
        Cumulative targets as shares of all land; as many as phases.
    years : tuple of int
        Years of the phases; they decide which gates are open.
    regions : int
        Zones with targets of their own; the zones of the fabric are merged or split.
    only_region : bool
        Keep the first zone of the fabric alone: one circle.
    """

    n_parcels: int
    shares: tuple[float, ...]
    years: tuple[int, ...]
    regions: int
    only_region: bool = False


THREE_YEARS: Final = (2, 4, 6)
FIVE_YEARS: Final = (2, 3, 4, 5, 6)
FIVE_SHARES: Final = (0.02, 0.05, 0.09, 0.14, 0.20)
FABRICS: Final = {
    "generated-300": FabricCase(1_200, (0.04, 0.10, 0.20), THREE_YEARS, 4, only_region=True),
    "generated-300-tight": FabricCase(1_200, (0.08, 0.20, 0.40), THREE_YEARS, 4, only_region=True),
    "generated-1000": FabricCase(1_001, (0.02, 0.08, 0.20), THREE_YEARS, 2),
    "generated-3000": FabricCase(3_001, FIVE_SHARES, FIVE_YEARS, 6),
    "generated-10000": FabricCase(10_001, FIVE_SHARES, FIVE_YEARS, 6),
    "generated-50000": FabricCase(50_001, FIVE_SHARES, FIVE_YEARS, 6),
}
"""One parcel of each fabric is a duplicate, which the repair drops. The circle of 300 starts at 4 %: 2 % of it would be
smaller than the smallest block."""


def fabric_problem(case: FabricCase) -> Problem:
    """Generate, repair, zone and assemble as a run does; then regions and targets."""
    phases = [f"{{id: P{k + 1}, year: {year}}}" for k, year in enumerate(case.years)]
    overrides = [f"parcels.synthetic.n_parcels={case.n_parcels}", f"optimise.phases=[{', '.join(phases)}]"]
    config = load_config(HERE / "fabric.yaml", None, overrides).config
    land = prepare(config, Silent())
    problem = assemble(score_parcels(land.fields, config.scoring), land.adjacency, config).problem
    if case.only_region:
        problem, _ = problem.subset(problem.zone == 0)
        problem = replace(problem, zones=problem.zones[:1])
    else:
        zone = regions(problem.zone, _centres(land), problem.area_mu, case.regions)
        problem = replace(problem, zone=zone, zones=tuple(f"R{k + 1}" for k in range(case.regions)))
    return replace(problem, targets=tuple(_targets(problem, case.shares)))


def _centres(land: Land) -> Floats:
    return shapely.get_coordinates(shapely.point_on_surface(land.parcels.geometry.to_numpy()))


def regions(zone: Ints, xy: Floats, area_mu: Floats, wanted: int) -> Ints:
    """As many regions as wanted from zones 0, 1, …: neighbours in number are merged, or the largest is cut in two.

    Parameters
    ----------
    zone : int64[n]
        Number of each parcel's zone, -1 = none (stays).
    xy : float64[n, 2]
        A point in each parcel, m.
    area_mu : float64[n]
    wanted : int

    Returns
    -------
    int64[n]
        -1, or 0 … wanted - 1.
    """
    count = int(zone.max()) + 1
    if count > wanted:
        merged = np.arange(count) * wanted // count
        return np.where(zone >= 0, merged[np.maximum(zone, 0)], -1)
    result = zone.copy()
    for new in range(count, wanted):
        largest = int(np.bincount(result[result >= 0], weights=area_mu[result >= 0]).argmax())
        mine = np.flatnonzero(result == largest)
        axis = int(np.ptp(xy[mine], axis=0).argmax())
        order = mine[np.argsort(xy[mine, axis], kind="stable")]
        half = np.searchsorted(np.cumsum(area_mu[order]), area_mu[order].sum() / 2)
        result[order[half + 1 :]] = new  # the parcel that reaches the half stays
    return result


def _targets(problem: Problem, shares: tuple[float, ...]) -> Iterator[Target]:
    """Targets over all land with ceilings; floors for every second region in the middle and the last phase."""
    land_mu = float(problem.area_mu.sum())
    for t, share in enumerate(shares):
        floor = round(share * land_mu, 1)
        yield Target(f"P{t + 1}", t, -1, floor, ceiling=round(CEILING * floor, 1))
    if len(problem.zones) < 2:
        return
    for zone in range(0, len(problem.zones), 2):
        zone_mu = float(problem.area_mu[problem.zone == zone].sum())
        for t, part in zip((len(shares) // 2, len(shares) - 1), ZONE_SHARES, strict=True):
            floor = round(part * shares[t] * zone_mu, 1)
            yield Target(f"P{t + 1}, zone {problem.zones[zone]}", t, zone, floor)
