"""The expressions of a configuration: where they stand, which names each may use, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any, Final, Literal

from geodata.attributes import RESERVED_FIELDS
from geodata.errors import Issue
from planner.config import Config, OptimiseSpec
from planner.config_issues import nearest
from planner.config_yaml import Key
from planner.errors import ConfigError
from planner.expressions import parse
from planner.land_fields import MEASURED, joined_fields
from planner.spec_demand import PROJECT_NAMES, DemandSpec
from planner.spec_modes import LineSpec, ModeSpec, ModesSpec
from planner.spec_report import ShowSpec

Where = Callable[..., str]
"""Parts of a key → file, line and key."""

PAYMENT_NAMES: Final = frozenset({"new_floor_m2", "net_area_mu"})
"""What payments may use besides fields and figures: floor area and net land of the parcel in the mode."""

Scope = Literal["parcel", "payment", "constant"]
"""Which names an expression of the modes may use: fields and figures; `PAYMENT_NAMES` too; figures that do not differ
by parcel."""


@dataclass(frozen=True)
class ModeExpression:
    """An expression in the section ``modes``."""

    key: Key
    text: str
    scope: Scope


def expressions_of(config: Config) -> Iterator[tuple[Key, str, bool]]:
    """Every expression with its key, and whether it may use ``score``."""
    scoring = config.scoring
    for name in ("cleared", "accepted"):
        if (area := getattr(config.areas, name)) is not None:
            yield ("areas", name), area, False
    for name, text in scoring.derived.items():
        yield ("scoring", "derived", name), text, False
    for k, criterion in enumerate(scoring.criteria):
        yield ("scoring", "criteria", k, "value"), criterion.value, False
    for section in ("eligible", "exclude", "force_in"):
        for k, rule in enumerate(getattr(scoring, section)):
            yield ("scoring", section, k, "when"), rule.when, True
    yield from _optimise_expressions(config.optimise)
    for name in ShowSpec.model_fields:
        if (fact := getattr(config.report.show, name)) is not None:
            yield ("report", "show", name), fact, True
    for section, name in _OF_PARCELS:
        if (amount := getattr(getattr(config, section), name, None)) is not None:
            yield (section, name), amount, True
    if config.modes is not None:
        for expression in mode_expressions(config.modes):
            yield expression.key, expression.text, expression.scope != "constant"


def _optimise_expressions(optimise: OptimiseSpec) -> Iterator[tuple[Key, str, bool]]:
    if optimise.filler.where is not None:
        yield ("optimise", "filler", "where"), optimise.filler.where, True
    for k, gate in enumerate(optimise.earliest):
        yield ("optimise", "earliest", k, "year"), gate.year, True
    if optimise.cost is not None:
        yield ("optimise", "cost", "value"), optimise.cost.value, True
    if optimise.existing is not None:
        yield ("optimise", "existing"), optimise.existing, True
    for k, group in enumerate(optimise.groups):
        yield ("optimise", "groups", k, "where"), group.where, True
    for k, sums in enumerate(optimise.block.rules):
        yield ("optimise", "block", "rules", k, "amount"), sums.amount, True
        if sums.share_of is not None:
            yield ("optimise", "block", "rules", k, "share_of"), sums.share_of, True


_OF_PARCELS: Final = (
    ("demand", "frontage_m"),
    ("demand", "stock_output_yuan"),
    ("demand", "stock_tax_yuan"),
    ("equity", "industrial"),
)
"""Expressions over parcel fields in sections that may be absent."""


def project_expressions(demand: DemandSpec) -> Iterator[tuple[Key, str]]:
    """Every expression over the columns of projects that look for land, with its key."""
    for section in ("veto", "thresholds"):
        for k, test in enumerate(getattr(demand, section)):
            yield ("demand", section, k, "when"), test.when
    if demand.grading is not None:
        for k, mark in enumerate(demand.grading.marks):
            yield ("demand", "grading", "marks", k, "value"), mark.value
    yield ("demand", "worth"), demand.worth


_OF_SECTIONS: Final[tuple[tuple[str, tuple[str, ...], Scope], ...]] = (
    ("consent", ("holders", "signed", "expected"), "parcel"),
    ("decant", ("floor_m2", "firms", "large_firms", "once"), "parcel"),
    (
        "space",
        (
            "floor_m2",
            "jobs",
            "output_yuan",
            "tax_yuan",
            "new_floor_per_job_m2",
            "new_output_yuan_per_mu",
            "new_tax_yuan_per_mu",
            "collective_income_yuan",
            "new_collective_income_yuan_per_mu",
        ),
        "parcel",
    ),
    ("space", ("ramp_months", "retained_tax_share"), "constant"),
)


def mode_expressions(modes: ModesSpec) -> Iterator[ModeExpression]:
    """Every expression of the modes; quantities that are plain numbers are none."""
    for m, mode in enumerate(modes.choices):
        for key, value, scope in _of_mode(mode):
            if isinstance(value, str):
                yield ModeExpression(("modes", "choices", m, *key), value, scope)
    for section, names, scope in _OF_SECTIONS:
        spec = getattr(modes, section)
        for name in names:
            value = getattr(spec, name, None)
            if isinstance(value, str):
                yield ModeExpression(("modes", section, name), value, scope)


def _of_mode(mode: ModeSpec) -> Iterator[tuple[Key, Any, Scope]]:
    yield ("open",), mode.open, "parcel"
    for milestone, months in mode.months.items():
        yield ("months", milestone), months, "constant"
    for k, line in enumerate(mode.lines):
        yield from _of_line(k, line)
    for k, test in enumerate(mode.consent):
        yield ("consent", k, "least"), test.least, "constant"
    for name in ("far", "net_share", "displaces", "decant_share", "benefit"):
        yield (name,), getattr(mode, name), "parcel"


def _of_line(k: int, line: LineSpec) -> Iterator[tuple[Key, Any, Scope]]:
    yield ("lines", k, "amount"), line.amount, "payment"
    yield ("lines", k, "share"), line.share, "payment"
    yield ("lines", k, "months"), line.months, "constant"


def known_fields(config: Config) -> set[str]:
    """Names that expressions may use, besides ``score`` and figures."""
    return {*_given(config), *config.scoring.derived, *MEASURED}


def _given(config: Config) -> set[str]:
    """Fields of files: mapped ones, and those made of overlays, rasters, buildings and firms."""
    return _mapped(config) | {name for _, name in joined_fields(config)}


def _mapped(config: Config) -> set[str]:
    return {*config.parcels.fields, *(name for table in config.tables for name in table.fields)}


def name_issues(config: Config, where: Where) -> Iterator[Issue]:
    """Names that are given twice or cannot be written in an expression."""
    taken = _mapped(config) | RESERVED_FIELDS
    for key, name in joined_fields(config):
        if name in taken:
            fix = "Rename the overlay, the raster's field, the firms' field, or the other one."
            yield Issue(where(*key), f"a second field {name!r}", "a name that no other field has", fix)
        taken.add(name)
    for name in config.scoring.derived:
        place = where("scoring", "derived", name)
        if name in taken:
            yield Issue(
                place, f"a second field {name!r}", "a name that no other field has", "Rename the derived field."
            )
        elif not name.isidentifier():
            yield Issue(place, repr(name), "letters, digits and underscores", "Rename the derived field.")
    for section in ("criteria", "eligible", "exclude", "force_in"):
        names = [item.name for item in getattr(config.scoring, section)]
        for k, name in enumerate(names):
            if name in names[:k]:
                place = where("scoring", section, k, "name")
                yield Issue(place, f"the name {name!r} a second time", "distinct names", "Rename one of the two.")


def expression_issues(config: Config, where: Where) -> Iterator[Issue]:
    """Expressions that cannot be parsed or use unknown names."""
    known = _given(config) | set(MEASURED)
    for key, text, with_score in expressions_of(config):
        if key[0] != "modes":
            names = known | ({"score"} if with_score else set())
            yield from _text_issues(where(*key), text, names)
        if key[:2] == ("scoring", "derived"):
            known.add(str(key[2]))  # later ones may use it
    if config.demand is not None:
        for key, text in project_expressions(config.demand):
            yield from _text_issues(where(*key), text, PROJECT_NAMES, "column of a project")
    zone_field = config.zones.field if config.zones else None
    fields = _mapped(config)
    if zone_field is not None and zone_field not in fields:
        found = f"the unknown field {zone_field!r}"
        expected = f"one of: {', '.join(sorted(fields))}"
        yield Issue(where("zones", "field"), found, expected, _fix(zone_field, fields))
    yield from _sensitive_issues(config, known - set(MEASURED), where)
    if config.modes is not None:
        yield from _mode_issues(config, config.modes, where)


def _sensitive_issues(config: Config, fields: Set[str], where: Where) -> Iterator[Issue]:
    """Names in ``report.sensitive`` that are no field of the data: a plan without measured areas and scores is none."""
    for k, name in enumerate(config.report.sensitive):
        place, expected = where("report", "sensitive", k), f"one of: {', '.join(sorted(fields))}"
        if name in {"score", *MEASURED} - fields:
            yield Issue(place, f"{name!r}, which every plan shows", expected, "Remove it.")
        elif name not in fields:
            yield Issue(place, f"the unknown field {name!r}", expected, _fix(name, fields))


def _text_issues(place: str, text: str, names: Set[str], what: str = "field") -> Iterator[Issue]:
    try:
        used = parse(text).names
    except ConfigError as error:
        for issue in error.issues:
            yield Issue(f"{place}, {text!r}", issue.found, issue.expected, issue.fix)
        return
    for name in sorted(used - names):
        found = f"the unknown {what} {name!r} in {text!r}"
        yield Issue(place, found, f"one of: {', '.join(sorted(names))}", _fix(name, names, what))


def _fix(name: str, known: Set[str], what: str = "field") -> str:
    near = nearest(name, known)
    if near is not None:
        return f"Did you mean {near!r}?"
    if what.startswith("column"):
        return "Projects have these columns only; correct the name."
    fix = "Map it under `parcels.fields` or `tables`"
    return f"{fix}." if what == "field" else f"{fix}, or write the figure under `modes.figures`."


def _mode_issues(config: Config, modes: ModesSpec, where: Where) -> Iterator[Issue]:
    fields = known_fields(config) | {"score"}
    figures = modes.figures
    for name in sorted(PAYMENT_NAMES & fields):
        yield Issue(where("modes"), f"the field {name!r}", "fields of other names", "Rename it: payments use the name.")
    for name, figure in figures.items():
        if name in fields | RESERVED_FIELDS | PAYMENT_NAMES:
            found = f"the figure {name!r}, which is also a field"
            yield Issue(where("modes", "figures", name), found, "a name that no field has", "Rename one of the two.")
        if figure.by is not None and figure.by not in fields:
            key = ("modes", "figures", name, "by")
            found, expected = f"the unknown field {figure.by!r}", f"one of: {', '.join(sorted(fields))}"
            yield Issue(where(*key), found, expected, _fix(figure.by, fields))
    plain = {name for name, figure in figures.items() if figure.by is None}
    for expression in mode_expressions(modes):
        place = where(*expression.key)
        if expression.scope == "constant":
            yield from _constant_issues(place, expression.text, plain, {*fields, *figures})
        else:
            names = {*fields, *figures, *(PAYMENT_NAMES if expression.scope == "payment" else ())}
            yield from _text_issues(place, expression.text, names, "field or figure")


def _constant_issues(place: str, text: str, plain: Set[str], by_parcel: Set[str]) -> Iterator[Issue]:
    """Issues of an expression that stands for one number."""
    yield from _text_issues(place, text, {*plain, *by_parcel}, "field or figure")
    try:
        used = parse(text).names
    except ConfigError:
        return  # told above
    for name in sorted((used & by_parcel) - plain):
        found = f"{name!r}, which differs by parcel, in {text!r}"
        yield Issue(place, found, "figures that are the same everywhere", "Use a figure without `by`.")


def figures_in_use(modes: ModesSpec) -> set[str]:
    """Names of figures that some expression of the modes uses; expressions that cannot be parsed use none."""
    used: set[str] = set()
    for expression in mode_expressions(modes):
        try:
            used |= parse(expression.text).names
        except ConfigError:
            continue  # told by `expression_issues`
    return used & modes.figures.keys()


def without_idle_figures(config: Config, spare: Set[str], where: Where) -> tuple[Config, list[Issue]]:
    """The configuration without figures that no expression of its modes uses, and those that should be in use.

    Parameters
    ----------
    config : Config
    spare : set of str
        Figures that may be there without use; others are misspelt, or forgotten.
    where : callable

    Returns
    -------
    config : Config
    issues : list of Issue
    """
    if config.modes is None:
        return config, []
    figures, used = config.modes.figures, figures_in_use(config.modes)
    issues = [
        Issue(
            where("modes", "figures", name),
            f"the figure {name!r}, which nothing uses",
            "a figure that the modes use",
            f"Did you mean {near!r}?" if (near := nearest(name, used)) is not None else "Remove it.",
        )
        for name in figures
        if name not in used and name not in spare
    ]
    kept = {name: figure for name, figure in figures.items() if name in used}
    modes = config.modes.model_copy(update={"figures": kept})
    return config.model_copy(update={"modes": modes}), issues
