"""Decanting: firms must leave before their buildings go, and can only move into floor area that stands by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from planner.errors import ConfigError
from planner.expressions import evaluate_condition, evaluate_number
from planner.modes.figures import floats
from planner.modes.space import by_mode
from planner.modes.terms import MONTHS_PER_YEAR, Timetable
from planner.modes.timetable import TIME_TOLERANCE
from planner.problem import Bools, Floats, Resource
from planner.spec_modes import DecantSpec, ModesSpec

NAME: Final = "decant floor area"


@dataclass(frozen=True, eq=False)
class Decanting:
    """The rule on decanting.

    Attributes
    ----------
    resource : Resource
        Floor area displaced less own floor area that takes firms in, against the space outside.
    closed : bool[n, M]
        Modes of which it cannot be told how much floor area they displace.
    """

    resource: Resource
    closed: Bools


def decant_resource(
    modes: ModesSpec,
    fields: pd.DataFrame,
    timetable: Timetable,
    new_floor_m2: Floats,
    open: Bools,  # noqa: A002 - the name it has everywhere
    undecided: dict[str, list[str]],
) -> Decanting | None:
    """Floor area that firms must leave, against floor area that stands.

    Firms leave at the milestone ``decant.at``, each block's at one instant. **At every instant τ at which firms may
    leave**: all floor area left by τ ≤ all decant floor area that stands by τ, own and outside. What is taken up stays
    so: firms that have moved into decant space do not move on. Own floor area, `new_floor_m2` × `decant_share`, stands
    ``own_lag_months`` after `built`, a site outside from the beginning of its year (year y is the time from y − 1 to
    y); what stands at the very instant counts.

    Firms that move once only (``decant.once``) need space where they can stay. So the same is asked of every two
    instants τ' < τ: floor area left by such firms by τ and by others by τ' ≤ permanent space by τ and other space by τ'
    (τ' may lie before all others). Together this is exactly what lets floor area, divided at will, be shared out.
    Instants between which no space is added are not asked one by one, the last of them is.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        By parcel id, with `area_mu` and the figures.
    timetable : Timetable
    new_floor_m2 : float64[n, M]
        NaN where unknown; offers no space then, counted.
    open : bool[n, M]
        Modes that parcels allow.
    undecided : dict of str to list of str
        Gets the parcels of unknown figures.

    Returns
    -------
    Decanting or None
        None without a section `decant`, or where no mode displaces firms. ``use`` is 0 in modes that are `closed`; in
        others that are not `open` too where it is unknown.

    Raises
    ------
    ConfigError
        A mode displaces firms and never reaches ``decant.at``, or shares outside 0..1.
    DataError
        Floor area below 0.
    """
    spec = modes.decant
    if spec is None:
        return None
    displaces = by_mode(modes, "displaces", fields)
    leaving = _leaving(modes, spec, timetable, (displaces != 0).any(axis=0))
    if not np.isfinite(leaving).any():
        return None
    floor = decant_floor(spec, fields, undecided)[:, None]
    left = np.where((displaces == 0) | (floor == 0), 0.0, displaces * floor)
    own = own_decant_floor(modes, fields, new_floor_m2)
    _note(undecided, "own decant floor area (counted as none)", np.isnan(own) & open, fields)
    once = moves_once(spec, fields, undecided)[:, None]
    use = np.stack([np.where(once, left, 0.0), np.where(once, 0.0, left), -own], axis=2)
    moments = _moments(spec, leaving, own_standing(spec, timetable), np.nansum(own, axis=0) > 0, bool(once.any()))
    resource = Resource(
        NAME,
        "m²",
        np.nan_to_num(use, nan=0.0),
        limits=tuple(_outside(spec, late, early) for late, early in moments),
        periods=tuple(_period(late, early) for late, early in moments),
        timing=_timing(moments, leaving, own_standing(spec, timetable)),
    )
    return Decanting(resource, np.isnan(left))


def decant_floor(spec: DecantSpec, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> Floats:
    """Floor area in use by firms, ``float64[n]``; unknown is NaN, or, with ``unknown: mean_per_mu``, the mean.

    The mean is that of all parcels whose floor area is known, per mu.

    Raises
    ------
    DataError
        Floor area below 0.
    """
    floor = floats(evaluate_number(spec.floor_m2, fields))
    if (floor < 0).any():
        found = f"floor area below 0 in parcels {list_ids(list(fields.index[floor < 0]))}"
        raise DataError(Issue(f"modes.decant.floor_m2 ({spec.floor_m2})", found, "0 or more", "Correct the data."))
    unknown = np.isnan(floor)
    _note(undecided, "decanting, floor area of firms", unknown[:, None], fields)
    if spec.unknown == "mean_per_mu" and unknown.any() and not unknown.all():
        area = floats(fields["area_mu"])
        floor = np.where(unknown, area * (floor[~unknown].sum() / area[~unknown].sum()), floor)
    return floor


def moves_once(spec: DecantSpec, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> Bools:
    """Parcels whose firms need space where they can stay, ``bool[n]``; so do those of which it is not known."""
    if spec.once is None:
        return np.zeros(len(fields), dtype=np.bool_)
    answer = evaluate_condition(spec.once, fields)
    _note(undecided, "decanting, move once only (counted as so)", answer.isna().to_numpy(dtype=bool)[:, None], fields)
    return np.asarray(answer.fillna(True).to_numpy(dtype=bool))


def own_decant_floor(modes: ModesSpec, fields: pd.DataFrame, new_floor_m2: Floats) -> Floats:
    """New floor area that displaced firms may move into, ``float64[n, M]``, NaN where unknown."""
    share = by_mode(modes, "decant_share", fields)
    return np.where(share == 0, 0.0, share * new_floor_m2)


def own_standing(spec: DecantSpec, timetable: Timetable) -> Floats:
    """Time at which own decant floor area takes firms in, ``float64[T, M]``, NaN = never."""
    return _grid(timetable, "built") + spec.own_lag_months / MONTHS_PER_YEAR


def site_standing(spec: DecantSpec) -> Floats:
    """Time from which each site outside stands: the beginning of its year."""
    return np.array([s.from_year - 1.0 for s in spec.sites], dtype=np.float64)


def _grid(timetable: Timetable, milestone: Any) -> Floats:
    phases, modes = len(timetable.begins), len(timetable.modes)
    return np.array([[timetable.time(t, m, milestone) for m in range(modes)] for t in range(phases)])


def _leaving(modes: ModesSpec, spec: DecantSpec, timetable: Timetable, displacing: Bools) -> Floats:
    """Time at which firms leave, ``float64[T, M]``, NaN in modes that displace none."""
    leaving = _grid(timetable, spec.at)
    never = [modes.choices[m].id for m in np.flatnonzero(displacing & np.isnan(leaving).any(axis=0))]
    if never:
        found = f"modes that displace firms and never reach {spec.at!r}: {', '.join(never)}"
        fix = f"Give {spec.at} in their `months`, set their `displaces` to 0, or choose another milestone."
        raise ConfigError(Issue("modes.decant.at", found, "a time at which their firms leave", fix))
    return np.where(displacing[None, :], leaving, np.nan)


def _moments(
    spec: DecantSpec, leaving: Floats, standing: Floats, offering: Bools, some_once: bool
) -> list[tuple[float, float]]:
    """Pairs of instants (τ, τ') at which the account is drawn up; τ' < τ only for firms that move once.

    ``offering`` says which modes have decant floor area.
    """
    instants = _distinct(leaving)
    outside, permanent = site_standing(spec), np.array([s.permanent for s in spec.sites], dtype=np.bool_)
    added = np.concatenate([outside, standing[:, offering].ravel()])
    moments = [(t, t) for t in _before_each(instants, added)]
    if some_once and not permanent.all():
        lasting = np.concatenate([outside[permanent], standing[:, offering].ravel()])
        early = [-np.inf, *_before_each(instants, outside[~permanent])[:-1]]
        moments += [(t, e) for t in _before_each(instants, lasting) for e in early if e < t]
        # between two instants at which nothing lasting is added, other space may be: the pair (τ, τ) stands for τ' = τ
    return sorted(moments)


def _distinct(times: Floats) -> list[float]:
    """Finite times in order, those that are the same only in rounding once, the later of them."""
    ordered = np.unique(times[np.isfinite(times)])
    last = np.append(np.diff(ordered) > TIME_TOLERANCE, True)
    return [float(t) for t in ordered[last]]


def _before_each(instants: list[float], added: Floats) -> list[float]:
    """The last instant before each addition that comes after some instant, and the last of all."""
    follow = [*instants[1:], np.inf]
    kept = []
    for now, after in zip(instants, follow, strict=True):
        between = (added > now + TIME_TOLERANCE) & (added <= after + TIME_TOLERANCE)
        if after == np.inf or between.any():
            kept.append(now)
    return kept


def _outside(spec: DecantSpec, late: float, early: float) -> float:
    """Floor area outside: permanent space by `late`, other space by `early`."""
    by = np.array([late if s.permanent else early for s in spec.sites])
    floor = np.array([s.floor_m2 for s in spec.sites])
    return float(floor[site_standing(spec) <= by + TIME_TOLERANCE].sum())


def _timing(moments: list[tuple[float, float]], leaving: Floats, standing: Floats) -> Floats:
    """What counts at each moment, ``float64[R, T, M, 3]``: firms that move once, others, own floor area."""
    late, early = (np.array(times)[:, None, None] + TIME_TOLERANCE for times in zip(*moments, strict=True))
    parts = (leaving[None] <= late, leaving[None] <= early, standing[None] <= late)
    return np.stack([p.astype(np.float64) for p in parts], axis=3)


def _period(late: float, early: float) -> str:
    if late == early:
        return f"by {late:.2f}"
    others = "" if early == -np.inf else f", others by {early:.2f}"
    return f"moving once by {late:.2f}{others}"


def _note(undecided: dict[str, list[str]], name: str, unknown: Bools, fields: pd.DataFrame) -> None:
    """List parcels of which something is unknown in some mode."""
    some = unknown.any(axis=1)
    if some.any():
        undecided[name] = [str(i) for i in fields.index[np.flatnonzero(some)]]
