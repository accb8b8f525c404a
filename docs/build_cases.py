"""Writes the figures and the picture of a case's page from a finished run.

``python -m docs.build_cases NAME RUN_DIR`` writes two things: in ``docs/cases/NAME.md`` what stands between the marks
``<!-- figures -->`` and ``<!-- end of figures -->``, and ``docs/images/case-NAME.png``, the review map of the run. With
``--part VARIANT`` it writes what stands after ``<!-- figures: VARIANT -->``, and no picture: for a second run that the
page tells of.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from docs.case_figures import figures
from docs.case_picture import photograph
from geodata.write import write_text

DOCS: Final = Path(__file__).resolve().parent
CASES: Final = DOCS / "cases"
END: Final = "<!-- end of figures -->"
_PART: Final = re.compile(r"<!-- figures(?:: (?P<variant>[\w-]+))? -->\n(?P<text>.*?)" + re.escape(END), re.DOTALL)
_CONFIGURATION: Final = re.compile(r"^\| configuration \| `(?P<hash>[0-9a-f]{64})` \|$", re.MULTILINE)


def picture_of(name: str) -> Path:
    """Where the picture of a case lies."""
    return DOCS / "images" / f"case-{name}.png"


def scenarios_of(name: str, page: str) -> dict[str, str]:
    """Scenario → text of its figures, for every part of a page; the part without a name is the case itself."""
    return {found["variant"] or name: found["text"] for found in _PART.finditer(page)}


def configuration_of(text: str) -> str | None:
    """Fingerprint of the configuration that figures were made with; None where there are none yet."""
    found = _CONFIGURATION.search(text)
    return None if found is None else found["hash"]


def with_figures(page: str, variant: str | None, text: str) -> str:
    """The page with the figures of one part replaced.

    Raises
    ------
    ValueError
        The page has no such part, or has it twice.
    """
    parts = [found for found in _PART.finditer(page) if found["variant"] == variant]
    if len(parts) != 1:
        mark = "<!-- figures -->" if variant is None else f"<!-- figures: {variant} -->"
        raise ValueError(f"the page must hold {mark} … {END} once, it does {len(parts)} times")
    return f"{page[: parts[0].start('text')]}\n{text}\n\n{page[parts[0].end('text') :]}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write page and picture."""
    parser = argparse.ArgumentParser(prog="python -m docs.build_cases", description=__doc__)
    parser.add_argument("name", help="name of the case: docs/cases/NAME.md")
    parser.add_argument("run", type=Path, help="output folder of `planner run`")
    parser.add_argument("--part", metavar="VARIANT", help="write the part of this variant, without a picture")
    given = parser.parse_args(arguments)
    page = CASES / f"{given.name}.md"
    text = with_figures(page.read_text(encoding="utf-8"), given.part, figures(given.run))
    if given.part is None:
        photograph(given.run / "map.html", picture_of(given.name))
    write_text(text, page)


if __name__ == "__main__":
    main()
