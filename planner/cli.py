"""The command line: reads arguments, shows progress, turns errors into exit codes. All work is done elsewhere."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from geodata.errors import DataError, GeodataError, Issue
from planner.config import Config
from planner.config_file import LoadedConfig, load_config
from planner.errors import (
    ConfigError,
    InfeasibleError,
    InterruptedBeforePlanError,
    NoPlanInTimeError,
    PlannerError,
    PlanRejectedError,
)
from planner.interrupts import Interrupts

if TYPE_CHECKING:
    from planner.progress import OnConsole


class Exit(IntEnum):
    """Exit codes."""

    PLAN = 0
    INTERNAL = 1
    USAGE = 2
    DATA = 3
    UNREACHABLE = 4
    NO_PLAN = 5
    REJECTED = 6
    INTERRUPTED = 130


EXIT_CODES = """\b
Exit codes:
  0    a plan (also after Ctrl-C, with the best plan so far)
  1    internal error
  2    usage or configuration
  3    data
  4    targets proven out of reach; the message says how much can be reached
  5    no plan found in time
  6    the plan failed its check and is not written as one
  130  Ctrl-C before any plan
"""

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
_out = Console()
_err = Console(stderr=True)

ConfigArg = Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration file (YAML).", show_default=False)]
ScenarioOpt = Annotated[
    str | None,
    typer.Option(
        metavar="NAME_OR_PATH",
        help="YAML file merged over CONFIG; a NAME means scenarios/NAME.yaml beside it. Maps merge, lists replace.",
    ),
]
SetOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="a.b=c",
        help="Override one value, e.g. solve.gap=0.02 or optimise.phases.0.target_mu=300 (items count from 0). "
        "Repeatable; goes over CONFIG and scenario.",
    ),
]
SeedOpt = Annotated[int | None, typer.Option(metavar="N", help="Seed of the search; goes over solve.seed.")]
TimeOpt = Annotated[
    float | None, typer.Option(metavar="S", help="Seconds for the solve; goes over solve.time_limit_s.")
]
QuietOpt = Annotated[bool, typer.Option("--quiet", help="No progress, only results and errors.")]
DebugOpt = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        _out.print(f"planner {version('land-consolidation-planner')}", highlight=False)
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
    with _errors_to_exit(debug):
        from planner.output import require_free, write_run  # noqa: PLC0415 - `--help` need not wait for solvers
        from planner.pipeline import run  # noqa: PLC0415

        loaded = _load(config, scenario, overrides, seed, time_limit)
        require_free(out, force)
        with _located(loaded), Interrupts() as interrupts, _progress(loaded.config, quiet) as progress:
            result = run(loaded.config, progress, interrupts.stoppable)
            progress.stage("write")
            try:
                report = write_run(result, out)
            except PlanRejectedError as error:
                error.add_note(f"See {out / 'summary.md'}")
                raise
            progress.done(f"{out}")
        if result.error is not None:
            result.error.add_note(f"See {out / 'summary.md'}")
            raise result.error
        assert report is not None
        _print_result(result.summary, len(report.checked), out)


@app.command("check", epilog=EXIT_CODES, short_help="Judge a written plan, trusting nothing of the run.")
def check_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of a run.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable report.")] = False,
    debug: DebugOpt = False,
) -> None:
    """Judge a written plan from its GeoPackage and configuration alone, trusting nothing of the run.

    Contiguity, areas, targets, sizes, budgets, filler, locks, barriers, scores and the objective are computed anew.
    """
    with _errors_to_exit(debug):
        from planner.check import check_plan, read_plan, report_as_dict, report_as_markdown  # noqa: PLC0415

        tables, config, claims = read_plan(directory)
        report = check_plan(tables, config, claims)
        if as_json:
            print(json.dumps(report_as_dict(report), ensure_ascii=False, indent=2))  # noqa: T201 - this is the output
        else:
            _say(report_as_markdown(report))
        if not report.passed:
            raise typer.Exit(Exit.REJECTED)


@app.command("validate", epilog=EXIT_CODES, short_help="Check configuration and data, without a solve.")
def validate_command(
    config: ConfigArg,
    scenario: ScenarioOpt = None,
    overrides: SetOpt = None,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Check configuration and data without solving, and list what a planner should know about the data."""
    with _errors_to_exit(debug):
        from planner.pipeline import prepare_run  # noqa: PLC0415
        from planner.report.quality import quality_text  # noqa: PLC0415

        loaded = _load(config, scenario, overrides)
        with _located(loaded), _progress(loaded.config, quiet) as progress:
            prepared = prepare_run(loaded.config, progress)
        _say(quality_text(prepared.quality))
        _say(f"Configuration and data can be planned. Next: planner run {config}")


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
    with _errors_to_exit(debug):
        from planner.progress import OnConsole  # noqa: PLC0415
        from planner.starter import write_sample, write_starter  # noqa: PLC0415

        if sample is not None:
            written = write_sample(sample, force)
        else:
            assert parcels is not None
            with OnConsole(Console(stderr=True, quiet=quiet), 0.0, 0.0, "") as progress:
                written = write_starter(parcels, out, layer, crs, force, progress)
        _say(f"Wrote {written}. Next: planner run {written}")


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
    with _errors_to_exit(debug):
        from geodata.write import write_json  # noqa: PLC0415
        from planner.optimise import Stop, solve  # noqa: PLC0415
        from planner.problem_json import problem_from_dict, solution_to_dict  # noqa: PLC0415
        from planner.progress import OnConsole  # noqa: PLC0415

        target = out or problem.with_name("solution.json")
        if target.is_dir() or not target.absolute().parent.is_dir():
            raise ConfigError(
                Issue(f"--out {target}", "no place for a file", "a file in an existing folder", "Name another file.")
            )
        data = problem_from_dict(_read_json(problem))
        console = Console(stderr=True, quiet=quiet)
        with Interrupts() as interrupts, OnConsole(console, time_limit, gap, data.currency) as progress:
            progress.stage("solve")
            with interrupts.stoppable() as interrupted:
                plan = solve(data, Stop(gap, time_limit, work_limit, interrupted), seed, progress.solve)
            progress.done(f"{len(plan.blocks)} blocks, {plan.status}")
            write_json(solution_to_dict(data, plan), target)
        shown = "undefined" if plan.gap is None else f"{plan.gap:.2%}"
        _say(f"{plan.status}: worth {plan.objective:,.0f} {data.currency}, gap {shown}, written to {target}")


