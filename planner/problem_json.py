"""Problem and plan as JSON; the forms are documented in ``docs/problem-format.md``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray
from pydantic import Field

from geodata.errors import DataError, Issue
from geodata.spec import NonNegative, Share, Spec
from planner.problem import (
    OPTIONAL_ARRAYS,
    PARCEL_ARRAYS,
    Block,
    BlockRule,
    Group,
    Measure,
    Mode,
    Phase,
    Plan,
    Problem,
    Resource,
    Target,
)
from planner.problem_checks import check_problem

PROBLEM_FORMAT: Final = "land-consolidation-problem"
SOLUTION_FORMAT: Final = "land-consolidation-solution"
FORMAT_VERSION: Final = 2


class _Phase(Spec):
    id: str
    year: int
    discount: float
    budget: NonNegative | None
    max_blocks: Annotated[int, Field(ge=0)] | None


class _Mode(Spec):
    id: str
    duration: Annotated[int, Field(ge=0)]
    done: tuple[tuple[int, ...], ...] = ()


class _Target(Spec):
    name: str
    phase: int
    zone: int
    floor: NonNegative
    stretch: NonNegative | None
    stretch_price: NonNegative
    ceiling: NonNegative | None
    group: int
    measure: Measure
    project_min_mu: NonNegative
    milestone: int = 0


class _Block(Spec):
    min_mu: float
    max_mu: float
    within_zone: bool
    filler_max_share: Share
    max_villages: int | None


class _Group(Spec):
    name: str
    members: list[Any]


class _Resource(Spec):
    name: str
    unit: str
    use: list[Any]
    limits: tuple[float | None, ...]
    periods: tuple[str, ...] = ()
    timing: list[Any] | None = None


class _BlockRule(Spec):
    name: str
    unit: str
    amount: list[Any]
    least: float
    share_of: list[Any] | None
    modes: tuple[int, ...] | None


class _Fixed(Spec):
    parcels: tuple[int, ...]
    phase: int
    mode: int


class _Weights(Spec):
    perimeter_per_m: NonNegative


class _Limits(Spec):
    """Everything of a problem but its arrays."""

    format: Literal["land-consolidation-problem"]
    version: Literal[2]
    currency: str
    parcels: dict[str, list[Any]]
    adjacency: dict[str, list[Any]]
    links: dict[str, list[Any]]
    zones: tuple[str, ...]
    phases: tuple[_Phase, ...]
    targets: tuple[_Target, ...]
    block: _Block
    weights: _Weights
    modes: tuple[_Mode, ...]
    villages: tuple[str, ...]
    block_rules: tuple[_BlockRule, ...]
    resources: tuple[_Resource, ...]
    groups: tuple[_Group, ...]
    fixed: tuple[_Fixed, ...]
    rolling: bool
    before: tuple[_Fixed, ...] = ()
    change_settled: bool = False


def problem_to_dict(problem: Problem) -> dict[str, Any]:
    """JSON form of a problem (plain lists and numbers)."""
    parcels: dict[str, Any] = {"id": list(problem.parcel_ids)}
    parcels |= {name: getattr(problem, name).tolist() for name in PARCEL_ARRAYS}
    parcels |= {k: getattr(problem, k).tolist() for k in OPTIONAL_ARRAYS if getattr(problem, k) is not None}
    form = {
        "format": PROBLEM_FORMAT,
        "version": FORMAT_VERSION,
        "currency": problem.currency,
        "parcels": parcels,
        "adjacency": {"pairs": problem.pairs.tolist(), "shared_m": problem.shared_m.tolist()},
        "links": {"pairs": problem.link_pairs.tolist(), "gap_m": problem.gap_m.tolist()},
        "zones": list(problem.zones),
        "phases": [vars(p).copy() for p in problem.phases],
        "targets": [_without(vars(t), milestone=0) for t in problem.targets],
        "block": {
            "min_mu": problem.block_min_mu,
            "max_mu": problem.block_max_mu,
            "within_zone": problem.within_zone,
            "filler_max_share": problem.filler_max_share,
            "max_villages": problem.max_villages,
        },
        "weights": {"perimeter_per_m": problem.perimeter_per_m},
        "modes": [_without(vars(m) | {"done": [list(d) for d in m.done]}, done=[]) for m in problem.modes],
        "villages": list(problem.villages),
        "block_rules": [_rule_to_dict(r) for r in problem.block_rules],
        "resources": [_resource_to_dict(r) for r in problem.resources],
        "groups": [{"name": g.name, "members": g.members.tolist()} for g in problem.groups],
        "fixed": [_block_to_dict(b) for b in problem.fixed],
        "rolling": problem.rolling,
        "before": [_block_to_dict(b) for b in problem.before],
        "change_settled": problem.change_settled,
    }
    return _without(form, before=[], change_settled=False)


def _block_to_dict(block: Block) -> dict[str, Any]:
    return {"parcels": list(block.parcels), "phase": block.phase, "mode": block.mode}


def _without(entry: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """A copy without keys that have the value they have where they are absent."""
    return {k: v for k, v in entry.items() if k not in defaults or v != defaults[k]}


def _resource_to_dict(resource: Resource) -> dict[str, Any]:
    timing = None if resource.timing is None else resource.timing.tolist()
    entry = {
        "name": resource.name,
        "unit": resource.unit,
        "use": resource.use.tolist(),
        "limits": list(resource.limits),
        "periods": list(resource.periods),
        "timing": timing,
    }
    return _without(entry, periods=[], timing=None)


def _rule_to_dict(rule: BlockRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "unit": rule.unit,
        "amount": rule.amount.tolist(),
        "least": rule.least,
        "share_of": None if rule.share_of is None else rule.share_of.tolist(),
        "modes": None if rule.modes is None else list(rule.modes),
    }


def _array(data: Any, dtype: Any, where: str, length: int | None = None, width: int | None = None) -> NDArray[Any]:
    shape_text = "a list of numbers" if width is None else f"a list of {width}-tuples"
    try:
        array = np.asarray(data)
        if array.size == 0:
            array = np.empty((0,) if width is None else (0, width))
        good_kind = array.dtype.kind in ("b" if dtype is np.bool_ else "iu" if dtype is np.int64 else "iuf")
        good = (good_kind or array.size == 0) and array.ndim == (1 if width is None else 2)
    except (TypeError, ValueError):
        good = False
    if not good or (length is not None and len(array) != length) or (width is not None and array.shape[1] != width):
        found = f"{type(data).__name__} of length {len(data)}" if isinstance(data, list) else repr(data)[:60]
        expected = shape_text + (f" of length {length}" if length is not None else "") + f" ({np.dtype(dtype).name})"
        raise DataError(Issue(f"problem, {where}", found, expected, "Correct the file or write it again."))
    result = array.astype(dtype)
    if dtype is np.float64 and not np.isfinite(result).all():
        raise DataError(
            Issue(
                f"problem, {where}", "a number that is not finite", "finite numbers", "Unknown must be decided first."
            )
        )
    return result


def _limits(data: Any) -> _Limits:
    if not isinstance(data, dict) or data.get("format") != PROBLEM_FORMAT or data.get("version") != FORMAT_VERSION:
        has = (
            f"format {data.get('format')!r} version {data.get('version')!r}" if isinstance(data, dict) else "no object"
        )
        raise DataError(
            Issue(
                "problem",
                has,
                f"format {PROBLEM_FORMAT!r} version {FORMAT_VERSION}",
                "Use a problem.json written by this program.",
            )
        )
    try:
        # JSON, because strict mode then reads tuples and still refuses "12" for 12; NaN is refused by the models
        return _Limits.model_validate_json(json.dumps(data), strict=True)
    except (TypeError, ValueError) as error:
        if not isinstance(error, pydantic.ValidationError):
            raise DataError(
                Issue("problem", f"{type(error).__name__}: {error}", "plain JSON values", "Write the file again.")
            ) from error
        raise DataError([_issue(fault) for fault in error.errors()]) from error


def _issue(fault: Any) -> Issue:
    missing = fault["type"] == "missing"
    return Issue(
        f"problem, {'.'.join(str(part) for part in fault['loc'])}",
        f"no key {str(fault['loc'][-1])!r}" if missing else repr(fault["input"])[:60],
        "that key" if missing else fault["msg"],
        "Correct the file; its form is documented in problem-format.md.",
    )


def problem_from_dict(data: Any) -> Problem:
    """Read the JSON form and check it.

    Raises
    ------
    DataError
        Wrong format, missing or unknown keys, wrong types, lengths that do not agree, indices out of range.
    """
    limits = _limits(data)
    _require_known(limits)
    ids = tuple(str(i) for i in _list(limits.parcels, "id", "parcels"))
    arrays = {
        k: _array(_list(limits.parcels, k, "parcels"), t, f"parcels.{k}", len(ids)) for k, t in PARCEL_ARRAYS.items()
    }
    pairs = _array(_list(limits.adjacency, "pairs", "adjacency"), np.int64, "adjacency.pairs", width=2)
    links = _array(_list(limits.links, "pairs", "links"), np.int64, "links.pairs", width=2)
    shared = _list(limits.adjacency, "shared_m", "adjacency")
    n = len(ids)
    problem = Problem(
        parcel_ids=ids,
        **arrays,
        **_optional(limits.parcels, n, len(limits.modes)),
        pairs=pairs,
        shared_m=_array(shared, np.float64, "adjacency.shared_m", len(pairs)),
        link_pairs=links,
        gap_m=_array(_list(limits.links, "gap_m", "links"), np.float64, "links.gap_m", len(links)),
        zones=limits.zones,
        phases=tuple(Phase(**p.model_dump()) for p in limits.phases),
        targets=tuple(Target(**t.model_dump()) for t in limits.targets),
        block_min_mu=limits.block.min_mu,
        block_max_mu=limits.block.max_mu,
        within_zone=limits.block.within_zone,
        filler_max_share=limits.block.filler_max_share,
        perimeter_per_m=limits.weights.perimeter_per_m,
        currency=limits.currency,
        modes=tuple(Mode(**m.model_dump()) for m in limits.modes),
        villages=limits.villages,
        max_villages=limits.block.max_villages,
        block_rules=tuple(_rule(r, n) for r in limits.block_rules),
        resources=tuple(_resource(r, n) for r in limits.resources),
        groups=tuple(Group(g.name, _array(g.members, np.bool_, f"groups.{g.name}.members", n)) for g in limits.groups),
        fixed=_blocks(limits.fixed),
        rolling=limits.rolling,
        before=_blocks(limits.before),
        change_settled=limits.change_settled,
    )
    check_problem(problem)
    return problem


def _blocks(given: Iterable[_Fixed]) -> tuple[Block, ...]:
    return tuple(Block(tuple(sorted(b.parcels)), b.phase, b.mode) for b in given)


def _require_known(limits: _Limits) -> None:
    """Refuse arrays that mean nothing here: a misspelt optional one would be missed in silence."""
    issues = []
    for part, given, known in (
        ("parcels", limits.parcels, {"id", *PARCEL_ARRAYS, *OPTIONAL_ARRAYS}),
        ("adjacency", limits.adjacency, {"pairs", "shared_m"}),
        ("links", limits.links, {"pairs", "gap_m"}),
    ):
        issues += [
            Issue(f"problem, {part}", f"the unknown key {key!r}", f"one of {', '.join(sorted(known))}", "Correct it.")
            for key in sorted(set(given) - known)
        ]
    if issues:
        raise DataError(issues)


def _optional(parcels: dict[str, list[Any]], n: int, n_modes: int) -> dict[str, NDArray[Any]]:
    """Arrays by parcel that the file may leave out."""
    found = {}
    for name, dtype in OPTIONAL_ARRAYS.items():
        if name in parcels:
            width = n_modes if name.startswith("mode_") else None
            found[name] = _array(parcels[name], dtype, f"parcels.{name}", n, width)
    return found


def _rule(rule: _BlockRule, n: int) -> BlockRule:
    where = f"block_rules.{rule.name}"
    share_of = None if rule.share_of is None else _array(rule.share_of, np.float64, f"{where}.share_of", n)
    amount = _array(rule.amount, np.float64, f"{where}.amount", n)
    return BlockRule(rule.name, rule.unit, amount, rule.least, share_of, rule.modes)


def _resource(resource: _Resource, n: int) -> Resource:
    where = f"resources.{resource.name}"
    if resource.timing is None:
        use, timing = _array(resource.use, np.float64, f"{where}.use", n), None
    else:
        use = _nested(resource.use, f"{where}.use", 3, "parcel, mode and part")
        timing = _nested(resource.timing, f"{where}.timing", 4, "period, phase, mode and part")
    return Resource(resource.name, resource.unit, use, resource.limits, resource.periods, timing)


def _nested(data: list[Any], where: str, depth: int, what: str) -> NDArray[np.float64]:
    """Numbers in lists of equal length within lists; `check_problem` compares the lengths with the rest."""
    try:
        array = np.asarray(data)
        good = array.ndim == depth and array.size > 0 and array.dtype.kind in "iuf"
    except ValueError:
        good = False
    if not good:
        expected = f"numbers by {what}, in lists of equal length"
        raise DataError(Issue(f"problem, {where}", f"lists of length {len(data)}", expected, "Correct the file."))
    return array.astype(np.float64)


def _list(part: dict[str, list[Any]], key: str, where: str) -> list[Any]:
    if key not in part:
        raise DataError(
            Issue(f"problem, {where}", f"no key {key!r}", f"the key {key!r}", "See problem-format.md for all keys.")
        )
    return part[key]


def solution_to_dict(problem: Problem, plan: Plan) -> dict[str, Any]:
    """JSON form of a plan, by parcel id."""
    return {
        "format": SOLUTION_FORMAT,
        "version": FORMAT_VERSION,
        "status": plan.status,
        "stopped_by": plan.stopped_by,
        "currency": problem.currency,
        "objective": plan.objective,
        "bound": plan.bound,
        "bound_proof": plan.bound_proof,
        "gap": plan.gap,
        "gap_abs": plan.gap_abs,
        "rounds": plan.rounds,
        "repeatable": plan.repeatable,
        "blocks": [
            {
                "phase": block.phase + 1,
                "phase_id": problem.phases[block.phase].id,
                "mode": problem.modes[block.mode].id,
                "area_mu": float(problem.area_mu[list(block.parcels)].sum()),
                "parcel_ids": [problem.parcel_ids[i] for i in block.parcels],
            }
            for block in plan.blocks
        ],
        "trace": [vars(p).copy() for p in plan.trace],
    }
