"""Commands that answer questions about plans: evaluate, alternatives, and ``explain`` with its five questions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.console import Console

from geodata.errors import Issue
from planner.cli_shared import (
    EXIT_CODES,
    DebugOpt,
    Exit,
    QuietOpt,
    ScenarioOpt,
    SetOpt,
    earlier_ledger,
    errors_to_exit,
    load,
    located,
    say,
)
from planner.errors import ConfigError
from planner.interrupts import Interrupts

if TYPE_CHECKING:
    from planner.explain import Asker

PlanOpt = Annotated[
    Path,
    typer.Option("--plan", metavar="DIR", help="Folder of `planner run` (or of `planner solve`).", show_default=False),
]
JsonOpt = Annotated[bool, typer.Option("--json", help="Machine-readable answer.")]
LimitOpt = Annotated[
    float, typer.Option(min=0.0, metavar="S", help="Seconds for all questions to the solver together.")
]
SeedOpt = Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the search.")]
ConfigOpt = Annotated[
    Path, typer.Option("--config", metavar="CONFIG", help="Configuration (YAML).", show_default=False)
]

_GAP: Final = 1e-3
"""Gap at which a question is answered well enough."""

explain_app = typer.Typer(
    name="explain",
    help="Ask why: no plan, this parcel, the price of a rule, how stable the blocks are, who can break it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("evaluate", epilog=EXIT_CODES, short_help="Judge blocks drawn by hand, without a solve.")(
        evaluate_command
    )
    app.command("alternatives", epilog=EXIT_CODES, short_help="Nearly as good plans that differ most.")(
        alternatives_command
    )
    app.add_typer(explain_app, name="explain", short_help="Ask why: no plan, this parcel, the price of a rule.")


@contextmanager
def _asking(time_limit: float, seed: int, currency: str, quiet: bool) -> Iterator[Asker]:
    """Progress and Ctrl-C around questions: the first one ends the asking, what is known is still told."""
    from planner.explain import Asker  # noqa: PLC0415 - `--help` need not wait for solvers
    from planner.progress import OnConsole  # noqa: PLC0415

    console = Console(stderr=True, quiet=quiet)
    with (
        Interrupts() as interrupts,
        OnConsole(console, time_limit, _GAP, currency) as progress,
        interrupts.stoppable() as interrupted,
    ):
        yield Asker(time_limit, seed, _GAP, None, interrupted, progress)


def _tell(kind: str, answer: Any, text: str, as_json: bool) -> None:
    if as_json:
        from planner.explain import as_data  # noqa: PLC0415

        print(json.dumps(as_data(kind, answer), ensure_ascii=False, indent=2, allow_nan=False))  # noqa: T201 - the output
    else:
        say(text)


def evaluate_command(
    blocks: Annotated[
        Path,
        typer.Argument(
            metavar="BLOCKS", help="Polygons with a phase, or a CSV/XLSX of parcels, block, phase.", show_default=False
        ),
    ],
    config: ConfigOpt,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the files of a run there, if the blocks are a plan.", show_default=False
        ),
    ] = None,
    scenario: ScenarioOpt = None,
    overrides: SetOpt = None,
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="Layer of BLOCKS, or sheet.")] = None,
    crs: Annotated[
        str | None, typer.Option(metavar="CRS", help="CRS of BLOCKS, only if the file does not say it.")
    ] = None,
    phase_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the phase: id or number.")
    ] = None,
    block_column: Annotated[str | None, typer.Option(metavar="NAME", help="Column with the block.")] = None,
    parcel_column: Annotated[str | None, typer.Option(metavar="NAME", help="Column with the parcel id.")] = None,
    time_limit: Annotated[float, typer.Option(min=0.0, metavar="S", help="Seconds for the bound.")] = 30.0,
    force: Annotated[
        bool, typer.Option("--force", help="Write into DIR even if it holds other files; these stay.")
    ] = False,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Judge blocks drawn by hand as a plan: the same check, tables and map as a run, and how far from the best.

    BLOCKS are polygons with a column `phase` (a parcel belongs to the polygon that holds most of it; those that a line
    cuts are listed with their shares), or a table with columns for parcel, block and phase. Blocks that break a rule
    are answered with the findings and exit code 6; nothing is written then.
    """
    with errors_to_exit(debug):
        from planner.explain import Columns, evaluate, evaluation_text, read_drawn  # noqa: PLC0415
        from planner.output import require_free, write_run  # noqa: PLC0415
        from planner.pipeline import prepare_run  # noqa: PLC0415
        from planner.progress import OnConsole  # noqa: PLC0415

        loaded = load(config, scenario, overrides)
        if out is not None:
            require_free(out, force)
        console = Console(stderr=True, quiet=quiet)
        currency = loaded.config.project.currency
        with (
            located(loaded),
            Interrupts() as interrupts,
            OnConsole(console, time_limit, 0.0, currency) as progress,
        ):
            prepared = prepare_run(loaded.config, progress)
            columns = Columns(phase_column, block_column, None, parcel_column)
            drawn = read_drawn(blocks, prepared.problem, prepared.land.parcels, columns, layer=layer, crs=crs)
            with interrupts.stoppable() as interrupted:
                answer = evaluate(prepared, drawn, time_limit, progress, interrupted)
            if answer.passed and out is not None:
                progress.stage("write")
                write_run(answer.result, out, day=date.today(), ledger=earlier_ledger(None, out))
                progress.done(str(out))
        _tell("evaluate", answer, evaluation_text(answer), as_json)
        if not answer.passed:
            raise typer.Exit(Exit.REJECTED)


