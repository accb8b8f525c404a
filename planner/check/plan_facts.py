"""What the layers say of the plan: parcels, blocks, phases, zones, each read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.units import M2_PER_MU
from planner.check import shapes
from planner.check.columns import measurable, numbers, texts
from planner.check.model import CheckInput, Claims
from planner.config import Config

TIE_M2: Final = 0.01
"""Zones whose overlap with a parcel differs by no more than this, m², tie; either is accepted."""


@dataclass(frozen=True)
class PlanFacts:
    """A plan as it is written. Arrays of length n are by position in the layer ``parcels``.

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
