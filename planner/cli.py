"""The command line: reads arguments, shows progress, turns errors into exit codes. All work is done elsewhere."""

from __future__ import annotations

import json
import logging
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from geodata.errors import Issue
from planner import cli_explain, cli_export, cli_progress, cli_replan
from planner.cli_shared import (
    EXIT_CODES,
    ConfigArg,
    DebugOpt,
    Exit,
    LedgerOpt,
    LocksOpt,
    QuietOpt,
    ScenarioOpt,
    SeedOpt,
    SetOpt,
    TimeOpt,
    complain,
    earlier_ledger,
    errors_to_exit,
    ledger_at,
    load,
    load_locks,
    located,
    out_console,
    progress_of,
    read_json,
    say,
    warn_of_other_land,
)
from planner.errors import ConfigError, PlanRejectedError
from planner.interrupts import Interrupts

__all__ = ["Exit", "app", "main"]

app = typer.Typer(
    name="planner",
    help="Contiguous, phased redevelopment plans for village industrial land, with a proven optimality gap.",
    epilog="Start with `planner init --sample DIR`, or `planner init PARCELS` for your own land. "
    "`planner COMMAND --help` explains a command and lists the exit codes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        out_console.print(f"planner {version('land-consolidation-planner')}", highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Contiguous, phased redevelopment plans for village industrial land, with a proven optimality gap."""


@app.command("run", epilog=EXIT_CODES, short_help="Make a plan: map, GIS files, summary.")
def run_command(
    config: ConfigArg,
    scenario: ScenarioOpt = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the results; an earlier run in it is replaced.")
    ] = Path("out"),
    overrides: SetOpt = None,
    locks: LocksOpt = None,
    ledger: LedgerOpt = None,
    seed: SeedOpt = None,
    time_limit: TimeOpt = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into DIR even if it holds other files; these stay.")
    ] = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Make a plan: read, repair, score, solve and check, then write map, GIS files and summary into a folder.

    Ctrl-C during the solve keeps the best plan so far; a second one gives up.
    """
    with errors_to_exit(debug):
        from planner.output import require_free, write_run  # noqa: PLC0415 - `--help` need not wait for solvers
        from planner.pipeline import run  # noqa: PLC0415
        from planner.previous import previous_plan  # noqa: PLC0415

        loaded = load(config, scenario, overrides, seed, time_limit)
        loaded, lock_file = load_locks(loaded, locks, overrides, quiet)
        require_free(out, force)
        earlier, kept = earlier_ledger(ledger, out), ledger_at(ledger, out)
        previous = previous_plan(out, lock_file)
        with located(loaded), Interrupts() as interrupts, progress_of(loaded.config, quiet) as progress:
            result = run(loaded.config, progress, interrupts.stoppable, previous)
            warn_of_other_land(lock_file, result.prepared.land.input_hash)
            progress.stage("write")
            try:
                report = write_run(result, out, day=date.today(), ledger=earlier)
            except PlanRejectedError as error:
                error.add_note(f"See {out / 'summary.md'}")
                raise
            progress.done(f"{out}")
        if result.error is not None:
            result.error.add_note(f"See {out / 'summary.md'}")
            raise result.error
        assert report is not None
        _print_result(result.summary, len(report.checked), out)
        if kept is not None:
            say(f"Project codes and hand-filled cells of {kept.name} were kept")


@app.command("check", epilog=EXIT_CODES, short_help="Judge a written plan, trusting nothing of the run.")
def check_command(
    plan: Annotated[
        Path,
        typer.Argument(metavar="DIR|SOLUTION.json", help="Output folder of a run, or a solution.", show_default=False),
    ],
    problem: Annotated[
        Path | None,
        typer.Option(metavar="PROBLEM.json", help="With a solution: its problem; problem.json beside it when absent."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable report.")] = False,
    debug: DebugOpt = False,
) -> None:
    """Judge a written plan from its GeoPackage and configuration alone, trusting nothing of the run.

    Contiguity, areas, targets, sizes, budgets, filler, locks, barriers, scores and the objective are computed anew. A
    solution of `planner solve` is judged by its problem.json in the same way, without geometry.
    """
    with errors_to_exit(debug):
        from planner.check import (  # noqa: PLC0415
            check_plan,
            check_solution,
            read_plan,
            report_as_dict,
            report_as_markdown,
        )

        if plan.suffix.lower() == ".json":
            report = check_solution(read_json(problem or plan.with_name("problem.json")), read_json(plan))
        else:
            tables, config, claims = read_plan(plan)
            report = check_plan(tables, config, claims)
        if as_json:
            print(json.dumps(report_as_dict(report), ensure_ascii=False, indent=2))  # noqa: T201 - this is the output
        else:
            say(report_as_markdown(report))
        if not report.passed:
            raise typer.Exit(Exit.REJECTED)


@app.command("validate", epilog=EXIT_CODES, short_help="Check configuration and data, without a solve.")
def validate_command(
    config: ConfigArg,
    scenario: ScenarioOpt = None,
    overrides: SetOpt = None,
    locks: LocksOpt = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.gpkg", help="Also write the findings as layers for a GIS.", show_default=False),
    ] = None,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Check configuration and data without solving, and list what a planner should know about the data.

    What is to be fixed before planning comes first, ordered by the land concerned.
    """
    with errors_to_exit(debug):
        from planner.output import write_quality  # noqa: PLC0415
        from planner.pipeline import prepare_run  # noqa: PLC0415
        from planner.report.quality import quality_text  # noqa: PLC0415

        loaded = load(config, scenario, overrides)
        loaded, lock_file = load_locks(loaded, locks, overrides, quiet)
        with located(loaded), progress_of(loaded.config, quiet) as progress:
            prepared = prepare_run(loaded.config, progress)
        warn_of_other_land(lock_file, prepared.land.input_hash)
        say(quality_text(prepared.quality))
        if out is not None:
            write_quality(prepared, out)
            say(f"Written: {out} (layers data_quality, repair_log, cut_links, overlaps, between)")
        say(f"Configuration and data can be planned. Next: planner run {config}")


