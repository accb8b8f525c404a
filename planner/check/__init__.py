"""The plan's independent judge: it knows the written layers and the configuration, and nothing of the optimiser."""

from planner.check.arrays import check_solution
from planner.check.judge import check_plan
from planner.check.model import AreaClaim, ChangeClaim, CheckInput, CheckReport, Claims, Finding, OutlayClaim, PeakClaim
from planner.check.reading import claims_of, read_plan
from planner.check.report import first_error, joined, report_as_dict, report_as_markdown

__all__ = [
    "AreaClaim",
    "ChangeClaim",
    "CheckInput",
    "CheckReport",
    "Claims",
    "Finding",
    "OutlayClaim",
    "PeakClaim",
    "check_plan",
    "check_solution",
    "claims_of",
    "first_error",
    "joined",
    "read_plan",
    "report_as_dict",
    "report_as_markdown",
]
