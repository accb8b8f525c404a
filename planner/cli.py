"""The command line: reads arguments, shows progress, turns errors into exit codes. All work is done elsewhere."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from geodata.errors import DataError, GeodataError, Issue
from planner.check import check_plan, read_plan, report_as_dict, report_as_markdown
from planner.config import Config
from planner.config_file import load_config
from planner.errors import (
    ConfigError,
    InfeasibleError,
    InterruptedBeforePlanError,
    NoPlanInTimeError,
    PlannerError,
    PlanRejectedError,
)


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


EXIT_CODES = """
Exit codes: 0 plan (also after Ctrl-C, with the best plan so far) · 1 internal error · 2 usage or configuration ·
3 data · 4 targets proven unreachable · 5 no plan found in time · 6 the plan failed its check ·
130 Ctrl-C before any plan.
"""

app = typer.Typer(
    name="planner",
    help="Contiguous, phased redevelopment plans for village industrial land, with a proven optimality gap.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_out = Console()
_err = Console(stderr=True)

ConfigArg = Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration file (YAML).", show_default=False)]
ScenarioOpt = Annotated[
    str | None, typer.Option(metavar="NAME_OR_PATH", help="YAML merged over CONFIG; a name means scenarios/NAME.yaml.")
]
SetOpt = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="a.b=c", help="Override one value, e.g. solve.gap=0.02. Repeatable."),
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


@app.command("run", epilog=EXIT_CODES)
def run_command(
    config: ConfigArg,
    scenario: ScenarioOpt = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path("out"),
    overrides: SetOpt = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the search (solve.seed).")] = None,
    time_limit: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds for the solve (solve.time_limit_s).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is no earlier run.")] = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Plan: read, score, solve, check and write map, GIS files and summary."""
    with _errors_to_exit(debug):
        from planner.output import require_free, write_run  # noqa: PLC0415 - `--help` need not wait for solvers
        from planner.pipeline import run  # noqa: PLC0415

        loaded = load_config(config, scenario, _overrides(overrides, seed, time_limit)).config
        require_free(out, force)
        with _progress(loaded, quiet) as progress:
            result = run(loaded, progress, _stoppable)
            progress.stage("write")
            report = write_run(result, out)
            progress.done(f"{out}")
        if result.error is not None:
            _err.print(f"Summary: {out / 'summary.md'}", highlight=False, soft_wrap=True)
            raise result.error
        assert report is not None
        _print_result(result.summary, len(report.checked), out)


@app.command("check", epilog=EXIT_CODES)
def check_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of a run.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable report.")] = False,
    debug: DebugOpt = False,
) -> None:
    """Judge a written plan from its GeoPackage and configuration alone, trusting nothing of the run."""
    with _errors_to_exit(debug):
        tables, config, claims = read_plan(directory)
        report = check_plan(tables, config, claims)
        if as_json:
            print(json.dumps(report_as_dict(report), ensure_ascii=False, indent=2))  # noqa: T201 - this is the output
        else:
            _out.print(report_as_markdown(report), markup=False, highlight=False, soft_wrap=True)
        if not report.passed:
            raise typer.Exit(Exit.REJECTED)


