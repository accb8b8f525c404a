"""Commands about what became of a plan: the form that people fill in, and the report on what they entered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geodata.errors import Issue
from planner.cli_export import LanguageOpt
from planner.cli_shared import EXIT_CODES, DebugOpt, LedgerOpt, earlier_ledger, errors_to_exit, say
from planner.errors import ConfigError

if TYPE_CHECKING:
    from planner.contents import PlanContents

progress_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Where a plan stands: the form to fill in, and the report on what is entered.",
)

PlanArg = Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of a run.", show_default=False)]
StartsOpt = Annotated[
    str | None,
    typer.Option(
        metavar="YYYY-MM",
        help="First month of year 1, where phases count years from the start; that of the form when absent.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.add_typer(progress_app, name="progress", short_help="Where a plan stands: entry form, and report.")


@progress_app.command("form", epilog=EXIT_CODES)
def form_command(
    plan: PlanArg,
    out: Annotated[Path, typer.Option(metavar="FILE.xlsx", help="Form to write.")] = Path("progress.xlsx"),
    entries: Annotated[
        Path | None,
        typer.Option(metavar="LAST.xlsx", help="An earlier form: what is typed in it is kept.", show_default=False),
    ] = None,
    starts: StartsOpt = None,
    language: LanguageOpt = None,
    ledger: LedgerOpt = None,
    debug: DebugOpt = False,
) -> None:
    """Write the form in which the progress of a plan is entered: a row per project, and a sheet of approvals.

    Names of projects are those of the workbook of the plan. An existing form is replaced only by one that keeps it.
    """
    with errors_to_exit(debug):
        from planner.monitoring.sheets import read_sheets  # noqa: PLC0415 - `--help` need not wait
        from planner.report.progress import write_form  # noqa: PLC0415

        _require_form(out, entries)
        earlier = None if entries is None else read_sheets(entries)
        contents = _contents(plan, language)
        names = _names(ledger, plan)
        kept = write_form(contents, out, day=date.today(), starts=starts, earlier=earlier, names=names)
        say(f"Wrote {out}: fill in the yellow cells, then `planner progress report {plan} --entries {out}`")
        if earlier is not None:
            below = f"; {kept} rows of projects that are gone, or without a code, stand below" if kept else ""
            say(f"What is typed in {entries} was kept{below}")


@progress_app.command("report", epilog=EXIT_CODES)
def report_command(
    plan: PlanArg,
    entries: Annotated[
        Path, typer.Option(metavar="FILE", help="The form, filled in (XLSX), or a CSV with its columns.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the report.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="Month of the report; the present one when absent.", show_default=False),
    ] = None,
    starts: StartsOpt = None,
    language: LanguageOpt = None,
    ledger: LedgerOpt = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into FOLDER even if it holds other files; these stay.")
    ] = False,
    debug: DebugOpt = False,
) -> None:
    """Report where a plan stands: land cleared and accepted against plan, what is left, what slips, what runs out.

    Writes progress.html (opens offline), progress.md, progress.xlsx and progress.json.
    """
    with errors_to_exit(debug):
        from planner.monitoring.entries import read_entries  # noqa: PLC0415
        from planner.monitoring.planned import calendar_of, counts_from_start  # noqa: PLC0415
        from planner.monitoring.standing import standing_of  # noqa: PLC0415
        from planner.report.progress import PROGRESS_REPORT, write_progress  # noqa: PLC0415
        from planner.staging import require_free  # noqa: PLC0415

        month = _month("--at", at) if at is not None else f"{date.today():%Y-%m}"
        if out.resolve() == plan.resolve():
            raise ConfigError(Issue(f"--out {out}", "the folder of the run itself", "another folder", "Name another."))
        require_free(out, force, PROGRESS_REPORT)
        contents = _contents(plan, language)
        read = read_entries(entries, contents, month)
        if counts_from_start(contents.config):
            starts = starts or read.starts
        calendar = calendar_of(contents.config, starts)
        progress = standing_of(contents, read, month, calendar, _names(ledger, plan))
        _print_report(write_progress(contents, progress, out), out)


def _contents(plan: Path, language: Any) -> PlanContents:
    from planner.contents import read_contents  # noqa: PLC0415

    contents = read_contents(plan)
    return contents if language is None else contents.in_language(language.value)


def _names(ledger: Path | None, plan: Path) -> Mapping[str, str]:
    """Code → name that somebody typed into the workbook of the plan."""
    known = earlier_ledger(ledger, plan)
    return {} if known is None else {code: cells["name"] for code, cells in known.cells.items() if "name" in cells}


def _month(option: str, text: str) -> str:
    from planner.monitoring.months import is_month  # noqa: PLC0415

    if not is_month(text):
        raise ConfigError(Issue(f"{option} {text}", "no month", "YYYY-MM, e.g. 2026-03", "Correct it."))
    return text


def _require_form(path: Path, entries: Path | None) -> None:
    """Raise `ConfigError` unless a form can be written there: over nothing but the one that it keeps."""
    if path.is_dir() or path.suffix.lower() != ".xlsx" or not path.absolute().parent.is_dir():
        found, expected = "no place for a form", "a file .xlsx in an existing folder"
        raise ConfigError(Issue(f"--out {path}", found, expected, "Name another file."))
    if path.is_file() and (entries is None or path.resolve() != entries.resolve()):
        found, expected = "a file that is there already", "a new file, or the one named with --entries"
        fix = f"Name another file, or keep what is typed in it: --entries {path}."
        raise ConfigError(Issue(f"--out {path}", found, expected, fix))


def _print_report(data: Mapping[str, Any], out: Path) -> None:
    head = data["headline"]
    phase = next(p for p in data["phases"] if p["id"] == data["running_phase"])
    label = "SYNTHETIC land. " if data["synthetic"] else ""
    say(f"{label}{data['project']}: progress by {data['at']}, {head['projects']} projects")
    for what in ("cleared", "accepted"):
        share = head[f"{what}_of_target"]
        against = "" if share is None else f", {100 * share:.1f} % of the {phase['target_mu']:,.2f} mu of {phase['id']}"
        unknown = head[f"{what}_unknown"]
        more = f"; of {unknown} projects nobody entered how much" if unknown else ""
        say(f"  {what}: {head[f'{what}_mu']:,.2f} mu{against}{more}")
    say(f"  left to clear: {head['to_clear_mu']:,.2f} mu in {head['open_projects']} projects")
    met = phase["target_month"] or "never, with the projects of the plan"
    say(f"  floor of {phase['id']} (ends {phase['ends']}) met, at the present slips: {met}")
    say(f"  late: {len(data['slipping'])} projects; to look at in the entries: {len(data['findings'])}")
    say(f"Look at {out / 'progress.html'} (opens offline), {out / 'progress.md'}, {out / 'progress.xlsx'}")
