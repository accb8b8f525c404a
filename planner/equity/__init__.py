"""Equity between villages: who has how much of the plan, how soon, and what it does to the incomes of collectives."""

from planner.equity.gini import gini
from planner.equity.report import EquityReport, equity_report, require_villages

__all__ = ["EquityReport", "equity_report", "gini", "require_villages"]
