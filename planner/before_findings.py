"""What a planner should know about the plan before that the configuration names, before trusting the new one."""

from __future__ import annotations

from typing import Final

from planner.plan_before import PlanBefore
from planner.quality import QualityRow

_LOST: Final = (
    "plan before (`optimise.keep.blocks`): parcels that the layer does not hold any more; no change is counted"
)


def before_findings(before: PlanBefore) -> tuple[QualityRow, ...]:
    """Parcels of the plan before that are gone from the land."""
    return (QualityRow(_LOST, len(before.lost), None, before.lost),) if before.lost else ()