def alternatives_command(
    plan: PlanOpt,
    count: Annotated[int, typer.Option("-k", "--count", min=1, metavar="K", help="How many plans.")] = 5,
    within: Annotated[str, typer.Option(metavar="SHARE", help="Worth they may lose at most, e.g. 1% or 0.01.")] = "1%",
    by: Annotated[
        Literal["land", "phase"], typer.Option(help="What makes plans differ: the land taken, or also its phase.")
    ] = "land",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the files; `alternatives` in the plan's when absent.")
    ] = None,
    time_limit: LimitOpt = 120.0,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Find plans that are nearly as good and differ most, and how often each parcel is in one (its importance).

    Every one keeps all rules and reaches all targets. Writes alternatives.json, importance.csv and alternatives.gpkg.
    """
    with errors_to_exit(debug):
        from planner.explain import (  # noqa: PLC0415
            alternatives_text,
            find_alternatives,
            read_run,
            write_alternatives,
        )

        share = _share(within)
        run = read_run(plan)
        with _asking(time_limit, seed, run.problem.currency, quiet) as asker:
            answer = find_alternatives(run, count, share, asker, by)
        written = write_alternatives(answer, run, out or plan / "alternatives")
        _tell("alternatives", answer, alternatives_text(answer), as_json)
        if not as_json:
            say(f"Wrote {', '.join(str(p) for p in written)}")


def _share(text: str) -> float:
    number, cent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        share = float(number) / (100 if cent else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        fix = "Write a share with or without a percent sign."
        raise ConfigError(Issue("--within", repr(text), "a share from 0 to below 1, such as 1% or 0.01", fix))
    return share


@explain_app.command("infeasible", epilog=EXIT_CODES, short_help="Why there is no plan, and what would help.")
def infeasible_command(
    plan: PlanOpt,
    time_limit: LimitOpt = 120.0,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Say which targets are out of reach and how far each goes, and the smallest changes that make a plan possible.

    Tries lower targets, every other rule, bridges between parcels up to 30 m apart, and closed parcels. Whatever is
    said to suffice was found as a plan and checked; whatever is said to be needed at least is proven.
    """
    with errors_to_exit(debug):
        from planner.explain import candidate_links, explain_infeasible, infeasible_text, read_run  # noqa: PLC0415

        run = read_run(plan)
        with _asking(time_limit, seed, run.problem.currency, quiet) as asker:
            answer = explain_infeasible(run, asker, candidate_links(run))
        _tell("infeasible", answer, infeasible_text(answer), as_json)


