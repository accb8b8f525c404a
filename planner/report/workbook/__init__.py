"""The workbook ``plan.xlsx``: headline figures, ledger, tasks, yearly plan, money, areas, data, parameters."""

from planner.report.workbook.write import write_workbook

__all__ = ["write_workbook"]
