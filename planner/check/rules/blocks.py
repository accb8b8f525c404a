"""Rules about single blocks: size, zone, filler. Blocks that stand as they are (``locks.blocks``) are passed over."""

from __future__ import annotations

import numpy as np

from geodata.errors import list_ids
from planner.check.facts import Facts
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import AREA_MU


def block_size(facts: Facts) -> Outcome:
    """The area of a block lies within ``block.min_mu`` and ``block.max_mu`` (± 1e-5 mu)."""
    spec, findings = facts.config.optimise.block, []
    for block, positions in facts.members.items():
        area = float(facts.area_mu[positions].sum())
        if block in facts.standing:
            continue
        if area < spec.min_mu - AREA_MU:
            limit, side = spec.min_mu, "below the least"
        elif area > spec.max_mu + AREA_MU:
            limit, side = spec.max_mu, "above the most"
        else:
            continue
        message = f"Block {block} has {area:.4f} mu, {side} allowed, {limit:g} mu."
        findings.append(
            finding(
                "block_size", message, facts.named(positions), block_id=block, measured=area, limit=limit, unit="mu"
            )
        )
    return Outcome(len(facts.members), findings)


def within_zone(facts: Facts) -> Outcome:
    """With ``block.within_zone`` all parcels of a block have one zone; land without a zone counts as one."""
    if not facts.config.optimise.block.within_zone:
        return Outcome(0)
    findings = []
    for block, positions in facts.members.items():
        zones = sorted({facts.zone[i] or "no zone" for i in positions})
        if len(zones) > 1 and block not in facts.standing:
            message = f"Block {block} lies in {len(zones)} zones: {', '.join(zones)}."
            findings.append(
                finding(
                    "within_zone",
                    message,
                    facts.named(positions),
                    block_id=block,
                    measured=float(len(zones)),
                    limit=1.0,
                    unit="zones",
                )
            )
    return Outcome(len(facts.members), findings)


def filler(facts: Facts) -> Outcome:
    """Filler is ineligible land that matches ``filler.where``, at most ``filler.max_share`` of a block's area."""
    spec, findings = facts.config.optimise.filler, []
    filling = facts.selected & facts.is_ineligible
    for i in np.flatnonzero(facts.selected):
        wanted = "filler" if filling[i] else "candidate"
        if facts.role[i] != wanted:
            message = f"Parcel {facts.ids[i]} is in the plan as {facts.role[i]}; it is {facts.scored_status[i]}, "
            findings.append(finding("filler", message + f"so it can only be {wanted}.", (facts.ids[i],)))
    wrong = np.flatnonzero(filling & ~facts.may_fill & ~facts.stands)
    if len(wrong):
        ids = facts.named(wrong)
        rule = "filler.where" if spec.where else "the configuration, which allows no filler"
        findings.append(finding("filler", f"{len(ids)} ineligible parcels do not match {rule}: {list_ids(ids)}.", ids))
    for block, positions in facts.members.items():
        area = float(facts.area_mu[positions].sum())
        filled = positions[filling[positions]]
        part = float(facts.area_mu[filled].sum())
        if block not in facts.standing and part > spec.max_share * area + AREA_MU:
            message = (
                f"Block {block} has {part:.4f} mu of filler in {area:.4f} mu, {part / area:.2%}; "
                f"at most {spec.max_share:.2%}."
            )
            findings.append(
                finding(
                    "filler",
                    message,
                    facts.named(filled),
                    block_id=block,
                    measured=part / area,
                    limit=spec.max_share,
                    unit="share",
                )
            )
    return Outcome(int(facts.selected.sum()), findings, {"filler_mu": float(facts.area_mu[filling].sum())})
