"""Configuration of reports: what is shown beside the plan, in which language, what leaves the building."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import Spec

Expression = Annotated[str, Field(min_length=1, max_length=2000)]

Language = Literal["en", "zh"]


class ShowSpec(Spec):
    """What reports show of each parcel: known facts of the field, each a parcel field or an expression over them.

    What is absent is not shown; what is unknown stays unknown, and sums say so. Some have a default from another
    section.
    """

    township: Expression | None = Field(default=None, description="Township or street 镇街 (text).")
    village: Expression | None = Field(
        default=None, description="Village or community 村(社区) (text); `optimise.village` else."
    )
    collective: Expression | None = Field(default=None, description="Economic collective 集体经济组织 (text).")
    owner: Expression | None = Field(default=None, description="Right-holder 权利人 (text); sensitive.")
    credit_code: Expression | None = Field(
        default=None, description="Unified social credit code 统一社会信用代码 (text); sensitive."
    )
    rent_yuan: Expression | None = Field(default=None, description="Yearly rent 租金, yuan; sensitive.")
    land_use: Expression | None = Field(default=None, description="Present land use 用地现状 (text).")
    renewal_code: Expression | None = Field(
        default=None, description="Number in the renewal land database 标图建库图斑号 (text)."
    )
    zoning: Expression | None = Field(default=None, description="Conformity with zoning 控规符合性 (text).")
    lease_year: Expression | None = Field(default=None, description="Year the last lease ends 租约到期年 (number).")
    signed_share: Expression | None = Field(
        default=None, description="Share of right-holders who have signed 签约率, 0 to 1; `modes.consent.signed` else."
    )
    right_holders: Expression | None = Field(
        default=None, description="Right-holders 权利人(户) (number); `modes.consent.holders` else."
    )
    firms: Expression | None = Field(default=None, description="Firms 企业(家) (number); `modes.decant.firms` else.")
    large_firms: Expression | None = Field(
        default=None, description="Firms above designated size 规上企业 (number); `modes.decant.large_firms` else."
    )
    far: Expression | None = Field(default=None, description="Present plot ratio 现状容积率 (number).")
    floor_m2: Expression | None = Field(
        default=None, description="Present floor area 现状建筑, m²; `modes.space.floor_m2` else."
    )
    state_mu: Expression | None = Field(default=None, description="State-owned land in the parcel 国有, mu.")
    titled_mu: Expression | None = Field(default=None, description="Land with complete papers 手续完善, mu.")
    stock_mu: Expression | None = Field(default=None, description="Land built on already 存量, mu; the rest is 新增.")
    tax_yuan: Expression | None = Field(
        default=None, description="Yearly tax 税收 of the parcel, yuan; `modes.space.tax_yuan` else."
    )
    output_yuan: Expression | None = Field(
        default=None, description="Yearly output 产值 of the parcel, yuan; `modes.space.output_yuan` else."
    )
    collective_income_yuan: Expression | None = Field(
        default=None,
        description="Yearly income of the collective 集体年收入, yuan; `modes.space.collective_income_yuan` else.",
    )


TEXT_FACTS: Final = (
    "township",
    "village",
    "collective",
    "owner",
    "credit_code",
    "land_use",
    "renewal_code",
    "zoning",
)
"""Facts that are text; the others are numbers."""

SENSITIVE_FACTS: Final = ("owner", "credit_code", "rent_yuan")
"""Facts that a redacted package never holds."""


class CodesSpec(Spec):
    """Permanent codes of projects 项目编号: ``<prefix>-<year>-001``, counted on within each year."""

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")] = Field(
        default="XM", description="Beginning of every code, e.g. `QX-LM`."
    )
    year: Annotated[int, Field(ge=1900, le=2999)] | None = Field(
        default=None, description="Calendar year in new codes; the year of the run when absent."
    )


class BaseMapSpec(Spec):
    """Picture under the map. With tiles the page asks their server for them; the plan itself never leaves the page."""

    kind: Literal["tianditu", "gaode", "osm", "raster"] = Field(
        description="`tianditu` (needs `key`), `gaode` (the plan is shifted to GCJ-02 for display), `osm`, or "
        "`raster`: a local raster put into the page."
    )
    key: str | None = Field(default=None, description="Key of Tianditu.")
    path: Path | None = Field(default=None, description="With `raster`: a georeferenced raster (GeoTIFF).")
    imagery: bool = Field(default=False, description="With tiles: pictures from above instead of the street map.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.kind == "tianditu" and not self.key:
            raise ValueError("`tianditu` needs `key`")
        if (self.kind == "raster") != (self.path is not None):
            raise ValueError("`path` belongs to `kind: raster`, and is needed there")
        if self.kind == "osm" and self.imagery:
            raise ValueError("`osm` has no imagery")
        return self


class PrintSpec(Spec):
    """The printed map 图件 and its title block."""

    organisation: str | None = Field(default=None, description="Who makes the plan 编制单位.")
    number: str | None = Field(default=None, description="Number of the map 图号.")
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")] | None = Field(
        default=None, description="Date on maps and in the workbook, YYYY-MM or YYYY-MM-DD; the day of writing else."
    )
    scale: Annotated[int, Field(ge=100)] | None = Field(
        default=None, description="Scale denominator, e.g. 10000; the largest round one that fits when absent."
    )


class ReportSpec(Spec):
    """How the plan is shown."""

    title: str | None = Field(default=None, description="Title of the map; the project's name when absent.")
    language: Language = Field(
        default="en", description="Language of workbook and printed map, and the one the review map opens in."
    )
    show: ShowSpec = Field(default=ShowSpec(), description="What is shown of each parcel beside the plan.")
    sensitive: tuple[str, ...] = Field(
        default=(), description="Parcel fields that a redacted package leaves out, besides owner, credit code and rent."
    )
    codes: CodesSpec = Field(default=CodesSpec(), description="Permanent codes of projects.")
    base_map: BaseMapSpec | None = Field(default=None, description="Picture under the review map; none when absent.")
    print: PrintSpec = Field(default=PrintSpec(), description="The printed map.")
