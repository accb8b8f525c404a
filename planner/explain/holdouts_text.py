"""Hold-outs and robust plans as text for people."""

from __future__ import annotations

from geodata.errors import list_ids
from planner.explain.consent import ConsentTest
from planner.explain.holdouts import HoldOut, HoldOuts
from planner.explain.robust import Margin, Robust
from planner.explain.text import interval, percent, table

_SHOWN = 12


def shortfall_text(row: HoldOut) -> str:
    """What a refusal breaks beyond its block; empty where what is left is a plan still."""
    parts = [s.in_words for s in row.shortfalls]
    if row.locks_lost:
        parts.append(f"locked parcels lost: {list_ids(row.locks_lost)}")
    return "; ".join([*parts, *row.splits])


def holdouts_text(answer: HoldOuts) -> str:
    """Refusals, the worst first; tests of consent; the robust plan."""
    lines = [*_summary(answer), "", *_refusals(answer)]
    if answer.consent:
        lines += ["", *_consent(answer.consent)]
    if answer.robust is not None:
        lines += ["", *_robust(answer.robust, answer.problem.currency)]
    lines += [f"Note: {note}." for note in answer.notes]
    return "\n".join(lines)


def _summary(answer: HoldOuts) -> list[str]:
    rows = answer.holdouts
    breaking = [r for r in rows if not r.stands]
    harmful = [r for r in rows if not r.harmless]
    most = "" if answer.bound is None else f", no plan more than {answer.bound:,.0f}"
    return [
        f"The plan is worth {answer.objective:,.0f} {answer.problem.currency}{most}. "
        f"Of {len(rows)} parcels, if the owners of one refuse and nothing else is done,",
        f"  {len(rows) - len(breaking)} leave a block that stands, {len(breaking)} break theirs;",
        f"  {len(rows) - len(harmful)} leave a plan that keeps every limit, {len(harmful)} do not;",
        f"  for {answer.asked} the solver was asked what going round them costs.",
    ]


def _refusals(answer: HoldOuts) -> list[str]:
    header = ("parcel", "block", "own mu", "lost mu", "still a block, mu", "price of going round it", "then")
    rows = [_cells(r, answer.problem.currency) for r in answer.holdouts[:_SHOWN]]
    if not rows:
        return ["No parcel of the plan is asked about."]
    width = [max(len(r[c]) for r in (header, *rows)) for c in range(6)]
    lines = []
    for r in (header, *rows):
        cells = [r[c].ljust(width[c]) if c < 2 else r[c].rjust(width[c]) for c in range(6)]
        lines.append(f"  {'  '.join(cells)}  {r[6]}")
    left = len(answer.holdouts) - _SHOWN
    return lines + [f"  … and {left} more, in the files and with --json"] * (left > 0)


def _cells(r: HoldOut, currency: str) -> tuple[str, ...]:
    mark = {"fixed": " (fixed)", "locked": " (locked)"}.get(r.kind, "")
    part = f"{'' if r.part_largest else 'at least '}{r.part_mu:,.2f}"
    then = r.reason if r.stands else f"broken: {r.reason}"
    beyond = shortfall_text(r)
    return (
        r.parcel_id + mark,
        r.block,
        f"{r.area_mu:,.2f}",
        f"{r.lost_mu:,.2f}",
        part,
        _price(r, currency),
        f"{then}; {beyond}" if beyond else then,
    )


def _price(r: HoldOut, currency: str) -> str:
    if r.verdict == "infeasible":
        return "proven: no plan"
    known = interval(r.price, currency)
    if r.verdict in {"not_asked", "no_plan"}:
        why = "not asked" if r.verdict == "not_asked" else "no plan found in time"
        return why if r.price.high is None else f"{known} ({why})"
    return known


def _consent(tests: tuple[ConsentTest, ...]) -> list[str]:
    rows = [
        (
            t.block + (" (fixed)" if t.fixed else ""),
            t.rule,
            t.mode,
            "–" if t.share is None else f"{t.share:.1%}",
            f"{t.least_share:.1%}",
            f"{t.slack:,.2f} {t.unit}",
            "never" if t.fewest is None else str(t.fewest),
            str(len(t.critical)),
            list_ids(t.critical) or "–",
        )
        for t in tests[:_SHOWN]
    ]
    header = ("block", "test", "mode", "has", "asked", "slack", "fails without", "alone", "any one of")
    lines = ["Consent, least slack first (agreements withdrawn while the parcels stay in the block):"]
    lines += table(header, rows, 3)
    return lines + [f"  … and {len(tests) - _SHOWN} more"] * (len(tests) > _SHOWN)


def _robust(robust: Robust, currency: str) -> list[str]:
    who = f"any one of {list_ids(robust.protects)}" if robust.protects else "any one of its parcels"
    if robust.plan is None:
        if robust.status == "proven_none":
            lines = [f"Proven: no plan bears the refusal of {who}."]
        else:
            lines = [f"No plan that bears the refusal of {who} was found in time ({robust.rounds} plans judged)."]
            lines.append("  That is no proof that there is none: give --time-limit more seconds, or lower a target.")
        return [*lines, *_margins(robust.margins, "The plan in hand, limit by limit:")]
    if robust.status == "already":
        lines = [f"The plan bears the refusal of {who}."]
    else:
        lines = [f"A plan that bears the refusal of {who} is worth {robust.plan.objective:,.0f} {currency}."]
    proof = "a program over all possible blocks" if robust.proof == "blocks" else "the bound of all plans"
    if robust.bound is not None:
        lines.append(f"  no such plan is worth more than {robust.bound:,.0f} {currency}: {proof}")
    share = "" if robust.share.high is None else f" ({percent(robust.share)})"
    lines.append(f"  bearing it costs {interval(robust.price, currency)}{share}")
    if robust.locks_lost:
        lines.append(f"  {robust.locks_lost} refusals take other locked parcels along")
    if robust.splits:
        lines.append(f"  after {robust.splits} refusals what is taken is not one area any more")
    return [*lines, *_margins(robust.margins, "Limit by limit:")]


def _margins(margins: tuple[Margin, ...], title: str) -> list[str]:
    rows = [
        (
            m.name,
            f"{'at most' if m.over else 'at least'} {m.limit:,.2f} {m.unit}",
            f"{m.reached:,.2f}",
            f"{m.worst:,.2f}",
            m.parcel_id or "–",
        )
        for m in margins
    ]
    return [title, *table(("sum", "limit", "plan", "after the worst refusal", "whose"), rows)] if rows else []
