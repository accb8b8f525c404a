"""The first paragraphs of a replan's report: what changed, and what keeping the plan costs."""

from __future__ import annotations

from planner.labels import Labels
from planner.report import markdown as md
from planner.report.replan.words import Told, money, share, words_of


def in_short(told: Told) -> list[str]:
    """Sentences, the most important first."""
    words = words_of(told)
    was = told["before"]
    lines = [
        words("replan_was", was["blocks"], was["parcels"], md.mu(was["area_mu"]), money(told, was["worth"])),
        _held(told, words),
    ]
    if told["replan"] is not None:
        lines += [*_changes(told, words), *_cost(told, words), price(told, words)]
    return lines


def _held(told: Told, words: Labels) -> str:
    judged = told["judged"]
    return words("replan_holds") if judged["passed"] else words("replan_broken", len(judged["broken"]))


def _changes(told: Told, words: Labels) -> list[str]:
    diff = told["replan"]["diff"]
    lines = [
        words(
            "replan_changes",
            diff["parcels_changed"],
            md.mu(diff["changed_mu"]),
            md.mu(diff["entered_mu"]),
            md.mu(diff["left_mu"]),
            md.mu(diff["moved_mu"]),
            md.mu(diff["unchanged_mu"]),
            share(diff["unchanged_mu"], told["before"]["area_mu"]),
        )
    ]
    if told["fresh"] is not None:
        anew = told["fresh"]["diff"]
        given = (anew["parcels_changed"], md.mu(anew["changed_mu"]))
        if diff["changed_mu"] > 0:
            ratio = md.number(anew["changed_mu"] / diff["changed_mu"], 1)
            lines.append(words("replan_fresh_changes", *given, ratio))
        else:
            lines.append(words("replan_fresh_changes_more", *given))
    return lines


def _cost(told: Told, words: Labels) -> list[str]:
    cost = told["cost"]
    if cost is None:
        return [words("replan_no_cost", words(f"replan_{told['no_fresh']}"))]
    lines = [words("replan_cost", money(told, cost["at_most"]), md.percent(cost["share_at_most"]))]
    if cost["found"] > 0:
        lines.append(words("replan_cost_least", money(told, cost["at_least"])))
    else:
        lines.append(words("replan_cost_none", money(told, -cost["found"])))
    return lines


def price(told: Told, words: Labels) -> str:
    """What a change was priced at, and why."""
    prices = told["prices"]
    per_mu = money(told, prices["price_per_mu"])
    if prices["given"]:
        return words("replan_price_given", per_mu, money(told, prices["price_per_parcel"]))
    return words("replan_price_default", per_mu, md.percent(prices["share_of_value"]))
