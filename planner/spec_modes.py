"""Configuration of redevelopment modes: who pays what to whom and when, who must agree, where firms go, what is built.

Money, months and shares are *figures*: each has a unit, a source and a date, and stands in a table that can be edited
(`planner tables`). Modes refer to them by name, in expressions.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from geodata.spec_base import NonNegative, Positive, Spec

Expression = Annotated[str, Field(min_length=1, max_length=2000)]
Quantity = float | Expression
"""A number, or an expression over figures (and, where stated, parcel fields)."""

Milestone = Literal["launched", "signed", "demolished", "levelled", "accepted", "supplied", "started", "built"]
"""Steps of a block in order: launched is month 0, the others come after the months of the mode."""
MILESTONES: Final[tuple[Milestone, ...]] = get_args(Milestone)

Party = Literal["town", "city", "collective", "owner", "developer", "outside"]
"""Who pays or receives. `outside` is everybody else: contractors, tenants, banks, buyers, higher governments."""
PARTIES: Final[tuple[Party, ...]] = get_args(Party)

Item = Literal[
    "land_compensation",
    "building_compensation",
    "relocation",
    "transition",
    "lease_remainder",
    "demolition",
    "soil_survey",
    "preliminary",
    "infrastructure",
    "rebuilt_property",
    "finance",
    "contingency",
    "land_price",
    "levy",
    "construction",
    "land_sale",
    "property_sale",
    "rent",
    "grant",
    "compensation",
]
"""Rows of the funding balance table. The payer books a line under one of them as an outlay, the payee as an income."""
ITEMS: Final[tuple[Item, ...]] = get_args(Item)


class FigureSpec(Spec):
    """A number with its source, or one number for each value of a parcel field."""

    value: float | None = Field(default=None, description="The number; absent where `by` is given.")
    by: str | None = Field(default=None, description="Field whose text chooses the number, e.g. `building_type`.")
    values: dict[str, float] | None = Field(default=None, description="With `by`: text → number; others are unknown.")
    unit: str = Field(default="", description="Unit, for people.")
    source: str = Field(min_length=1, description="Where the number comes from; `judgement` for an estimate.")
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")] = Field(
        description="Its date: YYYY, YYYY-MM or YYYY-MM-DD."
    )
    note: str | None = Field(default=None, description="Remark.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.value is None) == (self.by is None) or (self.by is None) != (self.values is None):
            raise ValueError("give either `value`, or `by` and `values`")
        return self


class LineSpec(Spec):
    """One payment: an amount of yuan by parcel, from a payer to a payee, at one time or spread over a time."""

    name: str = Field(min_length=1, description="Name of the line; each its own within a mode.")
    payer: Party = Field(description="Who pays.")
    payee: Party = Field(description="Who receives.")
    outlay: Item | None = Field(default=None, description="Row under which the payer books it; absent for `outside`.")
    income: Item | None = Field(default=None, description="Row under which the payee books it; absent for `outside`.")
    amount: Expression | None = Field(
        default=None, description="Yuan of a parcel, over fields, figures, `new_floor_m2` and `net_area_mu`."
    )
    share: Quantity | None = Field(
        default=None, description="Instead of `amount`: this share of the lines named in `of`."
    )
    of: tuple[str, ...] = Field(default=(), description="With `share`: names of earlier lines of the mode.")
    at: Milestone | None = Field(default=None, description="When it is paid at once.")
    start: Milestone | None = Field(default=None, description="Instead of `at`: evenly by month from here on …")
    end: Milestone | None = Field(default=None, description="… to here …")
    months: Quantity | None = Field(default=None, description="… or for so many months.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.payer == self.payee:
            raise ValueError("payer and payee are the same")
        if (self.payer == "outside") != (self.outlay is None):
            raise ValueError("`outlay` names the payer's row, unless the payer is `outside`")
        if (self.payee == "outside") != (self.income is None):
            raise ValueError("`income` names the payee's row, unless the payee is `outside`")
        if (self.amount is None) == (self.share is None) or (self.share is None) != (not self.of):
            raise ValueError("give either `amount`, or `share` and `of`")
        if (self.at is None) == (self.start is None):
            raise ValueError("give either `at`, or `start` with `end` or `months`")
        if self.start is not None and (self.end is None) == (self.months is None):
            raise ValueError("`start` needs one of `end` and `months`")
        if self.at is not None and (self.end is not None or self.months is not None):
            raise ValueError("`end` and `months` belong to `start`")
        return self


class ConsentTestSpec(Spec):
    """A share of a block's right-holders, or of its area, that must agree."""

    of: Literal["holders", "area"] = Field(description="What is counted: right-holders or area.")
    least: Quantity = Field(description="Least share, 0 to 1; a number or an expression over figures.")


