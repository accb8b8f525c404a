"""Problem → Plan: contiguous blocks, phase by phase, with a proven bound.

Knows numpy and OR-Tools, nothing of geometry or files.
"""

from planner.optimise.solver import solve
from planner.optimise.stop import Stop

__all__ = ["Stop", "solve"]