@explain_app.command("parcel", epilog=EXIT_CODES, short_help="Why a parcel is in or out, and what forcing it costs.")
def parcel_command(
    parcel: Annotated[str, typer.Argument(metavar="ID", help="Parcel id.", show_default=False)],
    plan: PlanOpt,
    time_limit: LimitOpt = 60.0,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Say why a parcel is in the plan or not, and what the best plan loses when it is forced the other way.

    The loss is an interval, because both plans are known only up to their gaps; more time makes it narrower.
    """
    with errors_to_exit(debug):
        from planner.explain import explain_parcel, parcel_text, read_run  # noqa: PLC0415

        run = read_run(plan)
        with _asking(time_limit, seed, run.problem.currency, quiet) as asker:
            answer = explain_parcel(run, parcel, asker)
        _tell("parcel", answer, parcel_text(answer), as_json)


@explain_app.command("price", epilog=EXIT_CODES, short_help="What each rule and target costs.")
def price_command(
    plan: PlanOpt,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="KEY", help="Only this rule, e.g. contiguity or floor:P2. Repeatable."),
    ] = None,
    time_limit: LimitOpt = 120.0,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Say what the best plan would gain without each rule: contiguity, sizes, targets, budgets, locks, gates and so on.

    The gain is an interval, because both plans are known only up to their gaps. Prices at the margin (one mu more of a
    target, one yuan more of a budget) come from a linear program over blocks. Without --rule the answer is also
    written as price.json into DIR, where `planner compare` finds it.
    """
    with errors_to_exit(debug):
        from geodata.write import write_json  # noqa: PLC0415
        from planner.explain import as_data, explain_price, price_text, read_run  # noqa: PLC0415

        run = read_run(plan)
        with _asking(time_limit, seed, run.problem.currency, quiet) as asker:
            answer = explain_price(run, asker, rule or ())
        if not rule:  # the price of every rule
            write_json(as_data("price", answer), plan / "price.json")
        _tell("price", answer, price_text(answer), as_json)


@explain_app.command("stability", epilog=EXIT_CODES, short_help="Which blocks change when weights change a little.")
def stability_command(
    plan: PlanOpt,
    time_limit: LimitOpt = 180.0,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Say which blocks stay when weights change by 10 %: value of land, cost, perimeter, discount, score weights.

    A block survives a change if the new best plan has one that shares at least 90 % of the land of both.
    """
    with errors_to_exit(debug):
        from planner.explain import explain_stability, read_run, stability_text  # noqa: PLC0415

        run = read_run(plan)
        with _asking(time_limit, seed, run.problem.currency, quiet) as asker:
            answer = explain_stability(run, asker)
        _tell("stability", answer, stability_text(answer), as_json)


@explain_app.command("holdouts", epilog=EXIT_CODES, short_help="What happens when owners refuse; a plan that bears it.")
def holdouts_command(
    plan: PlanOpt,
    parcels: Annotated[
        str | None,
        typer.Option(metavar="ID,ID…", help="Only these may refuse; every parcel of the plan when absent."),
    ] = None,
    robust: Annotated[
        bool, typer.Option("--robust", help="Find a plan that bears the refusal of any one of them, and its price.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the files; `holdouts` in the plan's when absent.")
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit", "--seconds", min=0.0, metavar="S", help="Seconds for all questions to the solver together."
        ),
    ] = 120.0,
    seed: SeedOpt = 0,
    as_json: JsonOpt = False,
    quiet: QuietOpt = False,
    debug: DebugOpt = False,
) -> None:
    """Say what the refusal of each parcel does: to its block, to the targets, and what going round it costs.

    The first two are exact and told for every parcel. The price is an interval, asked in order of harm until the time
    is used. Tests of consent are told with their slack and the parcels they hang on. Writes holdouts.json,
    holdouts.csv and, with geometry, holdouts.geojson and holdouts.gpkg; a robust plan goes to the folder `robust`.
    """
    with errors_to_exit(debug):
        from planner.explain import read_run  # noqa: PLC0415
        from planner.explain.holdouts import explain_holdouts  # noqa: PLC0415
        from planner.explain.holdouts_text import holdouts_text  # noqa: PLC0415
        from planner.explain.writing import write_holdouts  # noqa: PLC0415

        only = [name.strip() for name in (parcels or "").split(",") if name.strip()]
        run = read_run(plan)
        with _asking(time_limit, seed, run.problem.currency, quiet) as asker:
            answer = explain_holdouts(run, asker, only, robust=robust)
        written = write_holdouts(answer, run, out or plan / "holdouts")
        _tell("holdouts", answer, holdouts_text(answer), as_json)
        if not as_json:
            say(f"Wrote {', '.join(str(p) for p in written)}")
