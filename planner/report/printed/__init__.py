"""The printed map: an A3 sheet, an atlas of sheets by subject, and a sheet per block."""

from planner.report.printed.atlas import SHEETS
from planner.report.printed.themes import Absent
from planner.report.printed.write import Printed, write_atlas, write_overview

__all__ = ["SHEETS", "Absent", "Printed", "write_atlas", "write_overview"]
