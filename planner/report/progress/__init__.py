"""Progress of a plan: the form that people fill in, and the report on what they entered."""

from planner.report.progress.form import write_form
from planner.report.progress.page import progress_page
from planner.report.progress.write import PROGRESS_REPORT, write_progress

__all__ = ["PROGRESS_REPORT", "progress_page", "write_form", "write_progress"]
