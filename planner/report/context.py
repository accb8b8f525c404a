"""What a map says besides its layers: title, assumptions, figures per phase, facts of the parcels, how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from planner.contents import PlanContents
from planner.spec_report import BaseMapSpec


@dataclass(frozen=True)
class PhaseFigures:
    """Figures of one phase, over the study area or in one zone.

    Attributes
    ----------
    id : str
        The phase's id, e.g. ``'P1'``.
    year : int or None
        Year of the phase: counted from a base year, or a calendar year.
    target_mu, stretch_mu : float or None
        Cumulative targets, mu; None where there is none.
    area_mu, cumulative_mu : float
        Area taken in the phase, and up to its end, mu.
    cost : float or None
        Cost in the phase, in the project's currency; None where cost is not part of the plan.
    """

    id: str
    year: int | None
    target_mu: float | None
    stretch_mu: float | None
    area_mu: float
    cumulative_mu: float
    cost: float | None = None

    @classmethod
    def from_summary(cls, entry: Mapping[str, Any]) -> Self:
        """From an entry of a list ``phases`` in ``summary.json``."""
        return cls(
            id=str(entry.get("id", entry["phase"])),
            year=entry.get("year"),
            target_mu=entry.get("target_mu"),
            stretch_mu=entry.get("stretch_mu"),
            area_mu=entry["area_mu"],
            cumulative_mu=entry["cumulative_mu"],
            cost=entry.get("cost"),
        )


@dataclass(frozen=True, eq=False)
class MapContext:
    """What the map says besides its layers. It holds no date, so that the same plan gives the same file.

    Attributes
    ----------
    title : str
        Heading of the page.
    project : str
        Name of the project.
    synthetic : bool
        The land is generated; the page says so in its first line.
    note : str or None
        Assumptions a reader must know.
    currency : str
        The one currency of all money, as an ISO 4217 code.
    phases : tuple of PhaseFigures
        All phases in order; the parcels' ``phase`` 1 is the first of them.
    status : str
        ``'optimal'`` or ``'feasible'``.
    objective, bound, gap : float or None
        The plan's worth, the most any plan can be worth (both in currency), and the relative gap between them.
    version, config_hash, input_hash : str
        What reproduces the plan.
    zones : mapping of str to tuple of PhaseFigures
        Figures by zone, where zones have targets.
    language : str
        The language that the page opens in.
    facts : pandas.DataFrame
        Facts of the parcels by ``parcel_id``, see `planner.shown.shown_facts`.
    modes : mapping of str to pandas.DataFrame
        Tables about the modes, see `planner.contents.PlanContents`.
    mode_names : mapping of str to mapping of str to str
        Names of the modes by id and language, in their order.
    overlay_names : mapping of str to str
        What people call the overlays, by their names.
    base_map : BaseMapSpec or None
        Picture under the plan.
    stamp : str or None
        What stands above everything else, such as 内部资料.
    """

    title: str
    project: str
    currency: str
    phases: tuple[PhaseFigures, ...]
    status: str
    version: str
    config_hash: str
    input_hash: str
    synthetic: bool = False
    note: str | None = None
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    zones: Mapping[str, tuple[PhaseFigures, ...]] = field(default_factory=dict)
    language: str = "en"
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    modes: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    mode_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    overlay_names: Mapping[str, str] = field(default_factory=dict)
    base_map: BaseMapSpec | None = None
    stamp: str | None = None

    @classmethod
    def of(cls, contents: PlanContents, stamp: str | None = None) -> Self:
        """Of a plan with its figures."""
        report, modes = contents.config.report, contents.config.modes
        choices = () if modes is None else modes.choices
        return replace(
            cls.from_summary(contents.summary, contents.title),
            language=report.language,
            facts=contents.shown,
            modes=contents.modes,
            mode_names={mode.id: {"en": mode.name_en, "zh": mode.name_zh} for mode in choices},
            overlay_names={o.name: o.label or o.name for o in contents.config.overlays},
            base_map=report.base_map,
            stamp=stamp,
        )

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any], title: str | None = None) -> Self:
        """From the dictionary of ``summary.json``: figures alone.

        Parameters
        ----------
        summary : mapping
            Summary of a run that has a plan.
        title : str, optional
            Heading of the page; the project's name when absent.
        """
        project = summary["project"]
        return cls(
            title=title or project["name"],
            project=project["name"],
            synthetic=bool(project.get("synthetic")),
            note=project.get("note"),
            currency=project["currency"],
            phases=tuple(PhaseFigures.from_summary(p) for p in summary["phases"]),
            status=summary["status"],
            objective=summary.get("objective"),
            bound=summary.get("bound"),
            gap=summary.get("gap"),
            version=summary["version"],
            config_hash=summary["config_hash"],
            input_hash=summary["input_hash"],
            zones={
                name: tuple(PhaseFigures.from_summary(p) for p in zone["phases"])
                for name, zone in summary.get("zones", {}).items()
            },
        )
