"""Questions about plans: judge drawn blocks, why no plan, why this parcel, what a rule costs, what else, how stable."""

from planner.explain.alternatives import Alternatives, find_alternatives
from planner.explain.asking import Asker, Interval
from planner.explain.data import as_data
from planner.explain.drawn import Columns, Drawn, read_drawn
from planner.explain.evaluate import Evaluation, evaluate
from planner.explain.folder import RunFolder, read_run
from planner.explain.infeasible import InfeasibleAnswer, explain_infeasible
from planner.explain.parcel import ParcelAnswer, explain_parcel
from planner.explain.price import PriceList, explain_price
from planner.explain.relaxing import CandidateLink, candidate_links
from planner.explain.rules import rules_of
from planner.explain.stability import Stability, explain_stability
from planner.explain.text import (
    alternatives_text,
    evaluation_text,
    infeasible_text,
    parcel_text,
    price_text,
    stability_text,
)
from planner.explain.writing import write_alternatives

__all__ = [
    "Alternatives",
    "Asker",
    "CandidateLink",
    "Columns",
    "Drawn",
    "Evaluation",
    "InfeasibleAnswer",
    "Interval",
    "ParcelAnswer",
    "PriceList",
    "RunFolder",
    "Stability",
    "alternatives_text",
    "as_data",
    "candidate_links",
    "evaluate",
    "evaluation_text",
    "explain_infeasible",
    "explain_parcel",
    "explain_price",
    "explain_stability",
    "find_alternatives",
    "infeasible_text",
    "parcel_text",
    "price_text",
    "read_drawn",
    "read_run",
    "rules_of",
    "stability_text",
    "write_alternatives",
]
