"""What the commands share: exit codes, options, loading, progress, and errors as exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
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

if TYPE_CHECKING:
    from planner.codes import Ledger
    from planner.locks_file import LocksFile
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
  4    proven: targets and rules cannot all be kept; the message says how much can be reached
  5    no plan found in time
  6    the plan failed its check and is not written as one
  130  Ctrl-C before any plan
"""

out_console = Console()
err_console = Console(stderr=True)

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
LocksOpt = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Locks and notes from locks.json of the map, or from a plan.gpkg edited in a GIS. The file is the "
        "complete state: it replaces optimise.locks.in, out, by, at and notes.",
        show_default=False,
    ),
]
LedgerOpt = Annotated[
    Path | None,
    typer.Option(
        metavar="PLAN.xlsx",
        help="Workbook of an earlier run: project codes and hand-filled cells are kept. plan.xlsx in DIR when absent.",
        show_default=False,
    ),
]
SeedOpt = Annotated[int | None, typer.Option(metavar="N", help="Seed of the search; goes over solve.seed.")]
TimeOpt = Annotated[
    float | None, typer.Option(metavar="S", help="Seconds for the solve; goes over solve.time_limit_s.")
]
QuietOpt = Annotated[bool, typer.Option("--quiet", help="No progress, only results and errors.")]
DebugOpt = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def say(text: str) -> None:
    """A line of result."""
    out_console.print(text, markup=False, highlight=False, soft_wrap=True)


def complain(text: str, style: str | None = None) -> None:
    """A line beside the result: on standard error."""
    err_console.print(text, markup=False, highlight=False, soft_wrap=True, style=style)


def read_json(path: Path) -> Any:
    """Content of a JSON file; `DataError` where there is none."""
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", "a problem.json", "Check the path."))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Issue(str(path), f"no JSON ({error})", "a problem.json", "Write the file again.")) from error


def load(
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


def load_locks(
    loaded: LoadedConfig, path: Path | None, overrides: list[str] | None, quiet: bool
) -> tuple[LoadedConfig, LocksFile | None]:
    """The configuration with the locks of a file, and the file; as it is without one."""
    if path is None:
        return loaded, None
    from planner.locks_file import load_with_locks, read_locks, refuse_both  # noqa: PLC0415 - reads GIS files

    refuse_both(overrides or ())
    file = read_locks(path, loaded.config)
    if not quiet:
        complain(f"Locks of {path}: {file.told}")
    return load_with_locks(loaded, file), file


def ledger_at(path: Path | None, folder: Path) -> Path | None:
    """The workbook of an earlier run: the one named, else the one in the folder, so that nothing typed is lost."""
    known = (folder / "plan.xlsx", folder / "plan.previous.xlsx")
    return path or next((file for file in known if file.is_file()), None)


def earlier_ledger(path: Path | None, folder: Path) -> Ledger | None:
    """What the workbook of an earlier run knows; None where there is none."""
    from planner.ledger_file import read_ledger  # noqa: PLC0415 - `--help` need not wait for it

    source = ledger_at(path, folder)
    if source is None:
        return None
    try:
        return read_ledger(source)
    except DataError as error:
        if path is None:
            error.add_note(
                f"{source} lies in the folder of the plan, so what is typed in it is to be kept. "
                "Rename or remove it, or name another workbook with --ledger."
            )
        raise


def warn_of_other_land(file: LocksFile | None, input_hash: str) -> None:
    """Say where locks were made for other land data."""
    warning = None if file is None else file.other_land(input_hash)
    if warning is not None:
        complain(f"warning: {warning}", "yellow")


@contextmanager
def located(loaded: LoadedConfig) -> Iterator[None]:
    """Configuration errors that later stages find get the file and line they come from."""
    try:
        yield
    except ConfigError as error:
        raise loaded.located(error) from error


@contextmanager
def progress_of(config: Config, quiet: bool) -> Iterator[OnConsole]:
    """Progress of a run with the limits of its configuration."""
    from planner.progress import OnConsole  # noqa: PLC0415

    console = Console(stderr=True, quiet=quiet)
    with OnConsole(console, config.solve.time_limit_s, config.solve.gap, config.project.currency) as progress:
        yield progress


@contextmanager
def errors_to_exit(debug: bool) -> Iterator[None]:
    """One readable block and an exit code for every error; the traceback only with --debug."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        complain("Stopped; nothing was written.")
        raise typer.Exit(Exit.INTERRUPTED) from None
    except (PlannerError, GeodataError) as error:
        if debug:
            err_console.print_exception()
        code, title = _classify(error)
        texts = [str(i) for i in getattr(error, "issues", ())] or [str(error)]
        complain(title if len(texts) == 1 else f"{title} ({len(texts)} problems)", "bold red")
        for text in (*texts, *getattr(error, "__notes__", ())):
            complain(f"  {text}")
        raise typer.Exit(code) from None
    except Exception as error:  # noqa: BLE001 - the last resort: nothing may end as a bare traceback
        if debug:
            err_console.print_exception()
        complain("Internal error", "bold red")
        complain(f"  {type(error).__name__}: {error}")
        if isinstance(error, PermissionError):
            complain(
                "  A file may be open in another program (Excel, QGIS): close it and run again. Nothing was changed."
            )
        elif isinstance(error, OSError):
            complain("  A file could not be read or written: check disk space and rights.")
        elif not debug:
            complain("  This is a defect of the program. Run again with --debug and report the traceback.")
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
