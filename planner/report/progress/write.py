"""The folder of a report on progress: JSON, Markdown, tables and page, whole or not at all."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Final

from geodata.write import write_json, write_text
from planner.contents import PlanContents
from planner.monitoring.standing import Progress
from planner.report.progress.book import write_tables
from planner.report.progress.data import FORMAT, progress_data
from planner.report.progress.page import progress_page
from planner.report.progress.text import progress_text
from planner.staging import Kind, staged

PROGRESS_REPORT: Final = Kind(
    "earlier report on progress",
    "progress.json",
    FORMAT,
    ("progress.json", "progress.md", "progress.xlsx", "progress.html"),
)
"""The folder of a report on progress."""
_MONTHS: Final = 12


def write_progress(contents: PlanContents, progress: Progress, out: Path) -> dict[str, Any]:
    """Write a report on progress.

    Parameters
    ----------
    contents : PlanContents
        In the language of Markdown and tables, which is the one that the page opens in.
    progress : Progress
        Of this plan.
    out : pathlib.Path
        Folder; what else lies in it stays.

    Returns
    -------
    dict
        Content of ``progress.json``.

    Raises
    ------
    ConfigError
        `out` takes no folder.
    """
    data = progress_data(contents, progress)
    day = datetime.date(progress.at // _MONTHS, progress.at % _MONTHS + 1, 1)
    with staged(out, PROGRESS_REPORT) as new:
        write_json(data, new / "progress.json")
        write_text(progress_text(data, contents.config.report.language), new / "progress.md")
        write_tables(contents, data, new / "progress.xlsx", day)
        write_text(progress_page(contents, data), new / "progress.html")
    return data
