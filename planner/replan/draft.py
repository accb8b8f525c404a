"""The configuration under change: what the events have decided so far, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pandas as pd

from geodata.errors import Issue, list_ids
from planner.config import Config
from planner.config_issues import nearest
from planner.config_yaml import Key, Origin, Tree
from planner.replan.before import FormerBlock, FormerPlan
from planner.replan.told import EventTold, Note

Side = Literal["out", "in", "free", "stands"]
_WORDS: Final[dict[Side, str]] = {
    "out": "kept out",
    "in": "locked into the plan",
    "free": "set free",
    "stands": "in a project that stands",
}


@dataclass(frozen=True)
class Place:
    """An event: its key in the file of changes, and how places are told.

    Attributes
    ----------
    key : tuple
        ``('changes', 3, 'refused')``.
    where : callable
        Key → file, line and key.
    origin : callable
        Key → the same as kept beside a configuration.
    """

    key: Key
    where: Callable[[Key], str]
    origin: Callable[[Key], Origin]

    def at(self, *inner: str | int) -> str:
        """The place of something inside."""
        return self.where((*self.key, *inner))


@dataclass(frozen=True)
class _Decision:
    side: Side
    place: str


@dataclass
class Draft:
    """What the events have made of the plan's configuration so far.

    Attributes
    ----------
    before : FormerPlan
    config : Config
        As it was, with what `set` changed.
    tree : dict
        The same as a tree, which the events change.
    fields : pandas.DataFrame
        Parcels by id, for expressions.
    standing : dict of str to FormerBlock
        Blocks that stand, by the name they have as a project.
    origins : dict
        Key of the configuration → where in the file of changes its value comes from.
    issues, events : list
    """

    before: FormerPlan
    config: Config
    tree: Tree
    fields: pd.DataFrame
    standing: dict[str, FormerBlock]
    origins: dict[Key, Origin] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    events: list[EventTold] = field(default_factory=list)
    decided: dict[str, list[_Decision]] = field(default_factory=dict)

    @property
    def locks(self) -> dict[str, Any]:
        """Section `optimise.locks`."""
        found: dict[str, Any] = self.tree["optimise"]["locks"]
        return found

    @property
    def phases(self) -> list[dict[str, Any]]:
        """Section `optimise.phases`."""
        found: list[dict[str, Any]] = self.tree["optimise"]["phases"]
        return found

    def phase(self, name: str, place: str) -> int | None:
        """Position of a phase; an unknown one is an issue."""
        names = [p["id"] for p in self.phases]
        if name in names:
            return names.index(name)
        near = nearest(name, names)
        fix = f"Did you mean {near!r}?" if near is not None else "Correct the name."
        self.issues.append(Issue(place, f"the unknown phase {name!r}", f"one of: {', '.join(names)}", fix))
        return None

    def known(self, parcels: Sequence[str], place: str) -> list[str]:
        """Parcels that the land has, each once; the others are an issue."""
        strange = [i for i in dict.fromkeys(parcels) if i not in self.before.area_mu]
        if strange:
            near = nearest(strange[0], self.before.area_mu)
            fix = f"Did you mean {near!r}?" if near is not None else "Correct or remove them."
            found = f"parcels that the plan's land does not have: {list_ids(strange)}"
            self.issues.append(Issue(place, found, "ids of the parcel layer", fix))
        return [i for i in dict.fromkeys(parcels) if i in self.before.area_mu]

    def blocks(self, names: Sequence[str], place: str) -> list[FormerBlock]:
        """Blocks of the plan before, by code or name; unknown ones are an issue."""
        by_name = self.before.by_name
        for name in dict.fromkeys(n for n in names if n not in by_name):
            near = nearest(name, by_name)
            fix = f"Did you mean {near!r}?" if near is not None else "Use a code of the ledger, or a block of the plan."
            found = f"{name!r}, which is no block of the plan"
            self.issues.append(Issue(place, found, "project codes or block ids of the plan before", fix))
        return list(dict.fromkeys(by_name[n] for n in names if n in by_name))

    def free(self, parcels: Iterable[str], *, also_out: bool = True) -> list[str]:
        """Take earlier locks off parcels; those that had one."""
        wanted, had = set(parcels), set()
        for key in ("in", "out") if also_out else ("in",):
            had |= wanted & set(self.locks[key])
            self.locks[key] = [i for i in self.locks[key] if i not in wanted]
        for key in ("by", "at"):
            had |= wanted & set(self.locks[key])
            self.locks[key] = {i: p for i, p in self.locks[key].items() if i not in wanted}
        return sorted(had)

    def lock_out(self, parcels: Sequence[str], place: Place) -> list[Note]:
        """Lock parcels out, in the place of other locks on them."""
        was_out = set(self.locks["out"])
        taken = [i for i in self.free(parcels) if i not in was_out]
        self.locks["out"] = sorted({*self.locks["out"], *parcels})
        self.mark(place, "optimise", "locks", "out")
        return [Note("replan_locks_gone", (len(taken), list_ids(taken)))] if taken else []

    def decide(self, parcels: Iterable[str], side: Side, place: str) -> None:
        """Note what an event wants of parcels, for contradictions."""
        for i in parcels:
            self.decided.setdefault(i, []).append(_Decision(side, place))

    def mark(self, place: Place, *key: str | int) -> None:
        """A value of the configuration now comes from the file of changes."""
        self.origins[key] = place.origin(place.key)

    def tell(self, place: Place, reason: str | None, parcels: Sequence[str] = (), notes: Iterable[Note] = ()) -> None:
        """Book what an event did."""
        inside: dict[str, float] = {}
        for i in parcels:
            block = self.before.block_of.get(i)
            if block is not None:
                inside[block.name] = inside.get(block.name, 0.0) + self.before.area_mu[i]
        mu = self.before.mu(parcels)
        self.events.append(EventTold(str(place.key[-1]), reason, tuple(parcels), mu, inside, tuple(notes)))

    def contradictions(self) -> Iterable[Issue]:
        """Parcels of which two events want different things, one issue for each pair of events."""
        pairs: dict[tuple[_Decision, _Decision], list[str]] = {}
        for parcel, decisions in sorted(self.decided.items()):
            first = decisions[0]
            other = next((d for d in decisions if d.side != first.side), None)
            if other is not None:
                pairs.setdefault((first, other), []).append(parcel)
        for (first, other), parcels in pairs.items():
            found = f"parcels {_WORDS[other.side]} that are also {_WORDS[first.side]}: {list_ids(parcels)}"
            expected = f"one or the other (see also {first.place})"
            yield Issue(other.place, found, expected, "Remove one of the two.")