class ModeSpec(Spec):
    """A way to redevelop a block."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(description="Name in files; each its own.")
    name_zh: str = Field(min_length=1, description="Chinese name.")
    name_en: str = Field(min_length=1, description="English name.")
    source: str = Field(default="judgement", min_length=1, description="Where the rules of the mode come from.")
    open: Expression | None = Field(
        default=None, description="Which parcels it is open to (undecidable = not open, counted); absent = all."
    )
    months: dict[Milestone, Quantity] = Field(
        description="Milestone → months after the launch, not falling; a milestone that is absent is never reached."
    )
    lines: tuple[LineSpec, ...] = Field(default=(), description="Payments.")
    consent: tuple[ConsentTestSpec, ...] = Field(default=(), description="Tests that a block must pass, all at once.")
    far: Quantity = Field(description="Plot ratio of what is built; over fields and figures.")
    net_share: Quantity = Field(
        default=1.0, description="Share of the net land that is built on, less public-interest land."
    )
    displaces: Quantity = Field(default=1.0, description="Share of present floor area whose firms must move.")
    decant_share: Quantity = Field(
        default=0.0, description="Share of the new floor that displaced firms may move into."
    )
    benefit: Quantity = Field(default=1.0, description="Share of the worth of low-efficient land that it brings.")

    @model_validator(mode="after")
    def _lines_agree(self) -> Self:
        seen: set[str] = set()
        for line in self.lines:
            if line.name in seen:
                raise ValueError(f"mode {self.id}: the line {line.name!r} stands there twice")
            lost = sorted(set(line.of) - seen)
            if lost:
                names = ", ".join(lost)
                raise ValueError(f"mode {self.id}: line {line.name!r} is a share of lines not before it: {names}")
            seen.add(line.name)
            named = {line.at, line.start, line.end} - {None, "launched"}
            never = sorted(m for m in named if m is not None and m not in self.months)
            if never:
                raise ValueError(
                    f"mode {self.id}: line {line.name!r} waits for a milestone without months: {', '.join(never)}"
                )
        if "launched" in self.months:
            raise ValueError(f"mode {self.id}: `launched` is month 0 and needs no months")
        return self


class ConsentSpec(Spec):
    """Who has agreed, by parcel."""

    holders: Expression = Field(description="Number of right-holders of a parcel.")
    signed: Expression = Field(description="Share of them who have signed, 0 to 1.")
    expected: Expression | None = Field(default=None, description="Share of them who are expected to, 0 to 1.")
    basis: Literal["signed", "expected"] = Field(default="signed", description="Which share the tests use.")
    unknown: Literal["ineligible", "zero"] = Field(
        default="ineligible",
        description="A parcel whose figures are unknown cannot be in a block of a mode with tests, or agrees with "
        "nobody; counted either way.",
    )

    @model_validator(mode="after")
    def _basis(self) -> Self:
        if self.basis == "expected" and self.expected is None:
            raise ValueError("`basis: expected` needs `expected`")
        return self


class LimitSpec(Spec):
    """Most that a party may lay out, or be short of."""

    party: Party = Field(description="Whose money.")
    outlay: dict[str, NonNegative] | None = Field(
        default=None, description="Phase id → most yuan that the party pays in the years of that phase, incomes aside."
    )
    peak_gap: NonNegative | None = Field(
        default=None,
        description="Most yuan by which, at the end of any year, all it has paid exceeds all it has received.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.outlay is None and self.peak_gap is None:
            raise ValueError("give `outlay`, `peak_gap`, or both")
        if self.party == "outside":
            raise ValueError("`outside` has no limit")
        return self


class DecantSiteSpec(Spec):
    """Floor area that stands, or will stand, for displaced firms, outside the plan's own blocks."""

    name: str = Field(min_length=1, description="Name; each its own.")
    floor_m2: Positive = Field(description="Floor area, m².")
    from_year: float = Field(description="Year at whose beginning it stands, on the scale of the phases' years.")
    permanent: bool = Field(default=True, description="False: firms cannot stay for good.")


