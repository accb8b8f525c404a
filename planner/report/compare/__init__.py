"""Several plans beside each other on one offline page."""

from planner.report.compare.extras import read_prices
from planner.report.compare.figures import Indicator, indicators
from planner.report.compare.page import comparison_page, write_comparison

__all__ = ["Indicator", "comparison_page", "indicators", "read_prices", "write_comparison"]
