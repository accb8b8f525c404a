"""Commands that hand plans on: the package for other departments, and the comparison of plans."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from geodata.errors import Issue
from planner.cli_shared import EXIT_CODES, DebugOpt, LedgerOpt, earlier_ledger, errors_to_exit, say
from planner.errors import ConfigError

LONGEST_STAMP: Final = 40
"""More does not fit into the head of a sheet."""


class Part(StrEnum):
    """Parts of a package."""

    MAP = "map"
    WORKBOOK = "workbook"
    PRINT = "print"
    GIS = "gis"


class Language(StrEnum):
    """Languages of reports."""

    EN = "en"
    ZH = "zh"


RunArg = Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of a run.", show_default=False)]
LanguageOpt = Annotated[
    Language | None,
    typer.Option(help="Language of the files; `report.language` of the run when absent.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("export", epilog=EXIT_CODES, short_help="The package to hand over: workbook, prints, GIS files.")(
        export_command
    )
    app.command("compare", epilog=EXIT_CODES, short_help="Several plans beside each other on one offline page.")(
        compare_command
    )


def export_command(
    plan: RunArg,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the package.", show_default=False)],
    only: Annotated[
        list[Part] | None, typer.Option("--only", help="Only this part; repeatable.", show_default=False)
    ] = None,
    language: LanguageOpt = None,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact",
            help="Leave out right-holders, credit codes, rents, remarks, and the fields in report.sensitive.",
        ),
    ] = False,
    stamp: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Stamp on every page and sheet, e.g. 内部资料.", show_default=False),
    ] = None,
    ledger: LedgerOpt = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into FOLDER even if it holds other files; these stay.")
    ] = False,
    debug: DebugOpt = False,
) -> None:
    """Write the package that leaves the building: review map, workbook, printed maps, GIS files.

    The plan is judged again before anything is written. package.json lists every file with its fingerprint.
    """
    with errors_to_exit(debug):
        from planner.export import PACKAGE, PARTS, Wishes, export_plan  # noqa: PLC0415 - `--help` need not wait
        from planner.staging import require_free  # noqa: PLC0415

        if out.resolve() == plan.resolve():
            raise ConfigError(Issue(f"--out {out}", "the folder of the run itself", "another folder", "Name another."))
        require_free(out, force, PACKAGE)
        wishes = Wishes(
            day=date.today(),
            parts=PARTS if only is None else tuple(part.value for part in only),
            language=None if language is None else language.value,
            redact=redact,
            stamp=_stamp(stamp),
            ledger=earlier_ledger(ledger, plan),
        )
        package = export_plan(plan, out, wishes)
        for note in package.notes:
            say(f"note: {note}")
        if package.redaction is not None:
            left = ", ".join(dict.fromkeys((*package.redaction.fields, *package.redaction.facts)))
            say(f"Left out: {left or 'no field is named as sensitive (report.show, report.sensitive)'}")
            if package.redaction.worked_out:
                keys = ", ".join(package.redaction.worked_out)
                say(f"note: worked out from what is left out, and still in the package: {keys}")
        say(f"Wrote {len(package.files)} files into {out}; package.json lists them.")


def compare_command(
    plans: Annotated[list[Path], typer.Argument(metavar="DIR DIR …", help="Folders of runs.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="Page to write.")] = Path("compare.html"),
    language: Annotated[Language, typer.Option(help="Language the page opens in.")] = Language.EN,
    debug: DebugOpt = False,
) -> None:
    """Write one offline page about several plans: indicators side by side, two maps that move together.

    It shows which parcels every plan picks, which some, which none, and which settings differ.
    """
    with errors_to_exit(debug):
        from planner.contents import read_contents  # noqa: PLC0415
        from planner.export import require_sound  # noqa: PLC0415
        from planner.report.compare import read_prices, write_comparison  # noqa: PLC0415

        _require_page(out)
        named = list(zip(_names(plans), map(read_contents, plans), strict=True))
        prices = {
            name: read_prices(folder, contents.summary) for folder, (name, contents) in zip(plans, named, strict=True)
        }
        for folder in plans:
            require_sound(folder)
        write_comparison(named, out, language.value, prices)
        say(f"Wrote {out} (opens offline)")


def _require_page(path: Path) -> None:
    """Raise `ConfigError` unless a comparison can be written there: over nothing but an earlier one."""
    if path.is_dir() or path.suffix.lower() not in {".html", ".htm"} or not path.absolute().parent.is_dir():
        found, expected = "no place for a page", "a file .html in an existing folder"
        raise ConfigError(Issue(f"--out {path}", found, expected, "Name another file."))
    if path.is_file() and b'id="compare-data"' not in path.read_bytes():
        found, expected = "a file that is no comparison", "a new file, or an earlier comparison"
        raise ConfigError(Issue(f"--out {path}", found, expected, "Name another file."))


def _stamp(text: str | None) -> str | None:
    """The stamp as given; `ConfigError` where nobody could read it."""
    if text is not None and not 0 < len(text.strip()) <= LONGEST_STAMP:
        found = "a stamp without a letter" if not text.strip() else f"a stamp of {len(text)} letters"
        expected = f"1 to {LONGEST_STAMP} letters, e.g. 内部资料"
        raise ConfigError(Issue("--stamp", found, expected, "Shorten it."))
    return text


def _names(folders: list[Path]) -> list[str]:
    """Names of folders, made distinct by as many parents as are needed."""
    paths = [folder.resolve() for folder in folders]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            break
    return names