class DecantSpec(Spec):
    """Where displaced firms go: floor area displaced by a year needs as much that stands by then."""

    floor_m2: Expression = Field(description="Floor area in use by firms, by parcel, m².")
    unknown: Literal["ineligible", "mean_per_mu"] = Field(
        default="ineligible", description="A parcel whose floor area is unknown cannot be in a plan, or has the mean."
    )
    firms: Expression | None = Field(default=None, description="Number of firms, by parcel.")
    large_firms: Expression | None = Field(
        default=None, description="Number of firms above designated size, by parcel."
    )
    once: Expression | None = Field(
        default=None, description="Parcels whose firms move once only: to space where they can stay for good."
    )
    at: Milestone = Field(default="demolished", description="When firms must be out.")
    own_lag_months: NonNegative = Field(
        default=0.0, description="Months from `built` until own new floor takes firms in."
    )
    sites: tuple[DecantSiteSpec, ...] = Field(default=(), description="Space outside the plan.")

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [s.name for s in self.sites]
        if len(set(names)) != len(names):
            raise ValueError("names of `sites` must differ")
        return self


class SpaceSpec(Spec):
    """What stands on the land now and afterwards; unknown stays unknown."""

    floor_m2: Expression | None = Field(default=None, description="Present floor area of a parcel, m².")
    jobs: Expression | None = Field(default=None, description="Present jobs of a parcel.")
    output_yuan: Expression | None = Field(default=None, description="Present output of a parcel, yuan a year.")
    tax_yuan: Expression | None = Field(default=None, description="Present tax of a parcel, yuan a year.")
    new_floor_per_job_m2: Quantity | None = Field(default=None, description="New floor area per job, m².")
    new_output_yuan_per_mu: Quantity | None = Field(
        default=None, description="Output on net land when full, yuan/mu a year."
    )
    new_tax_yuan_per_mu: Quantity | None = Field(default=None, description="Tax on net land when full, yuan/mu a year.")
    ramp_months: Quantity = Field(default=24.0, description="Months from `built` to full output, rising evenly.")
    collective_income_yuan: Expression | None = Field(
        default=None, description="Present income of the collective from a parcel, yuan a year."
    )
    new_collective_income_yuan_per_mu: Quantity | None = Field(
        default=None, description="Income of the collective afterwards, yuan/mu of collective land a year."
    )
    retained_tax_share: Quantity = Field(default=0.0, description="Share of tax that the town keeps: a memo line.")


class ModesSpec(Spec):
    """Redevelopment modes and all that hangs on them.

    When a configuration is read, the table of modes and figures is put in; what was written in the configuration itself
    wins over the table. A resolved configuration holds everything and names no table.
    """

    figures: dict[str, FigureSpec] = Field(description="Name → figure.")
    choices: tuple[ModeSpec, ...] = Field(min_length=1, description="The modes that blocks may have, in order.")
    net_cost_of: tuple[Party, ...] = Field(
        default=("town", "city"), description="Parties whose payments less receipts are the cost in the objective."
    )
    consent: ConsentSpec | None = None
    limits: tuple[LimitSpec, ...] = Field(default=(), description="Limits on money, one entry per party.")
    decant: DecantSpec | None = None
    space: SpaceSpec = SpaceSpec()
    discount_rate: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Rate of the net present value, a memo line beside the static balance."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        ids = [m.id for m in self.choices]
        if len(set(ids)) != len(ids):
            raise ValueError("ids of `choices` must differ")
        parties = [limit.party for limit in self.limits]
        if len(set(parties)) != len(parties):
            raise ValueError("`limits` names a party twice")
        if self.consent is None and any(m.consent for m in self.choices):
            raise ValueError("modes have consent tests: `consent` must say who has agreed")
        bad = sorted(n for n in self.figures if not n.isidentifier())
        if bad:
            raise ValueError(f"names of figures must be letters, digits and underscores: {', '.join(bad)}")
        return self
