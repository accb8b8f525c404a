"""The report of a replan as Markdown, and its first lines for the console."""

from __future__ import annotations

from planner.report import markdown as md
from planner.report.replan.events import happened, judged
from planner.report.replan.figures import blocks, failed, frontier, targets, worth
from planner.report.replan.summary import in_short
from planner.report.replan.words import Told, words_of


def replan_markdown(told: Told) -> str:
    """The report: what happened, what changed block by block, what it costs.

    Parameters
    ----------
    told : mapping
        Content of ``replan.json``.

    Returns
    -------
    str
        Markdown in the language of the plan's report; ends with a newline.
    """
    sections = (_heading, failed, _short, happened, judged, blocks, targets, worth, frontier, _files)
    parts = ["\n".join(lines) for section in sections if (lines := section(told))]
    return "\n\n".join(parts) + "\n"


def console_lines(told: Told) -> list[str]:
    """The report in a few lines."""
    words = words_of(told)
    label = f"{words('replan_synthetic')} " if told["synthetic"] else ""
    return [f"{label}{_title(told)}", *(f"  {line}" for line in in_short(told))]


def _title(told: Told) -> str:
    return told["title"] or words_of(told)("replan_title", told["project"])


def _heading(told: Told) -> list[str]:
    words = words_of(told)
    lines = [f"# {md.text(_title(told))}"]
    if told["title"]:
        lines += ["", md.text(told["project"])]
    if told["date"]:
        lines += ["", told["date"]]
    return [*lines, "", f"**{words('replan_synthetic')}**"] if told["synthetic"] else lines


def _short(told: Told) -> list[str]:
    return [f"## {words_of(told)('replan_short')}", "", *(f"- {line}" for line in in_short(told))]


def _files(told: Told) -> list[str]:
    if told["replan"] is None:
        return []
    words = words_of(told)
    lines = [f"## {words('replan_files')}", "", words("replan_files_told")]
    return [*lines, words("replan_files_fresh")] if told["fresh"] is not None else lines
