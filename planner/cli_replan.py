"""The command that plans again after something happened."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from geodata.errors import Issue
from planner.cli_shared import (
    EXIT_CODES,
    DebugOpt,
    LedgerOpt,
    QuietOpt,
    SeedOpt,
    TimeOpt,
    earlier_ledger,
    errors_to_exit,
    ledger_at,
    located,
    progress_of,
    say,
)
from planner.errors import ConfigError
from planner.interrupts import Interrupts


def register(app: typer.Typer) -> None:
    """Add the command of this module to the command line."""
    app.command("replan", epilog=EXIT_CODES, short_help="Something happened: the plan with the fewest changes.")(
        replan_command
    )


def replan_command(
    plan: Annotated[Path, typer.Argument(metavar="DIR", help="Output folder of the plan before.", show_default=False)],
    changes: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="What happened; see docs/replan.md.", show_default=False),
    ] = None,
    entries: Annotated[
        Path | None,
        typer.Option(
            "--progress",
            metavar="FILE",
            help="Progress as entered: done and running projects stand, dropped ones are given up.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for the results; an earlier run in it is replaced.")
    ] = Path("replan"),
    no_fresh: Annotated[
        bool, typer.Option("--no-fresh", help="Do not plan anew as well: half the time, but no cost of keeping.")
    ] = False,
    frontier: Annotated[
        str | None,
        typer.Option(
            metavar="F,F,…",
            help="Also plan at other prices of changing, as factors, e.g. 0.1,0.3,1,3: changed mu against worth.",
            show_default=False,
        ),
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Where no plan is possible: take back one event at a time, and look again.")
    ] = False,
    ledger: LedgerOpt = None,
    seed: SeedOpt = None,
    time_limit: TimeOpt = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into FOLDER even if it holds other files; these stay.")
    ] = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Plan again after something happened: an owner refuses, a budget is cut, a target rises, a block is done.

    The new plan changes as little of the plan in DIR as is worth it (`keep` in the file of changes); planning anew
    under the same conditions tells what that costs at most. Written are the files of a run, and replan.md,
    replan.json, compare.html, and fresh/ with the plan made anew. Ctrl-C keeps the best replan so far.
    """
    with errors_to_exit(debug):
        from planner.contents import read_contents  # noqa: PLC0415 - `--help` need not wait for solvers
        from planner.monitoring.entries import read_entries  # noqa: PLC0415
        from planner.replan import REPLAN, Wishes, read_changes, replan, replanned_config, write_replan  # noqa: PLC0415
        from planner.replan.why import Asking, blamer  # noqa: PLC0415
        from planner.staging import require_free  # noqa: PLC0415

        if changes is None and entries is None:
            found, expected = "neither", "what happened, or the progress of projects, or both"
            raise ConfigError(Issue("--changes, --progress", found, expected, "Name a file."))
        if out.resolve() == plan.resolve():
            raise ConfigError(Issue(f"--out {out}", "the folder of the plan before", "another folder", "Name another."))
        factors = _factors(frontier)
        require_free(out, force, REPLAN)
        contents = read_contents(plan)
        happened = None if changes is None else read_changes(changes)
        progressed = None if entries is None else read_entries(entries, contents)
        given = {"seed": seed, "time_limit_s": time_limit}
        solve = {key: value for key, value in given.items() if value is not None}
        asked = replanned_config(contents, happened, progressed, plan, solve=solve)
        known, kept = earlier_ledger(ledger, plan), ledger_at(ledger, plan)
        with located(asked.loaded), Interrupts() as interrupts, progress_of(asked.config, quiet) as progress:
            blame = None
            if why and happened is not None:
                asking = Asking(contents, happened, progressed, plan, asked.config.solve.time_limit_s)
                blame = blamer(asking, progress, interrupts.stoppable)
            wishes = Wishes(fresh=not no_fresh, factors=factors, blame=blame)
            done = replan(asked, wishes, progress, interrupts.stoppable, contents.summary.get("input_hash"))
            progress.stage("write")
            told = write_replan(done, contents, happened, out, day=date.today(), ledger=known)
            progress.done(f"{out}")
        if done.replan.error is not None:
            done.replan.error.add_note(f"See {out / 'replan.md'}")
            raise done.replan.error
        _print(told, out)
        if kept is not None:
            say(f"Project codes and hand-filled cells of {kept} were kept")


def _factors(text: str | None) -> tuple[float, ...]:
    """Factors as given; `ConfigError` where they are none."""
    if text is None:
        return ()
    try:
        factors = tuple(float(part) for part in text.split(","))
    except ValueError:
        factors = ()
    if not factors or any(not 0 <= f <= 1e6 for f in factors):
        raise ConfigError(
            Issue(
                "--frontier", repr(text), "factors from 0 to 1e6, with commas between, e.g. 0.1,0.3,1,3", "Correct it."
            )
        )
    return factors


def _print(told: dict[str, Any], out: Path) -> None:
    from planner.report.replan import console_lines  # noqa: PLC0415

    for line in console_lines(told):
        say(line)
    say(f"Look at {out / 'replan.md'}, {out / 'compare.html'} (opens offline), {out / 'map.html'}")
