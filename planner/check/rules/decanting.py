"""Rule about displaced firms: the floor that they leave by any time is matched by floor that stands by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from geodata.errors import list_ids
from planner.check import shapes
from planner.check.facts import Facts
from planner.check.mode_facts import ModeFacts
from planner.check.mode_terms import MONTHS
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import FLOOR_M2, RELATIVE, YEAR
from planner.spec_modes import DecantSpec

NEVER: Final = float("inf")
BEFORE_ALL: Final = float("-inf")


@dataclass(frozen=True, eq=False)
class _Floor:
    """Floor by block and site, m², and when it is left or stands, on the scale of the phases' years.

    Attributes
    ----------
    leaves : float64[blocks]
        When the firms of a block must be out.
    once, others : float64[blocks]
        Floor of firms that move once only, and of the others.
    stands : float64[blocks + sites]
        From when own floor and sites take firms in.
    lasting, passing : float64[blocks + sites]
        Floor where firms can stay for good, and other floor.
    """

    leaves: shapes.Floats
    once: shapes.Floats
    others: shapes.Floats
    stands: shapes.Floats
    lasting: shapes.Floats
    passing: shapes.Floats

    def left(self, late: float, early: float) -> float:
        """Floor that firms which move once have left by `late`, and others by `early`."""
        by_late, by_early = self.leaves <= late + YEAR, self.leaves <= early + YEAR
        return float(self.once[by_late].sum() + self.others[by_early].sum())

    def room(self, late: float, early: float) -> float:
        """Floor for good that stands by `late`, and other floor that stands by `early`."""
        by_late, by_early = self.stands <= late + YEAR, self.stands <= early + YEAR
        return float(self.lasting[by_late].sum() + self.passing[by_early].sum())

    def times(self) -> list[float]:
        """Times at which firms leave."""
        moving = self.once + self.others > 0
        return sorted({float(t) for t in self.leaves[moving & np.isfinite(self.leaves)]})


def decanting(facts: Facts) -> Outcome:
    """At every time at which firms leave, all floor left so far is at most the floor that stands by then.

    Firms that move once only need floor where they can stay. They cannot use the rest, and others that left before it
    stood cannot either: so the same is asked of those who move once and leave by a time, together with the others who
    leave by any earlier time, or with none of them.
    """
    modes = facts.modes
    if modes is None or modes.spec.decant is None:
        return Outcome(0)
    floor = _floor(modes, modes.spec.decant)
    findings, measured = list(_never_left(facts, modes, modes.spec.decant, floor)), {}
    times = floor.times()
    for late in times:
        earlier = [BEFORE_ALL, *(t for t in times if t < late)] if floor.once.any() else []
        early = max([late, *earlier], key=lambda t: floor.left(late, t) - floor.room(late, t))
        measured[f"displaced_m2[{late:.4f}]"] = floor.left(late, late)
        measured[f"decant_m2[{late:.4f}]"] = floor.room(late, late)
        findings.extend(_short(floor, late, early))
    return Outcome(len(facts.members), findings, measured)


def _floor(modes: ModeFacts, spec: DecantSpec) -> _Floor:
    """What the blocks displace and offer, block by block; unknown floor offers nothing."""
    rows = []
    for block, positions in modes.plan.members.items():
        terms = modes.terms_of(block)
        if terms is None:
            continue
        displaced, stay = terms.displaced_m2[positions], modes.demands.moves_once[positions]
        ready = modes.time_of(block, "built") + spec.own_lag_months / MONTHS
        offered = float(np.nansum(terms.decant_m2[positions]))
        moving = (float(np.nansum(displaced[stay])), float(np.nansum(displaced[~stay])))
        rows.append((modes.time_of(block, spec.at), *moving, ready, offered))
    leaves, once, others, built, own = np.array(rows, dtype=float).reshape(-1, 5).T
    area = np.array([site.floor_m2 for site in spec.sites], dtype=float)
    stays = np.array([site.permanent for site in spec.sites], dtype=bool)
    # a site stands at the beginning of its year, and year y is the time from y − 1 to y
    opens = np.array([site.from_year - 1.0 for site in spec.sites], dtype=float)
    return _Floor(
        leaves=np.where(np.isnan(leaves), NEVER, leaves),
        once=once,
        others=others,
        stands=np.concatenate([np.where(np.isnan(built), NEVER, built), opens]),
        lasting=np.concatenate([own, np.where(stays, area, 0.0)]),
        passing=np.concatenate([np.zeros(len(own)), np.where(stays, 0.0, area)]),
    )


def _never_left(facts: Facts, modes: ModeFacts, spec: DecantSpec, floor: _Floor) -> Iterator[Finding]:
    """Blocks that displace firms at no time: nothing could be held against it."""
    named = [block for block in facts.members if modes.terms_of(block) is not None]
    never = [
        b for b, t, m2 in zip(named, floor.leaves, floor.once + floor.others, strict=True) if t == NEVER and m2 > 0
    ]
    if never:
        message = f"{len(never)} blocks displace firms, but never reach {spec.at}: {list_ids(never)}."
        yield finding("decanting", message)


def _short(floor: _Floor, late: float, early: float) -> Iterator[Finding]:
    left, room = floor.left(late, early), floor.room(late, early)
    if left <= room + max(FLOOR_M2, RELATIVE * room):
        return
    if early == late:
        whose = "firms have left"
    elif early == BEFORE_ALL:
        whose = "firms that move once only have left"
    else:
        whose = f"firms that move once only have left, with others by {early:.4f},"
    message = f"By the time {late:.4f} {whose} {left:.2f} m² of floor, and {room:.2f} m² stand that could take them in."
    yield finding("decanting", message, measured=left, limit=room, unit="m²")
