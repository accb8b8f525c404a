"""Rules about what a solution claims: objective, bound, gap, areas of blocks and the way there."""

from __future__ import annotations

from itertools import pairwise

from planner.check.arrays_case import AREA_MU, CLAIM, WORTH, Case, JudgedBlock
from planner.check.outcome import Outcome, finding


def figures(case: Case) -> Outcome:
    """The area written for a block is that of its parcels; the currency is that of the problem."""
    findings = []
    for b in case.blocks:
        written, area = case.answer.blocks[b.number - 1].area_mu, case.area(b)
        if abs(written - area) > max(AREA_MU, CLAIM * area):
            message = f"Block {b.name}: area_mu is {written:.10g}, its parcels give {area:.10g}."
            ids = case.ids(b.parcels.tolist())
            findings.append(finding("figures", message, ids, block_id=b.name, measured=area, limit=written, unit="mu"))
    asked, said = str(case.question.data["currency"]), case.answer.currency
    if asked != said:
        findings.append(finding("figures", f"The solution counts in {said}, the problem in {asked}."))
    return Outcome(len(case.blocks), findings)


def worth_of(case: Case) -> tuple[float, float]:
    """Objective of the blocks, and the sum of the sizes of its terms, in currency."""
    terms = [term for b in case.blocks for term in _block_terms(case, b)]
    for target in case.question.data["targets"]:
        if target["stretch"]:
            missing = max(0.0, float(target["stretch"]) - case.counted(target))
            terms.append(-float(target["stretch_price"]) * missing)
    terms += _change_terms(case)
    return sum(terms), sum(abs(t) for t in terms)


def _block_terms(case: Case, block: JudgedBlock) -> list[float]:
    """Discounted benefit, discounted cost, price of the perimeter of a block."""
    question = case.question
    inside = set(block.parcels.tolist())
    twice_shared = sum(shared for i in inside for j, shared in case.near[i].items() if j in inside)
    perimeter = float(question.perimeter_m[block.parcels].sum()) - twice_shared
    discount = float(question.phases[block.phase]["discount"])
    return [
        discount * float(question.benefit[block.parcels, block.mode].sum()),
        -discount * case.cost(block),
        -float(question.data["weights"]["perimeter_per_m"]) * perimeter,
    ]


def _change_terms(case: Case) -> list[float]:
    """−price of each parcel that is not as it was in the plan before; what is settled is given back."""
    question, price = case.question, case.question.change_price
    if price is None:
        return []
    then: dict[int, tuple[int, int]] = {}
    for k, b in enumerate(question.data.get("before", ())):
        members = question.ints(b["parcels"], f"before[{k}].parcels", (None,)).tolist()
        then |= dict.fromkeys(members, (int(b["phase"]), int(b["mode"])))
    now = {i: (b.phase, b.mode) for b in case.blocks for i in b.parcels.tolist()}
    terms = [-float(price[i]) for i in range(question.n) if now.get(i) != then.get(i)]
    settled = bool(question.data.get("change_settled", False))
    return terms + [float(price[i]) for i in then if settled and 0 <= i < question.n]


def objective(case: Case) -> Outcome:
    """The claimed objective is what the blocks are worth."""
    worth, gross = worth_of(case)
    claimed, currency = case.answer.objective, str(case.question.data["currency"])
    findings = []
    if abs(worth - claimed) > WORTH * max(1.0, gross):
        message = f"The objective is said to be {claimed:.10g} {currency}; the blocks are worth {worth:.10g}."
        findings.append(finding("objective", message, measured=worth, limit=claimed, unit=currency))
    return Outcome(1, findings, {"objective": worth})


def bound(case: Case) -> Outcome:
    """Bound ≥ claimed and recomputed objective; the gaps follow from them; nothing open is called optimal."""
    answer, currency = case.answer, str(case.question.data["currency"])
    worth, gross = worth_of(case)
    size = max(1.0, abs(answer.bound), abs(answer.objective), gross)
    findings = []
    for value in (answer.objective, worth):
        if value > answer.bound + WORTH * size:
            message = f"The bound {answer.bound:.10g} {currency} is below the objective {value:.10g}."
            findings.append(finding("bound", message, measured=value, limit=answer.bound, unit=currency))
            break
    absolute = answer.bound - answer.objective
    if abs(absolute - answer.gap_abs) > CLAIM * max(1.0, abs(absolute)):
        message = f"gap_abs is {answer.gap_abs:.10g}, bound and objective give {absolute:.10g} {currency}."
        findings.append(finding("bound", message, measured=absolute, limit=answer.gap_abs, unit=currency))
    gap = absolute / abs(answer.objective) if answer.objective != 0 else None
    if (gap is None) != (answer.gap is None) or (
        gap is not None and answer.gap is not None and abs(gap - answer.gap) > CLAIM * max(1.0, abs(gap))
    ):
        message = f"gap is {answer.gap}, bound and objective give {gap}."
        findings.append(finding("bound", message, measured=gap, limit=answer.gap, unit="share"))
    if answer.status == "optimal" and absolute > CLAIM * size:
        message = f"The plan is called optimal, but the bound stands {absolute:.10g} {currency} above it."
        findings.append(finding("bound", message, measured=absolute, limit=0.0, unit=currency))
    return Outcome(1, findings, {"gap": gap} if gap is not None else {})


def trace(case: Case) -> Outcome:
    """On the way, plans only got better, bounds only lower, and no bound was below the plan at the end."""
    answer, findings = case.answer, []
    slack = WORTH * max(1.0, abs(answer.bound), worth_of(case)[1])
    currency = str(case.question.data["currency"])
    for before, after in pairwise(answer.trace):
        if before.objective is not None and (after.objective is None or after.objective < before.objective - slack):
            message = f"After {after.seconds:.2f} s the best plan got worse than {before.objective:.10g} {currency}."
            findings.append(finding("trace", message, measured=after.objective, limit=before.objective, unit=currency))
        if before.bound is not None and (after.bound is None or after.bound > before.bound + slack):
            message = f"After {after.seconds:.2f} s the bound rose from {before.bound:.10g} to {after.bound}."
            findings.append(finding("trace", message, measured=after.bound, limit=before.bound, unit=currency))
    for point in answer.trace:
        if point.bound is not None and point.bound < answer.objective - slack:
            message = f"After {point.seconds:.2f} s the bound {point.bound:.10g} was below the plan that followed."
            findings.append(finding("trace", message, measured=point.bound, limit=answer.objective, unit=currency))
    return Outcome(len(answer.trace), findings)
