"""What is told of a change: facts as keys of the table of words with values, so that a report speaks any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float


@dataclass(frozen=True)
class Note:
    """One fact.

    Attributes
    ----------
    key : str
        Of ``planner/labels/replan.csv``.
    values : tuple
        What is put into the words: texts, counts, mu.
    """

    key: str
    values: tuple[Value, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return {"key": self.key, "values": list(self.values)}


@dataclass(frozen=True)
class EventTold:
    """One event and what it did to the configuration.

    Attributes
    ----------
    kind : str
        Of `planner.replan.spec.KINDS`.
    reason : str or None
        As the planner gave it.
    parcels : tuple of str
        Parcels it names or hits.
    area_mu : float
        Their net area.
    in_blocks : mapping of str to float
        Block of the plan before → mu of these parcels in it.
    notes : tuple of Note
    """

    kind: str
    reason: str | None
    parcels: tuple[str, ...] = ()
    area_mu: float = 0.0
    in_blocks: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "parcels": list(self.parcels),
            "area_mu": self.area_mu,
            "in_blocks": dict(self.in_blocks),
            "notes": [n.as_dict() for n in self.notes],
        }