@app.command("validate", epilog=EXIT_CODES)
def validate_command(
    config: ConfigArg,
    scenario: ScenarioOpt = None,
    overrides: SetOpt = None,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Check configuration and data without solving, and say what to mend before planning."""
    with _errors_to_exit(debug):
        from planner.pipeline import prepare_run  # noqa: PLC0415
        from planner.report.quality import quality_text  # noqa: PLC0415

        loaded = load_config(config, scenario, tuple(overrides or ())).config
        with _progress(loaded, quiet) as progress:
            prepared = prepare_run(loaded, progress)
        _out.print(quality_text(prepared.quality), markup=False, highlight=False, soft_wrap=True)
        _out.print("Configuration and data can be planned.", highlight=False)


@app.command("init", epilog=EXIT_CODES)
def init_command(
    parcels: Annotated[
        Path | None, typer.Argument(metavar="PARCELS", help="Your parcel file.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(metavar="CONFIG", help="Configuration to write.")] = Path("config.yaml"),
    sample: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the bundled sample (generated land) there instead.")
    ] = None,
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="Layer of PARCELS, if it holds several.")] = None,
    crs: Annotated[str | None, typer.Option(metavar="CRS", help="CRS of PARCELS, if the file does not say it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    debug: DebugOpt = False,
) -> None:
    """Write a commented starter configuration for PARCELS, or the bundled sample."""
    with _errors_to_exit(debug):
        from planner.starter import write_sample, write_starter  # noqa: PLC0415

        if (parcels is None) == (sample is None):
            raise ConfigError(
                Issue(
                    "planner init",
                    "PARCELS and --sample" if parcels else "neither",
                    "PARCELS or --sample DIR",
                    "Give one.",
                )
            )
        written = write_sample(sample, force) if sample is not None else write_starter(parcels, out, layer, crs, force)
        _out.print(f"Wrote {written}. Next: planner run {written}", highlight=False, soft_wrap=True)


@app.command("solve", epilog=EXIT_CODES)
def solve_command(
    problem: Annotated[Path, typer.Argument(metavar="PROBLEM.json", help="Problem file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Solution file; solution.json beside PROBLEM when absent.")
    ] = None,
    gap: Annotated[float, typer.Option(help="Stop at this relative gap.")] = 0.01,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the search.")] = 0,
    time_limit: Annotated[float, typer.Option(metavar="S", help="Seconds.")] = 60.0,
    work_limit: Annotated[int | None, typer.Option(metavar="ROUNDS", help="Stop after this many rounds.")] = None,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Solve a problem given as arrays (see the documentation of problem.json)."""
    with _errors_to_exit(debug):
        from geodata.write import write_json  # noqa: PLC0415
        from planner.optimise import Stop, solve  # noqa: PLC0415
        from planner.problem import problem_from_dict, solution_to_dict  # noqa: PLC0415
        from planner.progress import OnConsole  # noqa: PLC0415

        target = out or problem.with_name("solution.json")
        data = problem_from_dict(_read_json(problem))
        console = Console(stderr=True, quiet=quiet)
        with OnConsole(console, time_limit, gap, data.currency) as progress, _stoppable() as interrupted:
            progress.stage("solve")
            plan = solve(data, Stop(gap, time_limit, work_limit, interrupted), seed, progress.solve)
            progress.done(f"{len(plan.blocks)} blocks, {plan.status}")
        write_json(solution_to_dict(data, plan), target)
        shown = "undefined" if plan.gap is None else f"{plan.gap:.2%}"
        _out.print(f"{plan.status}: gap {shown}, written to {target}", highlight=False, soft_wrap=True)


def _read_json(path: Path) -> Any:
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", "a problem.json", "Check the path."))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Issue(str(path), f"no JSON ({error})", "a problem.json", "Write the file again.")) from error


def _overrides(given: list[str] | None, seed: int | None, time_limit: float | None) -> tuple[str, ...]:
    """Flags go over `--set`, which goes over the files."""
    flags = [] if seed is None else [f"solve.seed={seed}"]
    flags += [] if time_limit is None else [f"solve.time_limit_s={time_limit}"]
    return (*(given or ()), *flags)


@contextmanager
def _progress(config: Config, quiet: bool) -> Iterator[Any]:
    from planner.progress import OnConsole  # noqa: PLC0415

    console = Console(stderr=True, quiet=quiet)
    with OnConsole(console, config.solve.time_limit_s, config.solve.gap, config.project.currency) as progress:
        yield progress


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """While open, the first Ctrl-C asks the solve to end with its best plan; a second one ends the program."""
    asked = False

    def handle(_number: int, _frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        _err.print("Stopping with the best plan so far (Ctrl-C again to abort) …")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _print_result(summary: dict[str, Any], n_rules: int, out: Path) -> None:
    currency = summary["project"]["currency"]
    gap = "undefined" if summary["gap"] is None else f"{summary['gap']:.2%}"
    label = "SYNTHETIC land. " if summary["project"]["synthetic"] else ""
    lines = [f"{label}{summary['project']['name']}: {summary['status']} plan, {len(summary['blocks'])} blocks"]
    for p in summary["phases"]:
        lines.append(f"  {p['id']} (year {p['year']}): {p['cumulative_mu']:,.2f} mu, target {p['target_mu']:,.2f} mu")
    lines.append(f"  worth {summary['objective']:,.0f} {currency}, at most {summary['bound']:,.0f}: gap {gap}")
    lines.append(f"  stopped by: {summary['stopped_by']}; independent check passed ({n_rules} rules)")
    lines.append(f"Look at {out / 'map.html'} (opens offline), {out / 'summary.md'}, {out / 'plan.gpkg'}")
    for line in lines:
        _out.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _errors_to_exit(debug: bool) -> Iterator[None]:
    """One readable block and an exit code for every error; the traceback only with --debug."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        _err.print("Stopped before a plan was found.")
        raise typer.Exit(Exit.INTERRUPTED) from None
    except (PlannerError, GeodataError) as error:
        if debug:
            _err.print_exception()
        code, title = _classify(error)
        _err.print(f"[bold red]{title}[/bold red]")
        issues = getattr(error, "issues", None)
        for text in [str(i) for i in issues] if issues else [str(error)]:
            _err.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(code) from None
    except Exception as error:
        _err.print_exception() if debug else None
        _err.print(f"[bold red]Internal error[/bold red] {type(error).__name__}: {error}", soft_wrap=True)
        if not debug:
            _err.print("This is a defect of the program. Run again with --debug and report the traceback.")
        raise typer.Exit(Exit.INTERNAL) from None


def _classify(error: Exception) -> tuple[Exit, str]:
    classes: tuple[tuple[type[Exception], Exit, str], ...] = (
        (ConfigError, Exit.USAGE, "Configuration"),
        (GeodataError, Exit.DATA, "Data"),
        (InfeasibleError, Exit.UNREACHABLE, "Targets cannot be reached"),
        (NoPlanInTimeError, Exit.NO_PLAN, "No plan in time"),
        (PlanRejectedError, Exit.REJECTED, "Plan rejected"),
        (InterruptedBeforePlanError, Exit.INTERRUPTED, "Interrupted"),
    )
    for kind, code, title in classes:
        if isinstance(error, kind):
            return code, title
    return Exit.INTERNAL, "Internal error"


def main() -> None:
    """Entry point of the ``planner`` command."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # Chinese names on a Windows console
    app()


if __name__ == "__main__":
    main()