@app.command("init", epilog=EXIT_CODES, short_help="Write a configuration for your parcels, or the sample.")
def init_command(
    parcels: Annotated[
        Path | None, typer.Argument(metavar="PARCELS", help="Your parcel file.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(metavar="CONFIG", help="Configuration to write.")] = Path("config.yaml"),
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the bundled sample (generated land) into DIR instead.", show_default=False
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="Layer of PARCELS, if it holds several.")] = None,
    crs: Annotated[
        str | None,
        typer.Option(metavar="CRS", help="CRS of PARCELS, only if the file does not say it, e.g. EPSG:4490."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Write a commented starter configuration for PARCELS, its guesses marked `GUESS`; or the bundled sample.

    The starter can be run as it is; it becomes your plan as you replace the guesses.
    """
    if (parcels is None) == (sample is None):
        raise typer.BadParameter("give either a parcel file or --sample DIR", param_hint="PARCELS")
    with errors_to_exit(debug):
        from planner.progress import OnConsole  # noqa: PLC0415
        from planner.starter import write_sample, write_starter  # noqa: PLC0415

        if sample is not None:
            written = write_sample(sample, force)
        else:
            assert parcels is not None
            with OnConsole(Console(stderr=True, quiet=quiet), 0.0, 0.0, "") as progress:
                written = write_starter(parcels, out, layer, crs, force, progress)
        say(f"Wrote {written}. Next: planner run {written}")


@app.command("tables", epilog=EXIT_CODES, short_help="Write the tables of modes and figures, for editing.")
def tables_command(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for modes.yaml and figures.csv.")] = Path(),
    debug: DebugOpt = False,
) -> None:
    """Write the bundled tables of redevelopment modes and their figures into a folder, for editing.

    A configuration uses the copies when its section `modes` names them. Existing files are not replaced.
    """
    with errors_to_exit(debug):
        from planner.mode_table import write_tables  # noqa: PLC0415

        modes, figures = write_tables(out)
        say(f"Wrote {modes} and {figures}. Name them in the configuration: modes.table and modes.figures_table")


@app.command("solve", epilog=EXIT_CODES, short_help="Solve a problem.json: arrays instead of land.")
def solve_command(
    problem: Annotated[Path, typer.Argument(metavar="PROBLEM.json", help="Problem file.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Solution file; solution.json beside PROBLEM.json when absent."),
    ] = None,
    gap: Annotated[float, typer.Option(min=0.0, metavar="G", help="Stop at this relative gap.")] = 0.01,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the search.")] = 0,
    time_limit: Annotated[float, typer.Option(min=0.0, metavar="S", help="Stop after this many seconds.")] = 60.0,
    work_limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="ROUNDS", help="Stop after this many rounds: repeatable, unlike seconds."),
    ] = None,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Solve a problem given as arrays; docs/problem-format.md documents problem.json and solution.json."""
    with errors_to_exit(debug):
        from geodata.write import write_json  # noqa: PLC0415
        from planner.check import check_solution, first_error  # noqa: PLC0415
        from planner.optimise import Stop, solve  # noqa: PLC0415
        from planner.problem_json import problem_from_dict, problem_to_dict, solution_to_dict  # noqa: PLC0415
        from planner.progress import OnConsole  # noqa: PLC0415

        target = out or problem.with_name("solution.json")
        if target.is_dir() or not target.absolute().parent.is_dir():
            raise ConfigError(
                Issue(f"--out {target}", "no place for a file", "a file in an existing folder", "Name another file.")
            )
        data = problem_from_dict(read_json(problem))
        console = Console(stderr=True, quiet=quiet)
        with Interrupts() as interrupts, OnConsole(console, time_limit, gap, data.currency) as progress:
            progress.stage("solve")
            with interrupts.stoppable() as interrupted:
                plan = solve(data, Stop(gap, time_limit, work_limit, interrupted), seed, progress.solve)
            progress.done(f"{len(plan.blocks)} blocks, {plan.status}")
            answer = solution_to_dict(data, plan)
            report = check_solution(problem_to_dict(data), answer)
            if not report.passed:
                raise PlanRejectedError(f"The solution failed its independent check: {first_error(report)}")
            write_json(answer, target)
        shown = "undefined" if plan.gap is None else f"{plan.gap:.2%}"
        say(f"{plan.status}: worth {plan.objective:,.0f} {data.currency}, gap {shown}, written to {target}")


_STOPPED_BY = {
    "optimal": "proven best",
    "gap": "the gap asked for was reached",
    "work": "the work limit",
    "time": "the time limit",
    "interrupt": "Ctrl-C; this is the best plan until then",
}


def _print_result(summary: dict[str, Any], n_rules: int, out: Path) -> None:
    from planner.changes import changes_text  # noqa: PLC0415

    currency = summary["project"]["currency"]
    gap = "undefined" if summary["gap"] is None else f"{summary['gap']:.2%}"
    label = "SYNTHETIC land. " if summary["project"]["synthetic"] else ""
    lines = [f"{label}{summary['project']['name']}: {summary['status']} plan, {len(summary['blocks'])} blocks"]
    lines += [
        f"  {p['id']} (year {p['year']}): {p['cumulative_mu']:,.2f} mu, target {p['target_mu']:,.2f} mu"
        for p in summary["phases"]
    ]
    lines.append(f"  worth {summary['objective']:,.0f} {currency}, at most {summary['bound']:,.0f}: gap {gap}")
    stopped_by = _STOPPED_BY.get(summary["stopped_by"], summary["stopped_by"])
    lines.append(f"  stopped by: {stopped_by}; independent check passed ({n_rules} rules)")
    if "changes" in summary:
        lines.append(f"  {changes_text(summary['changes'])}")
    lines.append(
        f"Look at {out / 'map.html'} (opens offline), {out / 'summary.md'}, {out / 'plan.xlsx'}; "
        f"open {out / 'plan.qgz'} in QGIS"
    )
    for line in lines:
        say(line)


class _ToConsole(logging.Handler):
    """Warnings as lines of the console, each once, so that they do not tear the progress display."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        text = f"{record.levelname.lower()}: {record.getMessage()}"
        if text not in self._said:
            self._said.add(text)
            complain(text, "yellow")


cli_explain.register(app)
cli_export.register(app)
cli_progress.register(app)
cli_replan.register(app)


def main() -> None:
    """Entry point of the ``planner`` command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # Chinese names on a Windows console
    logging.basicConfig(level=logging.WARNING, handlers=[_ToConsole()])
    app()


if __name__ == "__main__":
    main()
