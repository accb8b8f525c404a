"""Writes the example of ``money.md``: the payments of one block, from the first to the last, with every multiplication.

Run it after a change of the bundled tables of modes and figures, or of the payments: ``python -m docs.build_money``. A
test compares the page with what this module gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from benchmarks.figures import between_markers
from planner.mode_table import put_in_tables
from planner.modes.balance import cash_by_year, funding_balance, peak_gaps
from planner.modes.displayed import in_wan_yuan
from planner.modes.figures import constant, figure_fields
from planner.modes.flows import CENTS_PER_YUAN, payments
from planner.modes.lines import money_lines
from planner.modes.names import MILESTONE_NAMES, PARTY_NAMES, item_name
from planner.modes.space import new_space
from planner.modes.terms import Lines, MoneyLine, Timetable
from planner.problem import Block
from planner.spec_modes import MILESTONES, PARTIES, LineSpec, ModesSpec

PAGE: Final = Path(__file__).resolve().parent / "money.md"
BEGIN: Final = "<!-- money: begin -->"
END: Final = "<!-- money: end -->"
MODE: Final = "deferred_payment"
LAUNCH: Final = 2026.0
"""The end of 2026."""
PARCELS: Final = pd.DataFrame(
    {
        "area_mu": [9.0, 15.0, 6.0],
        "floor_area_m2": [1500.0, 2000.0, 500.0],
        "building_type": ["铁皮厂房", "砖混厂房", "框架厂房"],
        "ownership": ["集体", "集体", "国有"],
        "papers": ["完善", "历史用地", "无手续"],
    },
    index=pd.Index(["A", "B", "C"], name="parcel_id"),
)
T = TypeVar("T")
_NAMES: Final = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Example:
    """One block and everything that is worked out for it.

    `fields` are those of its parcels, with figures and what is built; `paid` is its table of payments.
    """

    modes: ModesSpec
    timetable: Timetable
    fields: pd.DataFrame
    lines: Lines
    paid: pd.DataFrame


def example() -> Example:
    """The block of all `PARCELS`, launched in the only phase."""
    tree: dict[str, Any] = {"modes": {"use": [MODE], "consent": {"holders": "1", "signed": "1"}}}
    put_in_tables(tree, {}, PAGE)
    modes = ModesSpec.model_validate(tree["modes"])
    (mode,) = modes.choices
    months = [0.0 if s == "launched" else constant(mode.months[s], modes.figures) for s in MILESTONES]
    timetable = Timetable((mode.id,), np.array([LAUNCH]), np.array([LAUNCH + 1]), np.array([months]))
    fields = figure_fields(PARCELS, modes.figures)
    space = new_space(modes, fields)
    lines = money_lines(modes, fields, timetable, space.new_floor_m2, space.net_area_mu)
    paid = payments(lines, timetable, [Block((0, 1, 2), 0)], ["block"])
    built = {"net_area_mu": space.net_area_mu[:, 0], "new_floor_m2": space.new_floor_m2[:, 0]}
    return Example(modes, timetable, fields.assign(**built), lines, paid)


def money_example() -> str:
    """The generated part of the page."""
    case = example()
    parts = (_land, _figures, _steps, _amounts, _years, _town, _parties, _balance)
    return "\n" + "\n\n".join("\n".join(part(case)) for part in parts) + "\n"


def _land(case: Example) -> Iterator[str]:
    mode = case.modes.choices[0]
    far, net = (_number(case.fields[str(q)].iloc[0]) for q in (mode.far, mode.net_share))
    yield f"Three parcels are one block, redeveloped by {mode.name_en.lower()} {mode.name_zh} (`{mode.id}`)."
    yield ""
    yield "### 1. What stands there, and what is built"
    yield ""
    yield f"Net land = area × {net} (`{mode.net_share}`); new floor = net land × 10 000 / 15 × {far} (`{mode.far}`)."
    yield ""
    header = ("parcel", "area, mu", "floor, m²", "building", "ownership", "papers", "net land, mu", "new floor, m²")
    columns = ["area_mu", "floor_area_m2", *PARCELS.columns[2:], "net_area_mu", "new_floor_m2"]
    rows = [(str(i), *(_cell(row[c]) for c in columns)) for i, row in case.fields.iterrows()]
    yield from _table(header, rows)


def _figures(case: Example) -> Iterator[str]:
    """Every figure that a payment or the land needs, with its source."""
    mode = case.modes.choices[0]
    texts = [mode.far, mode.net_share, *(t for s in mode.lines for t in (s.amount, s.share, s.months))]
    used = {name for text in texts for name in _NAMES.findall(str(text))}
    rows = [
        (f"`{name}`", _value(case, name), figure.unit, figure.source, figure.date)
        for name, figure in case.modes.figures.items()
        if name in used
    ]
    yield "### 2. The figures"
    yield ""
    yield from _table(("figure", "value", "unit", "source", "date"), rows)


def _value(case: Example, name: str) -> str:
    figure = case.modes.figures[name]
    if figure.value is not None:
        return _number(figure.value)
    return "; ".join(f"{i}: {_number(v)}" for i, v in case.fields[name].items())


def _steps(case: Example) -> Iterator[str]:
    year = int(LAUNCH)
    yield "### 3. When"
    yield ""
    yield f"The block is launched at the end of {year}: months 1 to 12 are the year {year + 1}, 13 to 24 {year + 2}."
    yield ""
    rows = [
        (MILESTONE_NAMES[step].en, MILESTONE_NAMES[step].zh, _number(month), str(_year_of(month)))
        for step, month in zip(MILESTONES, case.timetable.months[0].tolist(), strict=True)
        if step != "launched"
    ]
    yield from _table(("milestone", "", "months after the launch", "year"), rows)


def _year_of(month: float) -> int:
    return int(LAUNCH) + max(int(np.ceil(month / 12)), 1)


def _amounts(case: Example) -> Iterator[str]:
    """Every payment: what is multiplied with what."""
    yield "### 4. What is paid"
    yield ""
    yield "Each payment in yuan, parcel by parcel; numbers stand in the order of its expression in the table of modes."
    for k, line in enumerate(case.lines[0], start=1):
        spec = line.spec
        yield ""
        yield f"**({k}) {spec.name[0].upper()}{spec.name[1:]}**, {_who(spec)}, {_when(line)}:"
        yield ""
        if spec.amount is not None:
            yield f"`{spec.amount}`"
            yield ""
            yield from (
                f"- {i}: {_filled(spec.amount, row)} = {_number(yuan)}"
                for (i, row), yuan in zip(case.fields.iterrows(), line.amount_yuan.tolist(), strict=True)
            )
        else:
            numbers = [str(j) for j, other in enumerate(case.lines[0], start=1) if other.spec.name in spec.of]
            before = sum(x.amount_yuan.sum() for x in case.lines[0] if x.spec.name in spec.of)
            share = _filled(str(spec.share), case.fields.iloc[0])
            yield f"`{spec.share}` of payment{'s' * (len(numbers) > 1)} {', '.join(numbers)}"
            yield ""
            yield f"- {share} × {_number(before)} = {_number(line.amount_yuan.sum())}"
        yield ""
        yield f"Together **{_yuan(_cents_of(case, line))}**."


def _who(spec: LineSpec) -> str:
    paid = "" if spec.outlay is None else item_name(spec.outlay, "outlay").zh
    received = "" if spec.income is None else item_name(spec.income, "income").zh
    rows = " → ".join(text or "–" for text in (paid, received))
    return f"{PARTY_NAMES[spec.payer].en.lower()} to {PARTY_NAMES[spec.payee].en.lower()} ({rows})"


def _when(line: MoneyLine) -> str:
    if line.first_month == line.last_month:
        return f"at once at the end of month {_number(line.first_month)}"
    begin = f"the end of month {_number(line.first_month)}" if line.first_month else "the launch"
    return f"evenly from {begin} to the end of month {_number(line.last_month)}"


def _filled(text: str, row: pd.Series[Any]) -> str:
    """The expression with numbers in place of names."""
    return _NAMES.sub(lambda name: _number(row[name.group()]), text).replace("*", "×")


def _cents_of(case: Example, line: MoneyLine) -> int:
    return int(case.paid.loc[case.paid["line"] == line.spec.name, "amount_cents"].sum())


def _years(case: Example) -> Iterator[str]:
    yield "### 5. From months to years"
    yield ""
    yield "Where it is spread: payment × months in the year / all its months; running sums are rounded to the cent."
    yield "Years of the same amount stand in one row; each has that amount."
    yield ""
    rows = []
    for k, line in enumerate(case.lines[0], start=1):
        mine = case.paid[case.paid["line"] == line.spec.name]
        for years, cents in _runs(mine["year"].tolist(), mine["amount_cents"].tolist()):
            rows.append((f"({k})", line.spec.name, _part(line, years[0]), _span(years), _yuan(cents)))
    yield from _table(("", "payment", "part", "year", "yuan"), rows)
    empty = [x.spec.name for x in case.lines[0] if _cents_of(case, x) == 0]
    if empty:
        yield ""
        yield f"Nothing is paid as long as its figure is 0: {', '.join(empty)}."


def _runs(years: Sequence[int], amounts: Sequence[T]) -> list[tuple[list[int], T]]:
    """Years that follow each other with the same amounts."""
    runs: list[tuple[list[int], T]] = []
    for year, amount in zip(years, amounts, strict=True):
        if runs and runs[-1][1] == amount and runs[-1][0][-1] == year - 1:
            runs[-1][0].append(year)
        else:
            runs.append(([year], amount))
    return runs


def _span(years: Sequence[int]) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"


def _part(line: MoneyLine, year: int) -> str:
    """Months of a payment in a year."""
    whole = line.last_month - line.first_month
    if whole == 0:
        return "all"
    begin, end = 12 * (year - 1 - LAUNCH), 12 * (year - LAUNCH)
    inside = min(line.last_month, end) - max(line.first_month, begin)
    return f"{_number(inside)}/{_number(whole)}"


def _town(case: Example) -> Iterator[str]:
    cash = cash_by_year(case.paid)
    town = cash[cash["party"] == "town"]
    peaks = peak_gaps(case.paid)
    ((gap, year),) = peaks.loc[peaks["party"] == "town", ["peak_gap_yuan", "year"]].to_numpy().tolist()
    yield "### 6. The town, year by year"
    yield ""
    columns = ("paid_cents", "received_cents", "net_cents", "cumulative_cents")
    moving = town[town["year"] <= town.loc[town["net_cents"] != 0, "year"].max()]
    rows = [(str(row["year"]), *(_yuan(row[c]) for c in columns)) for _, row in moving.iterrows()]
    yield from _table(("year", "paid", "received", "received − paid", "so far"), rows)
    yield ""
    gap_text = _yuan(round(gap * CENTS_PER_YUAN))
    yield f"The lowest figure of the last column is the town's peak gap: **{gap_text} yuan at the end of {int(year)}**."


def _parties(case: Example) -> Iterator[str]:
    cash = cash_by_year(case.paid)
    nets = cash.pivot_table(index="year", columns="party", values="net_cents", aggfunc="sum")[list(PARTIES)]
    yield "### 7. All parties"
    yield ""
    yield "Received less paid. Every yuan comes from one party and goes to another: every row adds up to 0."
    yield ""
    rows = [
        (_span(years) + (", each" if len(years) > 1 else ""), *map(_yuan, row), _yuan(sum(row)))
        for years, row in _runs(nets.index.tolist(), nets.to_numpy().tolist())
    ]
    total = nets.to_numpy().sum(axis=0).tolist()
    rows.append(("together", *map(_yuan, total), _yuan(sum(total))))
    yield from _table(("year", *(PARTY_NAMES[p].en.lower() for p in PARTIES), "sum"), rows)


def _balance(case: Example) -> Iterator[str]:
    balance = funding_balance(case.paid, ("town",))
    shown = in_wan_yuan(balance, ("town",))
    last = int(case.paid.loc[(case.paid["payer"] == "town") | (case.paid["payee"] == "town"), "year"].max())
    columns = [*(str(y) for y in range(int(case.paid["year"].min()), last + 1)), "total"]
    yield "### 8. The town's funding balance 资金平衡表"
    yield ""
    yield (
        "In 万元 (10 000 yuan), rows with money only; rounded by largest remainders, so that what is displayed adds up."
    )
    yield ""
    used = shown[[bool(any(v for v in row)) for row in shown[columns].to_numpy().tolist()]]
    rows = [(row["name_zh"], row["name_en"], *(_wan(row[c]) for c in columns)) for _, row in used.iterrows()]
    yield from _table(("", "", *columns), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'|'.join('---' for _ in header)}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: Any) -> str:
    """A number with its decimals, as short as it can be; beyond the sixth they are noise."""
    text = f"{float(value):,.6f}".rstrip("0").rstrip(".")
    return text.replace(",", " ").replace("-", "−")


def _yuan(cents: int) -> str:
    text = f"{Decimal(int(cents)) / CENTS_PER_YUAN:,.2f}".removesuffix(".00")
    return text.replace(",", " ").replace("-", "−")


def _wan(value: Decimal | int | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:,.2f}".replace(",", " ").replace("-", "−")


def main() -> None:
    """Write the page."""
    page = between_markers(PAGE.read_text(encoding="utf-8"), money_example(), BEGIN, END)
    PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
