"""What changed since the plan before: which parcels entered, left, come earlier or later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import list_ids

ENTERED: Final = "entered"
LEFT: Final = "left"
EARLIER: Final = "earlier"
LATER: Final = "later"
KINDS: Final = (ENTERED, LEFT, EARLIER, LATER)


@dataclass(frozen=True)
class PreviousPlan:
    """A plan before.

    Attributes
    ----------
    phase_of : mapping of str to str
        Parcel of the plan → id of its phase.
    source : str
        Where it was found, in words and without a path: ``'locks.json'``, ``'the run before'``.
    input_hash : str or None
        Hash of its land data, where it is known.
    """

    phase_of: Mapping[str, str]
    source: str
    input_hash: str | None = None


@dataclass(frozen=True)
class Changes:
    """A plan compared with the one before.

    Attributes
    ----------
    column : pandas.Series or None
        'entered', 'left', 'earlier', 'later' or None of each parcel; None where the two have no parcel in common.
    summary : dict
        Key ``changes`` of ``summary.json``, see `change_summary`.
    """

    column: pd.Series[Any] | None
    summary: dict[str, Any] = field(default_factory=dict)


def changes(previous: Mapping[str, str] | None, parcels: pd.DataFrame, phases: Sequence[str]) -> pd.Series[Any] | None:
    """What changed for each parcel.

    Parameters
    ----------
    previous : mapping of str to str, or None
        Parcel of the plan before → id of its phase. Parcels that the land does not have are passed over.
    parcels : pandas.DataFrame
        All parcels, with ``parcel_id`` and ``phase`` (1-based; missing = not in the plan).
    phases : sequence of str
        Ids of the phases, in order.

    Returns
    -------
    pandas.Series or None
        On the index of `parcels`: 'entered' the plan, 'left' it, taken 'earlier' or 'later', else None: in neither
        plan, in the same phase of both, or in both where the earlier phase is none of `phases`. None as a whole where
        there is no plan before, or none of its parcels is on this land.
    """
    if previous is None:
        return None
    before = _before(previous, parcels)
    if previous and before.isna().all():
        return None
    number = {name: k for k, name in enumerate(phases, start=1)}
    was = before.map(number).to_numpy(dtype=float, na_value=np.nan)
    now = parcels["phase"].to_numpy(dtype=float, na_value=np.nan)
    planned, stands = before.notna().to_numpy(), ~np.isnan(now)
    kind = np.full(len(parcels), None, dtype=object)
    kind[stands & ~planned] = ENTERED
    kind[planned & ~stands] = LEFT
    kind[stands & (now < was)] = EARLIER
    kind[stands & (now > was)] = LATER
    return pd.Series(kind, index=parcels.index, dtype="object")


def _before(previous: Mapping[str, str], parcels: pd.DataFrame) -> pd.Series[Any]:
    """Phase id of each parcel in the plan before, None where it was in none."""
    ids = parcels["parcel_id"].tolist()
    return pd.Series([previous.get(str(i)) for i in ids], index=parcels.index, dtype="object")


def compare(
    previous: PreviousPlan | None, parcels: pd.DataFrame, phases: Sequence[str], input_hash: str | None = None
) -> Changes | None:
    """The column and the summary of what changed; None where there is no plan before.

    Parameters
    ----------
    previous : PreviousPlan or None
    parcels : pandas.DataFrame
        All parcels, with ``parcel_id``, ``phase`` and ``area_mu``.
    phases : sequence of str
        Ids of the phases, in order.
    input_hash : str, optional
        Hash of the land data of this plan.
    """
    if previous is None:
        return None
    column = changes(previous.phase_of, parcels, phases)
    same_land = None if None in (input_hash, previous.input_hash) else input_hash == previous.input_hash
    return Changes(column, change_summary(previous, column, parcels, phases, same_land))


def change_summary(
    previous: PreviousPlan,
    column: pd.Series[Any] | None,
    parcels: pd.DataFrame,
    phases: Sequence[str],
    same_land: bool | None,
) -> dict[str, Any]:
    """Figures of the changes.

    Parameters
    ----------
    previous : PreviousPlan
    column : pandas.Series or None
        Of `changes`.
    parcels, phases
        As for `changes`, with ``area_mu``.
    same_land : bool or None
        Whether both plans are of the same land data; None = not known.

    Returns
    -------
    dict
        ``since`` where the plan before comes from · ``compared`` whether any of its parcels is on this land ·
        ``same_land`` · for each of entered, left, earlier, later and unchanged ``parcels`` and ``area_mu`` ·
        ``phase_unknown``: the same for parcels in both plans whose phase before is none of this plan ·
        ``phases_gone``: those phases · ``parcels_gone``: ids of the plan before that are not on this land (their area
        is not known here).
    """
    before = _before(previous.phase_of, parcels)
    both = before.notna() & parcels["phase"].notna()
    strange = both & ~before.isin(list(phases))
    kinds = pd.Series(None, index=parcels.index, dtype="object") if column is None else column
    masks = {kind: kinds == kind for kind in KINDS}
    masks |= {"unchanged": both & ~strange & kinds.isna(), "phase_unknown": strange}
    known = {str(i) for i in parcels["parcel_id"]}
    return {
        "since": previous.source,
        "compared": column is not None,
        "same_land": same_land,
        **{
            kind: {"parcels": int(mask.sum()), "area_mu": float(parcels.loc[mask, "area_mu"].sum())}
            for kind, mask in masks.items()
        },
        "phases_gone": sorted(set(previous.phase_of.values()) - set(phases)),
        "parcels_gone": sorted(set(previous.phase_of) - known),
    }


def changes_text(told: Mapping[str, Any]) -> str:
    """One line about the changes, for the console.

    Parameters
    ----------
    told : mapping
        Of `change_summary`.
    """
    since = told["since"]
    if not told["compared"]:
        return f"Changes since {since}: none can be told, as no parcel of that plan is on this land"
    if not (any(told[kind]["parcels"] for kind in KINDS) or told["phase_unknown"]["parcels"] or told["parcels_gone"]):
        return f"Changes since {since}: none"
    parts = [f"{told[kind]['parcels']:,} {kind} ({told[kind]['area_mu']:,.2f} mu)" for kind in KINDS]
    if told["phase_unknown"]["parcels"]:
        parts.append(
            f"{told['phase_unknown']['parcels']:,} in a phase that is no more ({', '.join(told['phases_gone'])})"
        )
    if told["parcels_gone"]:
        parts.append(f"{len(told['parcels_gone']):,} no more on this land ({list_ids(told['parcels_gone'])})")
    return f"Changes since {since}: parcels {', '.join(parts)}"
