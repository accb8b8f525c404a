"""``replan.md``: what a planner reads to the committee about a replan."""

from planner.report.replan.markdown import console_lines, replan_markdown

__all__ = ["console_lines", "replan_markdown"]
