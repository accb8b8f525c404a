"""Write the printed map and the atlas: A3 pages as PDF, the map as PNG too."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages

from geodata.write import replacing
from planner.contents import PlanContents
from planner.report.printed.atlas import plan_atlas
from planner.report.printed.fonts import Typeface
from planner.report.printed.job import PrintJob, new_job
from planner.report.printed.sheet import Sheet, theme_sheet
from planner.report.printed.themes import Absent, phases

PNG_DPI: Final = 200
_PRODUCER: Final = "land-consolidation-planner"


@dataclass(frozen=True)
class Printed:
    """What was written, and what was not.

    Attributes
    ----------
    pages : int
    left_out : tuple of Absent
        Sheets that are left out, and why.
    warnings : tuple of str
        What the user should know: no Chinese font, land outside the sheet.
    """

    pages: int
    left_out: tuple[Absent, ...]
    warnings: tuple[str, ...]


def write_overview(
    contents: PlanContents,
    pdf: Path,
    png: Path | None,
    *,
    day: datetime.date,
    language: str | None = None,
    stamp: str | None = None,
    codes: Mapping[str, str] | None = None,
) -> Printed:
    """Write the printed map: phases, blocks and what surrounds them, on one A3 sheet.

    Parameters
    ----------
    contents : PlanContents
    pdf : pathlib.Path
        Replaced if it exists.
    png : pathlib.Path or None
        The same as a picture of `PNG_DPI` dots per inch.
    day : datetime.date
        Date of the file, and on the map where ``report.print.date`` is not given.
    language : {'en', 'zh'}, optional
        ``report.language`` when absent.
    stamp : str, optional
        Put in the upper left corner, e.g. 内部资料.
    codes : mapping of str to str, optional
        ``block_id`` → permanent project code, shown in place of the block's id.

    Returns
    -------
    Printed
    """
    job = new_job(contents, day, language, stamp, codes)
    with drawing_style(job.face):
        sheet = overview_sheet(job)
        _write_pdf([sheet], pdf, job, day)
        if png is not None:
            _write_png(sheet, png, job)
    return Printed(1, (), tuple(job.warnings))


def write_atlas(
    contents: PlanContents,
    pdf: Path,
    *,
    day: datetime.date,
    language: str | None = None,
    stamp: str | None = None,
    codes: Mapping[str, str] | None = None,
    sheets: Collection[str] | None = None,
) -> Printed:
    """Write the atlas: an index, a sheet per subject that the plan has data for, a sheet or more per block.

    Parameters
    ----------
    contents, pdf, day, language, stamp, codes
        As in `write_overview`.
    sheets : collection of str, optional
        Of `planner.report.printed.atlas.SHEETS`; all when absent.

    Returns
    -------
    Printed

    Raises
    ------
    ConfigError
        A name that is no sheet.
    """
    job = new_job(contents, day, language, stamp, codes)
    with drawing_style(job.face):
        atlas = plan_atlas(job, sheets)
        _write_pdf(atlas.pages(), pdf, job, day)
    return Printed(atlas.count, atlas.left_out, tuple(job.warnings))


def overview_sheet(job: PrintJob) -> Sheet:
    """The printed map."""
    return theme_sheet(job, phases(job), job.word("overview_title", job.contents.title), (1, 1))


@contextmanager
def drawing_style(face: Typeface) -> Iterator[None]:
    """Settings of matplotlib as delivered, whatever the user has set, for as long as pages are drawn."""
    settings: dict[Any, Any] = {
        "font.family": list(face.families),
        "pdf.fonttype": face.pdf_fonttype,
        "pdf.compression": 6,
        "hatch.linewidth": 0.5,
        "axes.unicode_minus": False,
        "text.usetex": False,
        "text.hinting": "no_hinting",
        "text.parse_math": False,
        "path.simplify": False,
    }
    with style.context("default"), rc_context(settings):
        yield


def _write_pdf(sheets: Iterable[Sheet], path: Path, job: PrintJob, day: datetime.date) -> None:
    moment = datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)
    about: dict[str, Any] = {
        "Title": job.contents.title,
        "Subject": " ".join(
            f"{key} {job.contents.summary.get(key)}" for key in ("version", "input_hash", "config_hash")
        ),
        "Creator": _PRODUCER,
        "Producer": _PRODUCER,
        "CreationDate": moment,
    }
    with replacing(path) as temporary, PdfPages(temporary, metadata=about) as file:
        for sheet in sheets:
            FigureCanvasPdf(sheet.page.figure)
            file.savefig(sheet.page.figure)


def _write_png(sheet: Sheet, path: Path, job: PrintJob) -> None:
    FigureCanvasAgg(sheet.page.figure)
    with replacing(path) as temporary:
        sheet.page.figure.savefig(
            temporary, format="png", dpi=PNG_DPI, metadata={"Software": _PRODUCER, "Title": job.contents.title}
        )
