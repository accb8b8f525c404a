"""What the judge works out for itself from the written layers and the configuration, before any rule is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.units import M2_PER_MU
from planner.check import shapes
from planner.check.model import CheckInput, Claims
from planner.check.tolerances import YEAR, shared_slack_m
from planner.config import Config, counts_in_use
from planner.expressions import evaluate_condition, evaluate_number
from planner.land_fields import joined_fields, scoring_of
from planner.scoring import Scores, score_parcels

TIE_M2: Final = 0.01
"""Zones whose overlap with a parcel differs by no more than this, m², tie; either is accepted."""


def texts(column: pd.Series[Any]) -> list[str | None]:
    """Values as text; missing and empty become None, whole numbers lose their ``.0``."""
    if isinstance(column.dtype, pd.StringDtype):
        return [value or None if isinstance(value, str) else None for value in column.array]

    def one(value: Any) -> str | None:
        if value is None or pd.isna(value):
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value) or None

    return [one(v) for v in column.tolist()]


def numbers(column: pd.Series[Any]) -> shapes.Floats:
    """Values as float64; whatever is no number becomes NaN."""
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def measurable(frame: gpd.GeoDataFrame) -> shapes.Geometries:
    """Geometries fit for measuring, so that one broken parcel does not hide the other findings.

    Null becomes empty and invalid polygons are rebuilt; the rule `geometry` reports both.
    """
    found = np.array(frame.geometry.to_numpy(), dtype=object)
    found[shapely.is_missing(found)] = shapely.Polygon()
    broken = ~shapely.is_valid(found)
    found[broken] = shapely.make_valid(found[broken], method="structure", keep_collapsed=False)
    return found


@dataclass(frozen=True)
class Facts:
    """A plan as the judge sees it. Arrays of length n are by position in the layer ``parcels``.

    Attributes
    ----------
    tables : CheckInput
        The written layers.
    config : Config
        The resolved configuration.
    claims : Claims
        What the plan says of itself.
    """

    tables: CheckInput
    config: Config
    claims: Claims

    @property
    def parcels(self) -> gpd.GeoDataFrame:
        """The layer of parcels."""
        return self.tables.parcels

    @cached_property
    def n(self) -> int:
        """Number of parcels."""
        return len(self.parcels)

    @cached_property
    def n_phases(self) -> int:
        """Number of phases, T."""
        return len(self.config.optimise.phases)

    @cached_property
    def ids(self) -> list[str]:
        """Parcel ids; empty where missing."""
        return [i or "" for i in texts(self.parcels["parcel_id"])]

    @cached_property
    def shape(self) -> shapes.Geometries:
        """Polygons, fit for measuring."""
        return measurable(self.parcels)

    @cached_property
    def area_mu(self) -> shapes.Floats:
        """Measured area, mu."""
        return np.asarray(shapely.area(self.shape) / M2_PER_MU)

    @cached_property
    def perimeter_m(self) -> shapes.Floats:
        """Measured length of all rings, m."""
        return np.asarray(shapely.length(self.shape))

    @cached_property
    def status(self) -> list[str | None]:
        """Written status."""
        return texts(self.parcels["status"])

    @cached_property
    def role(self) -> list[str | None]:
        """Written role."""
        return texts(self.parcels["role"])

    @cached_property
    def block_of(self) -> list[str | None]:
        """Written block; this alone decides what is in the plan."""
        return texts(self.parcels["block_id"])

    @cached_property
    def phase(self) -> shapes.Ints:
        """Written phase, 1-based; 0 = none, or not one of the phases."""
        written = numbers(self.parcels["phase"])
        good = (written >= 1) & (written <= self.n_phases) & (written == np.floor(written))
        return np.where(good, written, 0).astype(np.int64)

    @cached_property
    def selected(self) -> NDArray[np.bool_]:
        """Which parcels are in a block."""
        return np.array([b is not None for b in self.block_of], dtype=bool)

    @cached_property
    def members(self) -> dict[str, shapes.Ints]:
        """Block → positions of its parcels."""
        found: dict[str, list[int]] = {}
        for i, block in enumerate(self.block_of):
            if block is not None:
                found.setdefault(block, []).append(i)
        return {block: np.array(found[block], dtype=np.int64) for block in sorted(found)}

    @cached_property
    def block_phase(self) -> dict[str, int]:
        """Block → phase of most of its parcels, 0 = none; `assignment` reports blocks of several phases."""
        return {b: int(np.bincount(self.phase[m]).argmax()) for b, m in self.members.items()}

    @cached_property
    def standing(self) -> frozenset[str]:
        """Blocks that are just those of ``locks.blocks``: they stand as they are, rules for blocks pass them over."""
        given = {frozenset(b.parcels) for b in self.config.optimise.locks.blocks}
        return frozenset(b for b, positions in self.members.items() if frozenset(self.named(positions)) in given)

    @cached_property
    def stands(self) -> NDArray[np.bool_]:
        """Parcels in a standing block."""
        return np.array([block in self.standing for block in self.block_of], dtype=bool)

    def named(self, positions: Sequence[int] | NDArray[Any]) -> tuple[str, ...]:
        """Ids of parcels by position."""
        return tuple(self.ids[int(i)] for i in positions)

    # --- zones -----------------------------------------------------------------------------------------------------

    @cached_property
    def zone_accepted(self) -> list[frozenset[str | None]]:
        """For each parcel the zones it may be said to lie in: one, or those that tie."""
        spec = self.config.zones
        if spec is None:
            return [frozenset({None})] * self.n
        if spec.field is not None:
            return [frozenset({z}) for z in texts(self.parcels[spec.field])]
        names, overlap = self._zone_overlaps()
        accepted: list[frozenset[str | None]] = []
        for row in overlap:
            most = float(row.max(initial=0.0))
            ties: set[str | None] = {names[k] for k in np.flatnonzero((row > 0) & (row >= most - TIE_M2))}
            accepted.append(frozenset(ties | ({None} if most <= TIE_M2 else set())))
        return accepted

    def _zone_overlaps(self) -> tuple[list[str], shapes.Floats]:
        """Zone names and the area of each parcel in each, m², ``float64[n, zones]``."""
        zones = measurable(self.tables.zones)
        labels = texts(self.tables.zones["zone"])
        names = sorted({z for z in labels if z is not None})
        overlap = np.zeros((self.n, len(names)))
        for k, name in enumerate(names):
            zone = shapely.union_all(zones[[label == name for label in labels]])
            near = shapely.STRtree(self.shape).query(zone, predicate="intersects")
            shapely.prepare(zone)
            whole = shapely.covers(zone, self.shape[near])
            overlap[near[whole], k] = shapely.area(self.shape[near[whole]])
            overlap[near[~whole], k] = shapely.area(shapely.intersection(self.shape[near[~whole]], zone))
        return names, overlap

    @cached_property
    def zone(self) -> list[str | None]:
        """Zone of each parcel: the written one where it is acceptable, else the rebuilt one."""
        written = texts(self.parcels["zone"])
        return [
            w if w in accepted else min(accepted, key=lambda z: z or "")
            for w, accepted in zip(written, self.zone_accepted, strict=True)
        ]

    # --- scores, money, gates --------------------------------------------------------------------------------------

    @cached_property
    def fields(self) -> pd.DataFrame:
        """The mapped, joined and measured fields: what the scoring stage starts from."""
        names = [*self.config.parcels.fields, *(f for table in self.config.tables for f in table.fields)]
        names += [name for _, name in joined_fields(self.config)]
        names += ["ellipsoidal_mu"] if "ellipsoidal_mu" in self.parcels else []
        frame = pd.DataFrame(self.parcels[names]).reset_index(drop=True)
        frame["between_mu"] = self.between_mu
        frame["boundary_mu"] = self.area_mu + self.between_mu
        frame["area_m2"] = self.area_mu * M2_PER_MU
        frame["area_mu"] = self.area_mu
        frame["perimeter_m"] = self.perimeter_m
        if "zone" not in names:
            frame["zone"] = pd.Series(self.zone, dtype="string")
        spec = self.config.areas
        frame["cleared_mu"] = evaluate_number(spec.cleared or "boundary_mu", frame)
        frame["accepted_mu"] = evaluate_number(spec.accepted or "cleared_mu", frame)
        return frame

    @cached_property
    def between_mu(self) -> shapes.Floats:
        """Land between parcels that the layer ``between`` allots to each parcel, measured, mu."""
        place = {parcel: i for i, parcel in enumerate(self.ids)}
        found = np.zeros(self.n)
        layer = self.tables.between
        if len(layer):
            owner = np.array([place.get(p or "", -1) for p in texts(layer["parcel_id"])], dtype=np.int64)
            area = shapely.area(measurable(layer)) / M2_PER_MU
            np.add.at(found, owner[owner >= 0], area[owner >= 0])
        return found

    @cached_property
    def scores(self) -> Scores:
        """Scores and statuses, computed anew; indexed by position."""
        return score_parcels(self.fields, scoring_of(self.config))

    @cached_property
    def score(self) -> shapes.Floats:
        """Recomputed score, NaN where unknown."""
        return numbers(self.scores.score)

    @cached_property
    def scored_status(self) -> list[str]:
        """Recomputed status before any plan: eligible, ineligible or excluded."""
        return [str(s) for s in self.scores.status.tolist()]

    @cached_property
    def expression_fields(self) -> pd.DataFrame:
        """All that expressions of the section `optimise` may use, by position."""
        return self.scores.fields.assign(score=self.scores.score)

    def holds(self, condition: str) -> NDArray[np.bool_]:
        """Where a condition holds; where it cannot be decided it does not."""
        return np.asarray(evaluate_condition(condition, self.expression_fields).fillna(False).to_numpy(dtype=bool))

    def amounts(self, expression: str) -> shapes.Floats:
        """Values of an expression, NaN where unknown."""
        return numbers(evaluate_number(expression, self.expression_fields))

    @cached_property
    def unmeasured(self) -> NDArray[np.bool_]:
        """Parcels that are ineligible because what they bring to a rule for blocks or to a target is unknown."""
        found = np.zeros(self.n, dtype=bool)
        for rule in self.config.optimise.block.rules:
            if rule.unknown == "ineligible":
                for text in filter(None, (rule.amount, rule.share_of)):
                    found |= np.isnan(self.amounts(text))
        for counts in counts_in_use(self.config) - {"net"}:
            found |= np.isnan(self.amounts(f"{counts}_mu"))
        return found

    @cached_property
    def may_fill(self) -> NDArray[np.bool_]:
        """Ineligible parcels that match ``filler.where``."""
        where = self.config.optimise.filler.where
        if where is None:
            return np.zeros(self.n, dtype=bool)
        return np.asarray(self.holds(where) & self.is_ineligible & ~self.unmeasured)

    @cached_property
    def is_ineligible(self) -> NDArray[np.bool_]:
        """Recomputed as ineligible, or unmeasured; in a block such a parcel is filler."""
        scored = np.array([s == "ineligible" for s in self.scored_status], dtype=bool)
        return np.asarray(scored | (self.unmeasured & np.array([s == "eligible" for s in self.scored_status])))

    @cached_property
    def stated_cost(self) -> shapes.Floats:
        """Cost of each parcel by the expression, in currency, NaN where unknown (or without a cost)."""
        spec = self.config.optimise.cost
        if spec is None:
            return np.full(self.n, np.nan)
        value = self.amounts(spec.value)
        return value * self.area_mu if spec.per == "mu" else value

    @cached_property
    def cost(self) -> shapes.Floats:
        """Cost after the policy for unknown ones, NaN where a parcel has none; 0 without a cost section."""
        spec = self.config.optimise.cost
        if spec is None:
            return np.zeros(self.n)
        known = np.isfinite(self.stated_cost) & (self.area_mu > 0)
        if spec.unknown == "ineligible" or not known.any():
            return self.stated_cost
        mean = self.stated_cost[known].sum() / self.area_mu[known].sum()
        return np.where(np.isfinite(self.stated_cost), self.stated_cost, mean * self.area_mu)

    @cached_property
    def earliest(self) -> shapes.Ints:
        """First phase, 1-based, in which all gates are open; T + 1 = never."""
        years = np.array([p.year for p in self.config.optimise.phases], dtype=float)
        first = np.ones(self.n, dtype=np.int64)
        for gate in self.config.optimise.earliest:
            year = self.amounts(gate.year)
            opens = np.searchsorted(years, year - YEAR) + 1
            opens[np.isnan(year)] = 1 if gate.unknown == "open" else self.n_phases + 1
            first = np.maximum(first, opens)
        return first

    # --- boundaries ------------------------------------------------------------------------------------------------

    @cached_property
    def barrier(self) -> shapes.Geometries:
        """Barriers, fit for measuring."""
        return measurable(self.tables.barriers)

    @cached_property
    def slack_m(self) -> float:
        """Uncertainty of a shared length, m."""
        return shared_slack_m(self.config.adjacency)

    @property
    def least_adjacent_m(self) -> float:
        """Shared boundary from which two parcels may count as adjacent, m: `min_shared_m` less the slack."""
        return self.config.adjacency.min_shared_m - self.slack_m

    @property
    def barrier_tolerance_m(self) -> float:
        """Reach of a barrier, m: never less than the touch tolerance, for boundaries are not known better than that."""
        spec = self.config.adjacency
        return max(spec.barrier_tolerance_m, spec.touch_tolerance_m)

    def shared(self, pairs: shapes.Ints, *, cut: bool = True) -> shapes.Floats:
        """Least and most boundary that pairs share, m, ``float64[m, 2]``; a barrier's reach is cut out on demand."""
        return shapes.shared_lengths(
            self.shape,
            pairs,
            self.barrier if cut else self.barrier[:0],
            touch_tolerance_m=self.config.adjacency.touch_tolerance_m,
            barrier_tolerance_m=self.barrier_tolerance_m,
        )

    @cached_property
    def link_ends(self) -> shapes.Ints:
        """Ends of the listed links by position, i < j, ``int64[links, 2]``; −1 where an id is unknown."""
        position = {parcel: i for i, parcel in enumerate(self.ids)}
        links = self.tables.links
        ends = [[position.get(p or "", -1) for p in texts(links[end])] for end in ("parcel_a", "parcel_b")]
        return np.sort(np.array(ends, dtype=np.int64).reshape(2, -1).T, axis=1)

    @cached_property
    def seams(self) -> shapes.Seams:
        """Parcels of one block that touch, and what they share."""
        return self.seams_within(list(self.members.values()))

    def seams_within(self, groups: Sequence[shapes.Ints]) -> shapes.Seams:
        """Parcels of one group that touch, and what they share."""
        pairs = shapes.close_pairs(self.shape, groups, self.config.adjacency.touch_tolerance_m)
        shared = self.shared(pairs)
        return shapes.Seams(pairs, shared[:, 0], shared[:, 1])

    @cached_property
    def saved_m(self) -> tuple[shapes.Floats, shapes.Floats]:
        """Least and most boundary, m, by which each seam shortens its block's perimeter on one side.

        A seam within the slack of ``min_shared_m`` may or may not count as adjacency, so its least is 0.
        """
        seams, slack, limit = self.seams, self.slack_m, self.config.adjacency.min_shared_m
        least = np.where(seams.least_m >= limit + slack, seams.least_m - slack, 0.0)
        most = np.where(seams.most_m >= limit - slack, seams.most_m + slack, 0.0)
        return least, most

    @cached_property
    def block_perimeter_m(self) -> dict[str, tuple[float, float]]:
        """Block → least and most perimeter, m: Σ parcel perimeters − 2 · shared boundary."""
        block_at_seam = np.array([self.block_of[i] for i in self.seams.pairs[:, 0]], dtype=object)
        least, most = self.saved_m
        found = {}
        for block, positions in self.members.items():
            total, inside = float(self.perimeter_m[positions].sum()), block_at_seam == block
            found[block] = (total - 2 * float(most[inside].sum()), total - 2 * float(least[inside].sum()))
        return found
