"""What the judge is given and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self

import geopandas as gpd

from planner.tables import PlanTables

Severity = Literal["error", "warning"]

LAYERS: Final = ("parcels", "blocks", "zones", "links", "barriers", "between", "overlays")
"""Layers of ``plan.gpkg`` that the judge reads."""


@dataclass(frozen=True)
class CheckInput:
    """The written layers of a plan, as read back: nothing else of the run is known to the judge.

    Attributes
    ----------
    parcels, blocks, zones, links, barriers, between, overlays : geopandas.GeoDataFrame
        As in `planner.tables.PlanTables`, all in one metric CRS; never mutated.
    """

    parcels: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    between: gpd.GeoDataFrame = field(default_factory=lambda: gpd.GeoDataFrame(geometry=[]))
    overlays: gpd.GeoDataFrame = field(default_factory=lambda: gpd.GeoDataFrame(geometry=[]))

    @classmethod
    def of(cls, tables: PlanTables) -> Self:
        """The judged part of a plan's tables."""
        return cls(**{layer: getattr(tables, layer) for layer in LAYERS})


@dataclass(frozen=True)
class AreaClaim:
    """What a summary says of one phase, for the study area (`zone` None) or one zone.

    Attributes
    ----------
    phase : int
        1-based.
    zone : str or None
        Zone, None = the study area.
    area_mu, cumulative_mu : float or None
        Area taken in the phase, and by its end, mu, as the phase's target counts it.
    cost : float or None
        Undiscounted cost of the phase, in currency.
    """

    phase: int
    zone: str | None
    area_mu: float | None
    cumulative_mu: float | None
    cost: float | None = None


@dataclass(frozen=True)
class PeakClaim:
    """What a summary says of the peak gap of a party.

    Attributes
    ----------
    party : str
        A party, or ``public``: town and city together.
    peak_gap_yuan : float
        Most by which, at the end of a year, all paid exceeds all received; 0 = never.
    year : int or None
        A year at whose end it does.
    """

    party: str
    peak_gap_yuan: float
    year: int | None


@dataclass(frozen=True)
class OutlayClaim:
    """What a summary says that a party pays in the years of a phase, yuan."""

    party: str
    phase: str
    yuan: float


@dataclass(frozen=True)
class ChangeClaim:
    """What a summary says of the plan against the plan before: parcels, mu, currency."""

    changed_parcels: int
    changed_mu: float
    kept_parcels: int
    kept_mu: float
    change_price: float


@dataclass(frozen=True)
class Claims:
    """What the optimiser or the summary says about the plan, to be held against what is measured.

    Attributes
    ----------
    objective : float or None
        Claimed objective, in currency.
    bound : float or None
        Claimed upper bound on any plan's objective, in currency.
    gap : float or None
        Claimed (bound − objective) / |objective|.
    areas : tuple of AreaClaim
        Claimed areas and costs by phase.
    peak_gaps : tuple of PeakClaim
        Claimed peak gaps by party; with modes.
    outlays : tuple of OutlayClaim
        Claimed outlays by party and phase; with modes.
    changes : ChangeClaim or None
        Claimed changes; with a plan before.
    """

    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    areas: tuple[AreaClaim, ...] = ()
    peak_gaps: tuple[PeakClaim, ...] = ()
    outlays: tuple[OutlayClaim, ...] = ()
    changes: ChangeClaim | None = None


@dataclass(frozen=True)
class Finding:
    """One defect of a plan.

    Attributes
    ----------
    rule : str
        Name of the rule, as in ``docs/checks.md``.
    severity : {'error', 'warning'}
        A plan with an error is rejected.
    parcel_ids : tuple of str
        All parcels concerned.
    block_id : str or None
        The block concerned.
    measured, limit : float or None
        What was measured and what is allowed, in `unit`.
    unit : str
        Unit of both, empty where there is none.
    message : str
        One sentence for a planner.
    """

    rule: str
    severity: Severity
    parcel_ids: tuple[str, ...]
    block_id: str | None
    measured: float | None
    limit: float | None
    unit: str
    message: str


@dataclass(frozen=True)
class CheckReport:
    """The verdict.

    Attributes
    ----------
    findings : tuple of Finding
        In the order of the rules.
    checked : mapping of str to int
        Rule → how many things it was applied to; 0 = nothing to check.
    measured : mapping of str to float
        Figures that the judge worked out itself, e.g. ``'objective'`` or ``'cumulative_mu[P2][Luoma]'``.
    """

    findings: tuple[Finding, ...]
    checked: Mapping[str, int]
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True when no finding is an error."""
        return not any(f.severity == "error" for f in self.findings)
