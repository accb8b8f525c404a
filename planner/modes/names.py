"""Chinese and English names of the rows of the funding balance, of parties and of milestones: one table for all output.

Codes stand in files; names are for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from planner.spec_modes import Item, Milestone, Party

Side = Literal["outlay", "income"]
"""The two halves of a funding balance."""


@dataclass(frozen=True)
class Name:
    """A name in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class ItemName:
    """Names of a row among the outlays and among the incomes."""

    outlay: Name
    income: Name


def _same(zh: str, en: str) -> ItemName:
    return ItemName(Name(zh, en), Name(zh, en))


ITEM_NAMES: Final[Mapping[Item, ItemName]] = {
    "land_compensation": _same("土地补偿", "Land compensation"),
    "building_compensation": _same("建筑物补偿", "Building compensation"),
    "relocation": _same("搬迁停产", "Relocation and stoppage"),
    "transition": _same("临时安置", "Transition"),
    "lease_remainder": _same("剩余租期", "Remaining leases"),
    "demolition": _same("拆除平整", "Demolition and levelling"),
    "soil_survey": _same("土壤调查", "Soil survey"),
    "preliminary": _same("前期费", "Preliminary work"),
    "infrastructure": _same("基础设施", "Infrastructure"),
    "rebuilt_property": _same("返还物业建设", "Property built for return"),
    "finance": _same("财务费用", "Finance"),
    "contingency": _same("不可预见费", "Contingency"),
    "land_price": ItemName(Name("土地价款", "Land price"), Name("补缴地价", "Supplementary land price")),
    "levy": _same("调节金", "Adjustment levy"),
    "construction": _same("建设费用", "Construction"),
    "land_sale": ItemName(Name("出让收入分成", "Share of a land sale"), Name("出让收入", "Land sale")),
    "property_sale": ItemName(Name("物业购置", "Purchase of property"), Name("物业销售", "Sale of property")),
    "rent": ItemName(Name("租金支出", "Rent paid"), Name("租金", "Rent")),
    "grant": ItemName(Name("奖补支出", "Grants given"), Name("上级奖补", "Grants")),
    "compensation": ItemName(Name("补偿支出", "Compensation paid"), Name("补偿收入", "Compensation received")),
}
"""Rows of the funding balance table, 资金平衡表."""

STANDARD: Final[Mapping[Side, tuple[Item, ...]]] = {
    "outlay": (
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
    ),
    "income": ("land_price", "levy", "land_sale", "property_sale", "rent", "grant"),
}
"""Rows that the form always shows, used or not; others appear when money is booked under them."""

RESULT_NAMES: Final[Mapping[str, Name]] = {
    "total_outlay": Name("支出合计", "Total outlay"),
    "total_income": Name("收入合计", "Total income"),
    "surplus": Name("当年结余", "Surplus of the year"),
    "cumulative": Name("累计结余", "Cumulative surplus"),
    "peak_gap": Name("峰值缺口", "Peak gap"),
    "peak_gap_year": Name("峰值缺口年份", "Year of the peak gap"),
    "retained_tax": Name("税收留成(平衡外)", "Retained tax (memo)"),
}
"""Rows below the items."""

PARTY_NAMES: Final[Mapping[Party, Name]] = {
    "town": Name("镇街", "Town"),
    "city": Name("市级", "City"),
    "collective": Name("村集体", "Collective"),
    "owner": Name("原权利人", "Owner"),
    "developer": Name("改造主体", "Developer"),
    "outside": Name("其他", "Others"),
}

MILESTONE_NAMES: Final[Mapping[Milestone, Name]] = {
    "launched": Name("启动", "Launched"),
    "signed": Name("签约", "Signed"),
    "demolished": Name("拆除", "Demolished"),
    "levelled": Name("平整", "Levelled"),
    "accepted": Name("验收", "Accepted"),
    "supplied": Name("供地", "Supplied"),
    "started": Name("动工", "Started"),
    "built": Name("竣工", "Built"),
}


def item_name(item: Item, side: Side) -> Name:
    """Name of a row among the outlays or the incomes."""
    both = ITEM_NAMES[item]
    return both.outlay if side == "outlay" else both.income