def _say(text: str) -> None:
    _out.print(text, markup=False, highlight=False, soft_wrap=True)


def _complain(text: str, style: str | None = None) -> None:
    _err.print(text, markup=False, highlight=False, soft_wrap=True, style=style)


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", "a problem.json", "Check the path."))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Issue(str(path), f"no JSON ({error})", "a problem.json", "Write the file again.")) from error


def _load(
    config: Path,
    scenario: str | None,
    overrides: list[str] | None,
    seed: int | None = None,
    time_limit: float | None = None,
) -> LoadedConfig:
    """Flags go over `--set`, which goes over the files."""
    flags = {"solve.seed": ("--seed", seed), "solve.time_limit_s": ("--time-limit", time_limit)}
    given = {key: label_value for key, label_value in flags.items() if label_value[1] is not None}
    texts = (*(overrides or ()), *(f"{key}={value}" for key, (_, value) in given.items()))
    return load_config(config, scenario, texts, {key: label for key, (label, _) in given.items()})


@contextmanager
def _located(loaded: LoadedConfig) -> Iterator[None]:
    """Configuration errors that later stages find get the file and line they come from."""
    try:
        yield
    except ConfigError as error:
        raise loaded.located(error) from error


@contextmanager
def _progress(config: Config, quiet: bool) -> Iterator[OnConsole]:
    from planner.progress import OnConsole  # noqa: PLC0415

    console = Console(stderr=True, quiet=quiet)
    with OnConsole(console, config.solve.time_limit_s, config.solve.gap, config.project.currency) as progress:
        yield progress


_STOPPED_BY = {
    "optimal": "proven best",
    "gap": "the gap asked for was reached",
    "work": "the work limit",
    "time": "the time limit",
    "interrupt": "Ctrl-C; this is the best plan until then",
}


def _print_result(summary: dict[str, Any], n_rules: int, out: Path) -> None:
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
    lines.append(f"Look at {out / 'map.html'} (opens offline), {out / 'summary.md'}, {out / 'plan.gpkg'}")
    for line in lines:
        _say(line)


@contextmanager
def _errors_to_exit(debug: bool) -> Iterator[None]:
    """One readable block and an exit code for every error; the traceback only with --debug."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        _complain("Stopped; nothing was written.")
        raise typer.Exit(Exit.INTERRUPTED) from None
    except (PlannerError, GeodataError) as error:
        if debug:
            _err.print_exception()
        code, title = _classify(error)
        texts = [str(i) for i in getattr(error, "issues", ())] or [str(error)]
        _complain(title if len(texts) == 1 else f"{title} ({len(texts)} problems)", "bold red")
        for text in (*texts, *getattr(error, "__notes__", ())):
            _complain(f"  {text}")
        raise typer.Exit(code) from None
    except Exception as error:  # noqa: BLE001 - the last resort: nothing may end as a bare traceback
        if debug:
            _err.print_exception()
        _complain("Internal error", "bold red")
        _complain(f"  {type(error).__name__}: {error}")
        if isinstance(error, OSError):
            _complain("  A file could not be read or written: check disk space and rights.")
        elif not debug:
            _complain("  This is a defect of the program. Run again with --debug and report the traceback.")
        raise typer.Exit(Exit.INTERNAL) from None


def _classify(error: Exception) -> tuple[Exit, str]:
    classes: tuple[tuple[type[Exception], Exit, str], ...] = (
        (ConfigError, Exit.USAGE, "Configuration error"),
        (GeodataError, Exit.DATA, "Data error"),
        (InfeasibleError, Exit.UNREACHABLE, "No plan is possible"),
        (NoPlanInTimeError, Exit.NO_PLAN, "No plan found in time"),
        (PlanRejectedError, Exit.REJECTED, "Plan rejected"),
        (InterruptedBeforePlanError, Exit.INTERRUPTED, "Stopped"),
    )
    for kind, code, title in classes:
        if isinstance(error, kind):
            return code, title
    return Exit.INTERNAL, "Internal error"


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
            _complain(text, "yellow")


def main() -> None:
    """Entry point of the ``planner`` command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # Chinese names on a Windows console
    logging.basicConfig(level=logging.WARNING, handlers=[_ToConsole()])
    app()


if __name__ == "__main__":
    main()
