"""Plans again after something happened: the plan with the fewest changes weighed against loss, and what that costs."""

from planner.replan.changes_file import Changes, read_changes
from planner.replan.run import Replanned, Wishes, replan
from planner.replan.spec import ChangesSpec, EventSpec
from planner.replan.transform import ReplanConfig, replanned_config
from planner.replan.writing import REPLAN, write_replan

__all__ = [
    "REPLAN",
    "Changes",
    "ChangesSpec",
    "EventSpec",
    "ReplanConfig",
    "Replanned",
    "Wishes",
    "read_changes",
    "replan",
    "replanned_config",
    "write_replan",
]
