"""The atlas: an index, a sheet per subject, a sheet or more per block."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from geodata.errors import Issue
from planner.errors import ConfigError
from planner.report.printed.block_facts import BlockFacts, block_facts
from planner.report.printed.block_sheet import Surroundings, block_sheets, pages_of, strip_height, surroundings
from planner.report.printed.index_sheet import Entry, index_sheet
from planner.report.printed.job import PrintJob, mu
from planner.report.printed.sheet import Sheet, theme_sheet
from planner.report.printed.theme import Theme
from planner.report.printed.themes import THEMES, Absent

BLOCK_SHEETS: Final = "block"
SHEETS: Final = (*THEMES, BLOCK_SHEETS)
"""Names of what an atlas may hold."""


@dataclass(frozen=True)
class Atlas:
    """An atlas before it is drawn.

    Attributes
    ----------
    job : PrintJob
    themes : tuple of Theme
    facts : tuple of BlockFacts
    around : Surroundings or None
        None without sheets of blocks.
    left_out : tuple of Absent
    """

    job: PrintJob
    themes: tuple[Theme, ...]
    facts: tuple[BlockFacts, ...]
    around: Surroundings | None
    left_out: tuple[Absent, ...]

    @property
    def strip(self) -> float:
        """Height under the map on sheets of blocks, mm."""
        return 0.0 if self.around is None else strip_height(self.around)

    @property
    def count(self) -> int:
        """Pages."""
        return 1 + len(self.themes) + sum(pages_of(f, self.strip) for f in self.facts)

    def pages(self) -> Iterator[Sheet]:
        """Draw page after page."""
        themes = [Entry(self.job.word(f"sheet_{t.key}"), i) for i, t in enumerate(self.themes, start=2)]
        blocks, at = [], 2 + len(self.themes)
        for facts in self.facts:
            blocks.append(Entry(facts.code, at, _area_of(self.job, facts)))
            at += pages_of(facts, self.strip)
        yield index_sheet(self.job, themes, blocks, self.left_out, self.count)
        for entry, theme in zip(themes, self.themes, strict=True):
            title = self.job.word("atlas_title", self.job.contents.title, entry.name)
            yield theme_sheet(self.job, theme, title, (entry.page, self.count))
        for entry, facts in zip(blocks, self.facts, strict=True):
            assert self.around is not None
            yield from block_sheets(self.job, self.around, facts, entry.page, self.count, self.strip)


def plan_atlas(job: PrintJob, sheets: Collection[str] | None = None) -> Atlas:
    """What an atlas holds.

    Parameters
    ----------
    job : PrintJob
    sheets : collection of str, optional
        Of `SHEETS`; all when absent. Those that are not asked for are listed as left out.

    Raises
    ------
    ConfigError
        A name that is no sheet.
    """
    asked = set(SHEETS) if sheets is None else set(sheets)
    unknown = sorted(asked - set(SHEETS))
    if unknown:
        raise ConfigError([Issue("sheets", ", ".join(unknown), f"some of {', '.join(SHEETS)}", "Name these.")])
    themes: list[Theme] = []
    left_out: list[Absent] = []
    for key, make in THEMES.items():
        made = make(job) if key in asked else Absent(key, job.word("not_asked"))
        if isinstance(made, Theme):
            themes.append(made)
        else:
            left_out.append(made)
    if BLOCK_SHEETS not in asked:
        left_out.append(Absent(BLOCK_SHEETS, job.word("not_asked")))
        return Atlas(job, tuple(themes), (), None, tuple(left_out))
    return Atlas(job, tuple(themes), tuple(block_facts(job)), surroundings(job), tuple(left_out))


def _area_of(job: PrintJob, facts: BlockFacts) -> str:
    blocks = job.contents.tables.blocks
    return mu(blocks.loc[blocks["block_id"].astype(str) == facts.block_id, "area_mu"].iloc[0])
