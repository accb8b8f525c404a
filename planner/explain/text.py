"""Answers as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.errors import list_ids
from planner.explain.alternatives import Alternatives
from planner.explain.asking import Interval
from planner.explain.evaluate import Evaluation
from planner.explain.infeasible import InfeasibleAnswer, TargetReach
from planner.explain.parcel import ParcelAnswer
from planner.explain.price import PriceList
from planner.explain.relaxing import Suggestion
from planner.explain.stability import Stability

_ASKED = {
    "no_plan": "no plan found in time",
    "not_asked": "not asked: no time left",
    "infeasible": "proven: no plan",
}
_SHOWN = 12


def interval(value: Interval, unit: str, decimals: int = 0) -> str:
    """``12 CNY``, ``10 to 12 CNY``, ``at least 10 CNY``, ``at most 12 CNY`` or ``unknown``."""

    def number(v: float) -> str:
        return f"{0.0 if abs(v) < 0.5 * 10**-decimals else v:,.{decimals}f}"

    low, high = value.low, value.high
    if low is None and high is None:
        return "unknown"
    if low is None or high is None:
        side, one = ("at most", high) if low is None else ("at least", low)
        return f"{side} {number(one or 0.0)} {unit}".rstrip()
    if number(low) == number(high):
        return f"{number(high)} {unit}".rstrip()
    return f"{number(low)} to {number(high)} {unit}".rstrip()


def percent(value: Interval) -> str:
    """An interval of shares."""
    return interval(Interval(*(None if v is None else 100 * v for v in (value.low, value.high))), "%", 2)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines of a plain table; the first `left` columns stand left, the others right."""
    widths = [max(len(r[c]) for r in (header, *rows)) for c in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        return (
            "  "
            + "  ".join(
                cell.ljust(w) if c < left else cell.rjust(w)
                for c, (cell, w) in enumerate(zip(cells, widths, strict=True))
            ).rstrip()
        )

    return [line(header), *(line(r) for r in rows)]


def evaluation_text(answer: Evaluation) -> str:
    """Verdict, findings or distance from the bound, cut parcels."""
    lines = []
    if answer.passed:
        lines.append(f"These {len(answer.blocks)} blocks are a plan: they keep every rule and reach every target.")
        lines.append(f"  worth {answer.objective:,.0f} {answer.currency}")
        if answer.bound is not None and answer.best_adds is not None:
            share = f" ({answer.best_adds / abs(answer.objective):.2%})" if answer.objective else ""
            lines.append(f"  no plan is worth more than {answer.bound:,.0f}: proven by {answer.bound_proof}")
            lines.append(f"  the best plan would add {answer.best_adds:,.0f} {answer.currency} at most{share}")
    else:
        lines.append(f"These blocks are no plan: {len(answer.findings)} findings.")
    for f in answer.findings:
        figures = f" [measured {f.measured:,.2f}, limit {f.limit:,.2f} {f.unit}]" if _both(f.measured, f.limit) else ""
        ids = f" Parcels: {list_ids(f.parcel_ids)}." if f.parcel_ids else ""
        lines.append(f"  {f.severity} ({f.rule}) {f.message}{figures}{ids}")
    rows = [(b.label, b.name, b.phase, f"{b.area_mu:,.2f}", str(len(b.parcel_ids))) for b in answer.blocks]
    lines += ["", *table(("block", "name", "phase", "mu", "parcels"), rows, 3)]
    if answer.cut:
        lines += ["", f"{len(answer.cut)} parcels are cut by a drawn line; each goes where most of it lies:"]
        for c in answer.cut[:_SHOWN]:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in c.shares.items())
            lines.append(f"  {c.parcel_id}: {shares} → {c.given_to or 'no block'}")
        lines += [f"  … and {len(answer.cut) - _SHOWN} more"] * (len(answer.cut) > _SHOWN)
    lines += [f"Note: {note}." for note in answer.notes]
    return "\n".join(lines)


