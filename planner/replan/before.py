"""The plan before, as its folder tells it: blocks with their permanent codes, parcels with their areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from planner.codes import standing_blocks
from planner.config import Config
from planner.contents import PlanContents


@dataclass(frozen=True)
class FormerBlock:
    """A block of a plan.

    Attributes
    ----------
    block_id : str
        Its name in that plan, ``P1-01``.
    name : str
        Its permanent code, else the name of the project that stands there, else `block_id`.
    parcels : tuple of str
        Sorted.
    phase : str
    mode : str or None
        None without modes.
    area_mu : float
        Net.
    standing : str or None
        Id of the project in ``optimise.locks.blocks`` that it is.
    """

    block_id: str
    name: str
    parcels: tuple[str, ...]
    phase: str
    mode: str | None
    area_mu: float
    standing: str | None = None

    def spec(self) -> dict[str, Any]:
        """As `optimise.keep.blocks` and `optimise.locks.blocks` hold a block."""
        return {
            "id": self.standing or self.name,
            "parcels": list(self.parcels),
            "phase": self.phase,
            "mode": self.mode,
        }


@dataclass(frozen=True)
class FormerPlan:
    """A plan by blocks.

    Attributes
    ----------
    config : Config
    blocks : tuple of FormerBlock
        By phase and name.
    area_mu : mapping of str to float
        Net area of every parcel of the land, by id.
    zone_of : mapping of str to str or None
    """

    config: Config
    blocks: tuple[FormerBlock, ...]
    area_mu: Mapping[str, float]
    zone_of: Mapping[str, str | None]

    @classmethod
    def of(cls, contents: PlanContents) -> FormerPlan:
        """The plan of a folder."""
        parcels, config = contents.tables.parcels, contents.config
        ids = [str(i) for i in parcels["parcel_id"]]
        area = dict(zip(ids, parcels["area_mu"].astype(float).tolist(), strict=True))
        zones = [None if pd.isna(z) else str(z) for z in parcels["zone"]]
        codes, standing = contents.codes or {}, standing_blocks(parcels, config)
        phases = [p.id for p in config.optimise.phases]
        chosen = parcels[parcels["block_id"].notna()]
        blocks = []
        for block_id, rows in chosen.groupby(chosen["block_id"].astype(str)):
            name = str(block_id)
            members = tuple(sorted(str(i) for i in rows["parcel_id"]))
            phase = phases[int(rows["phase"].iloc[0]) - 1]
            mode = None if config.modes is None else str(rows["mode"].iloc[0])
            stands = standing.get(name)
            mu = sum(area[i] for i in members)
            blocks.append(FormerBlock(name, codes.get(name) or stands or name, members, phase, mode, mu, stands))
        order = {p: k for k, p in enumerate(phases)}
        blocks.sort(key=lambda b: (order[b.phase], b.block_id))
        return cls(config, tuple(blocks), area, dict(zip(ids, zones, strict=True)))

    @cached_property
    def by_name(self) -> Mapping[str, FormerBlock]:
        """Block by its code, its name in the plan, or the name of the project that stands there; the code wins."""
        named = {b.block_id: b for b in self.blocks}
        named |= {b.standing: b for b in self.blocks if b.standing is not None}
        return named | {b.name: b for b in self.blocks}

    @cached_property
    def block_of(self) -> Mapping[str, FormerBlock]:
        """Block of each parcel of the plan."""
        return {i: b for b in self.blocks for i in b.parcels}

    def mu(self, parcels: Any) -> float:
        """Net area of some parcels of the land, mu."""
        return float(sum(self.area_mu[i] for i in parcels))
