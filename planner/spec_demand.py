"""Configuration of the demand for land: projects and firms, how they are judged, and what they need of a block."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import NonNegative, Positive, Share, Spec

Expression = Annotated[str, Field(min_length=1, max_length=2000)]
"""An expression over the columns of a project (in tests and marks) or over parcel fields (where stated)."""


class EntrantSpec(Spec):
    """One project that looks for land. What is not known is left out; unknown is not zero."""

    id: str = Field(min_length=1, description="Name of the project; each its own.")
    industry: str | None = Field(default=None, description="Industry or cluster.")
    investment_yuan: NonNegative | None = Field(default=None, description="Investment, yuan.")
    site_mu: NonNegative | None = Field(
        default=None, description="Least site, mu of net land; 0 = in place, needs no site. Unknown: cannot be matched."
    )
    frontage_m: NonNegative | None = Field(default=None, description="Least frontage on a road, m; none when absent.")
    from_year: float | None = Field(
        default=None, description="Year from whose beginning it takes land up, however early that is supplied."
    )
    by_year: float | None = Field(
        default=None, description="Latest year (its end) in which the land must be supplied; any when absent."
    )
    output_yuan: NonNegative | None = Field(default=None, description="Output when full, yuan a year.")
    tax_yuan: NonNegative | None = Field(default=None, description="Tax when full, yuan a year.")
    value_added_yuan: NonNegative | None = Field(default=None, description="Value added when full, yuan a year.")
    energy_tce: NonNegative | None = Field(
        default=None, description="Energy when full, tonnes of coal equivalent a year."
    )
    staff: NonNegative | None = Field(default=None, description="Jobs when full.")
    environment: Literal["pass", "fail"] | None = Field(default=None, description="Environmental review.")
    safety: Literal["pass", "fail"] | None = Field(default=None, description="Safety review.")
    note: str | None = Field(default=None, description="Remark: source, or that the figure is synthetic.")


RATIOS: Final = {
    "output_yuan_per_mu": ("output_yuan", "site_mu"),
    "tax_yuan_per_mu": ("tax_yuan", "site_mu"),
    "investment_yuan_per_mu": ("investment_yuan", "site_mu"),
    "tax_yuan_per_tce": ("tax_yuan", "energy_tce"),
    "value_added_yuan_per_tce": ("value_added_yuan", "energy_tce"),
}
"""What is derived of a project: its name → numerator and denominator; unknown over nothing, as in place."""
TEXT_COLUMNS: Final = ("industry", "environment", "safety", "note")
"""Columns of a project that are texts, besides its id; the others are numbers."""
REVIEWS: Final = {"environment": ("pass", "fail"), "safety": ("pass", "fail")}
"""Columns of a project that hold one of few texts, and which."""
PROJECT_NAMES: Final = frozenset({*EntrantSpec.model_fields, *RATIOS})
"""Names that expressions over projects may use."""


class EntrantTestSpec(Spec):
    """A condition on projects: a veto, or a threshold; its name is the reason shown."""

    name: str = Field(min_length=1, description="Name of the test: the reason shown for a project.")
    when: Expression = Field(
        description="For a veto the condition that bars a project; for a threshold the one that it must meet. Names: "
        "the columns of a project, and `output_yuan_per_mu`, `tax_yuan_per_mu`, `investment_yuan_per_mu`, "
        "`tax_yuan_per_tce`, `value_added_yuan_per_tce`."
    )
    unknown: Literal["bar", "admit"] = Field(
        default="bar", description="What to do where the condition cannot be decided; counted either way."
    )
    source: str = Field(default="judgement", min_length=1, description="Where the test comes from.")


class GradeMarkSpec(Spec):
    """One indicator of the yield grading 亩均效益评价: weight · [20 + 80 (x − min) / (max − min)] / 100."""

    name: str = Field(min_length=1, description="Name of the indicator.")
    value: Expression = Field(description="Over the same names as tests.")
    weight: Positive = Field(description="Weight; all add up to 100.")


class GradingSpec(Spec):
    """Yield grading A to D of the projects: shares of projects by rank."""

    marks: tuple[GradeMarkSpec, ...] = Field(min_length=1, description="Indicators.")
    a_share: Share = Field(default=0.25, description="Share of projects up to which grade A goes.")
    b_share: Share = Field(default=0.70, description="… grade B.")
    c_share: Share = Field(default=0.95, description="… grade C; the rest is D.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if abs(sum(m.weight for m in self.marks) - 100) > 1e-9:
            raise ValueError("weights of `marks` must add up to 100")
        if not self.a_share <= self.b_share <= self.c_share:
            raise ValueError("`a_share`, `b_share`, `c_share` must not fall")
        return self


class DemandSpec(Spec):
    """Projects that look for land: judged by yield and veto, then matched to the blocks of the plan.

    A project gets a site in one block at most; several may share a block. The net land of a block times `net_share` is
    what can be let, its frontage is shared out too, and a site is there from the year in which its block is supplied.
    The match that is worth most by `worth` is found with a proof; of several the one with most projects, then the one
    with the least waiting in sum (of projects for land, and of land for projects), then the one in the smallest blocks.
    """

    projects: tuple[EntrantSpec, ...] = Field(default=(), description="The projects, written here …")
    path: Path | None = Field(
        default=None, description="… or in a table (CSV, XLSX) with the keys of a project as columns, one row each."
    )
    sheet: str | None = Field(default=None, description="Sheet of the workbook; the first when absent.")
    synthetic: bool = Field(default=False, description="True where the projects are invented; every output says so.")
    veto: tuple[EntrantTestSpec, ...] = Field(
        default=(), description="Any of them bars a project, whatever its yield 一票否决."
    )
    thresholds: tuple[EntrantTestSpec, ...] = Field(default=(), description="All must be met.")
    grading: GradingSpec | None = Field(default=None, description="Grades A to D, shown beside; None = no grades.")
    worth: Expression = Field(
        default="investment_yuan", description="What a matched project is worth to the match, over its columns."
    )
    net_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0,
        description="Share of a block's net land that can be let as sites; with `modes` on top of the mode's own.",
    )
    frontage_m: Expression | None = Field(
        default=None, description="Frontage of a parcel on roads, m, over parcel fields; a block has the sum."
    )
    wait_months: NonNegative = Field(
        default=0.0, description="Without `modes`: months from the end of a block's phase until its land is supplied."
    )
    start_months: NonNegative = Field(
        default=0.0, description="Months from supply until building begins: the start-up procedure 企业筹建."
    )
    build_months: NonNegative = Field(default=24.0, description="Months from there until a project is built.")
    ramp_months: NonNegative = Field(default=24.0, description="Months from there to full output, rising evenly.")
    horizon_year: int | None = Field(
        default=None, description="Last year of the table by year; when the last project is full if absent."
    )
    stock_output_yuan: Expression | None = Field(
        default=None, description="Present output of a parcel, yuan a year; `report.show.output_yuan` else."
    )
    stock_tax_yuan: Expression | None = Field(
        default=None, description="Present tax of a parcel, yuan a year; `report.show.tax_yuan` else."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if bool(self.projects) == (self.path is not None):
            raise ValueError("give either `projects` or `path`")
        if self.sheet is not None and self.path is None:
            raise ValueError("`sheet` goes with `path`")
        names = [p.id for p in self.projects]
        if len(set(names)) != len(names):
            raise ValueError("ids of `projects` must differ")
        tests = [t.name for t in (*self.veto, *self.thresholds)]
        if len(set(tests)) != len(tests):
            raise ValueError("names of `veto` and `thresholds` must differ")
        return self