def _both(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None


def infeasible_text(answer: InfeasibleAnswer) -> str:
    """Targets and how far they go, then what would help."""
    lines = [answer.message]
    if answer.targets:
        rows = [
            (
                t.target,
                f"{t.asked:,.2f}",
                _reach(t),
                "–" if t.together is None else f"{t.together:,.2f}",
                _lower(t),
                t.unit,
            )
            for t in answer.targets
        ]
        header = ("target", "asked", "reachable alone", "in the best draft", "lower it alone by", "unit")
        lines += ["", *table(header, rows)]
    enough = [s for s in answer.suggestions if s.suffices]
    if enough:
        lines += ["", "Any one of these makes a plan possible (found and checked):"]
        lines += [f"  - {_suggestion(s)}" for s in enough]
    partial = [s for s in answer.suggestions if not s.suffices]
    if partial:
        lines += ["", "These help, but are not shown to be enough:"]
        lines += [f"  - {s.text}: saves {interval(s.gain, answer.unit, 2)}" for s in partial]
    if answer.state in {"infeasible", "blocked", "open"} and not answer.suggestions:
        lines += ["", "No single change that was tried helps."]
    if answer.unfinished:
        lines += ["", f"Stopped after {answer.tried} questions: give --time-limit more seconds for the rest."]
    return "\n".join(lines)


def _reach(t: TargetReach) -> str:
    if t.alone.low is not None and t.alone.low >= t.asked - 1e-4:
        return "reachable"
    return interval(t.alone, "", 2)


def _lower(t: TargetReach) -> str:
    if t.lower_verdict == "not_enough":
        return "not enough"
    return interval(t.lower_by, "", 2) if t.lower_verdict == "enough" else "not settled"


def _suggestion(s: Suggestion) -> str:
    if s.amount.low is not None and s.amount.high is not None and not s.amount.is_exact:
        return f"{s.text} (at least {s.amount.low:,.2f} {s.unit} is proven to be needed)"
    return s.text


def parcel_text(answer: ParcelAnswer) -> str:
    """Where it is, why, the loss when forced, and its surroundings."""
    where = f"in block {answer.block}, phase {answer.phase}" if answer.block is not None else "not in the plan"
    lines = [f"Parcel {answer.parcel_id} ({answer.area_mu:,.2f} mu) is {where}."]
    lines += [f"  why: {reason}" for reason in answer.reasons]
    if answer.forced is not None:
        lifted = f", lifting {' and '.join(answer.lifted)}" if answer.lifted else ""
        what = f"Forced {answer.forced}{lifted}"
        if answer.verdict == "infeasible":
            lines.append(f"{what}: no plan exists. {answer.message}")
        elif answer.loss.high is None:
            known = interval(answer.loss, answer.currency)
            lines.append(f"{what}: {_ASKED.get(answer.verdict, answer.verdict)}; the plan loses {known}.")
        else:
            lines.append(f"{what}: the plan loses {interval(answer.loss, answer.currency)}.")
    if answer.would_join:
        others = [i for i in answer.would_join if i != answer.parcel_id]
        lines.append(
            f"  it would then be in a block of {len(answer.would_join)} parcels in {answer.would_join_phase}, with "
            f"{list_ids(others) or 'no other'}"
        )
    for j in answer.joins:
        verdict = "; ".join(j.faults) if j.faults else "keeps the rules for blocks"
        lines.append(f"  joining {j.block} ({j.area_mu:,.2f} mu with it): {j.adds:+,.0f} {answer.currency}; {verdict}")
    rows = [
        (n.parcel_id, "bridge" if n.shared_m == 0 else f"{n.shared_m:,.1f}", n.block or "–") for n in answer.neighbours
    ]
    lines += ["", *table(("neighbour", "shared m", "block"), rows)] if rows else ["  it has no neighbours"]
    return "\n".join(lines)


def price_text(answer: PriceList) -> str:
    """What each rule costs, dearest first, and prices at the margin."""
    most = "" if answer.bound is None else f", no plan more than {answer.bound:,.0f}"
    lines = [
        f"The plan is worth {answer.objective:,.0f} {answer.currency}{most}. Without one rule the best plan gains:",
        "",
    ]
    rows = [
        (
            p.key,
            interval(p.loss, answer.currency) if p.verdict not in _ASKED else _ASKED[p.verdict],
            percent(p.share) if p.verdict not in _ASKED else "",
            p.title,
        )
        for p in answer.rules
    ]
    width = [max(len(r[c]) for r in (("rule", "gain", "", ""), *rows)) for c in range(3)]
    lines += [f"  {a.ljust(width[0])}  {b.rjust(width[1])}  {c.rjust(width[2])}  {d}" for a, b, c, d in rows]
    if answer.margins:
        how = "over all possible blocks" if answer.margins_exact else "over the blocks met by a search: an estimate"
        lines += ["", f"At the margin ({how}):"]
        lines += [f"  {m.title} {m.price:,.4g} {m.unit}" for m in answer.margins]
    return "\n".join(lines)


def alternatives_text(answer: Alternatives) -> str:
    """The plans, and the parcels that are in all or only in some."""
    what = "land taken" if answer.by == "land" else "land or its phase"
    if not answer.found:
        return f"No other plan within {answer.within:.2%} of the plan was found ({what})."
    kind = "all possible blocks" if answer.complete else "the blocks met by a search"
    lines = [f"{len(answer.found)} plans within {answer.within:.2%} that differ most ({what}; chosen from {kind}):", ""]
    currency = answer.problem.currency
    rows = [
        (
            a.name,
            f"{a.plan.objective:,.0f}",
            f"{a.loss:,.0f} ({a.loss_share:.2%})",
            f"{a.differs_mu:,.2f}",
            f"{a.nearest_mu:,.2f}",
            str(len(a.plan.blocks)),
        )
        for a in answer.found
    ]
    header = ("plan", f"worth, {currency}", "loss", "differs, mu", "from nearest, mu", "blocks")
    lines += table(header, rows)
    share, area = answer.importance, answer.problem.area_mu
    always = share >= 1 - 1e-9
    some = (share > 0) & ~always
    lines += ["", f"In every plan: {int(always.sum())} parcels, {area[always].sum():,.2f} mu."]
    lines.append(f"Only in some: {int(some.sum())} parcels, {area[some].sum():,.2f} mu.")
    ids = answer.problem.parcel_ids
    ranked = sorted(((share[i], ids[i]) for i in range(len(ids)) if some[i]), key=lambda x: (-x[0], x[1]))
    lines += [f"  {i}: in {v:.0%} of the plans" for v, i in ranked[:_SHOWN]]
    lines += [f"  … and {len(ranked) - _SHOWN} more"] * (len(ranked) > _SHOWN)
    return "\n".join(lines)


def stability_text(answer: Stability) -> str:
    """Blocks by how often they survive, then the scenarios."""
    asked = sum(s.verdict not in {"not_asked", "no_plan"} for s in answer.scenarios)
    lines = [f"Blocks that survive small changes of weights ({asked} of {len(answer.scenarios)} changes answered):", ""]
    ranked = sorted(answer.blocks, key=lambda b: (b.survives or 0.0, b.same_phase or 0.0, b.block))
    rows = [
        (b.block, b.phase, f"{b.area_mu:,.2f}", _share(b.survives), _share(b.same_phase), list_ids(b.lost_in))
        for b in ranked
    ]
    width = max((len(r[0]) for r in rows), default=5)
    lines.append(f"  {'block'.ljust(width)}  phase  {'mu':>10}  survives  same phase  lost under")
    lines += [
        f"  {name.ljust(width)}  {phase:<5}  {mu:>10}  {s:>8}  {p:>10}  {lost}".rstrip()
        for name, phase, mu, s, p, lost in rows
    ]
    lines += ["", "Changes:"]
    table_rows = [
        (
            s.name,
            _ASKED.get(s.verdict, f"{s.surviving} of {len(answer.blocks)}"),
            "–" if s.moved_mu is None else f"{s.moved_mu:,.2f}",
            "no plan any more" if s.plan_worth is None else f"{s.plan_worth:,.0f}",
            "–" if s.gain_share is None else f"{s.gain_share:+.3%}",
        )
        for s in answer.scenarios
    ]
    header = ("change", "blocks kept", "moved, mu", f"the plan then, {answer.currency}", "another is better by")
    lines += table(header, table_rows)
    lines += [f"Note: {note}." for note in answer.notes]
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
