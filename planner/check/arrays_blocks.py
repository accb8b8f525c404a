"""Rules that each block of a solution keeps by itself. Fixed blocks stand as they are and are exempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from geodata.errors import list_ids
from planner.check.arrays_case import AREA_MU, Case, JudgedBlock
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding


def contiguity(case: Case) -> Outcome:
    """Every block is one piece of adjacent or bridged parcels."""
    findings = []
    for b in case.free_blocks:
        parts = case.pieces(b.parcels.tolist())
        if len(parts) != 1:
            apart = "; ".join(f"[{list_ids(case.ids(part))}]" for part in parts)
            message = f"Block {b.name} is {len(parts)} pieces: {apart}."
            findings.append(_of(case, "contiguity", b, message, float(len(parts)), 1.0, "pieces"))
    return Outcome(len(case.free_blocks), findings)


def block_size(case: Case) -> Outcome:
    """Least area ≤ area ≤ largest area."""
    least, most = (float(case.question.data["block"][k]) for k in ("min_mu", "max_mu"))
    findings = []
    for b in case.free_blocks:
        area = case.area(b)
        if area < least - AREA_MU or area > most + AREA_MU:
            word, limit = ("below the least", least) if area < least else ("above the most", most)
            message = f"Block {b.name} has {area:.4f} mu, {word} allowed, {limit:g} mu."
            findings.append(_of(case, "block_size", b, message, area, limit, "mu"))
    return Outcome(len(case.free_blocks), findings)


def within_zone(case: Case) -> Outcome:
    """With `within_zone`, a block lies in one zone; land without a zone counts as one."""
    if not case.question.data["block"]["within_zone"]:
        return Outcome(0)
    findings = []
    for b in case.free_blocks:
        zones = sorted(set(case.question.zone[b.parcels].tolist()))
        if len(zones) > 1:
            message = f"Block {b.name} lies in {', '.join(case.zone_name(z) for z in zones)}."
            findings.append(_of(case, "within_zone", b, message, float(len(zones)), 1.0, "zones"))
    return Outcome(len(case.free_blocks), findings)


def filler(case: Case) -> Outcome:
    """Filler area ≤ share · area."""
    question, share = case.question, float(case.question.data["block"]["filler_max_share"])
    findings = []
    for b in case.free_blocks:
        has = float(question.area_mu[b.parcels[question.filler[b.parcels]]].sum())
        limit = share * case.area(b)
        if has > limit + AREA_MU:
            message = (
                f"Block {b.name} has {has:.4f} mu of filler; {share:.2%} of its area, {limit:.4f} mu, are allowed."
            )
            findings.append(_of(case, "filler", b, message, has, limit, "mu"))
    return Outcome(len(case.free_blocks), findings)


def villages(case: Case) -> Outcome:
    """A block lies in at most `max_villages` villages; land without a village counts as none."""
    most, village = case.question.data["block"]["max_villages"], case.question.village
    if most is None or village is None:
        return Outcome(0)
    findings = []
    for b in case.free_blocks:
        inside = sorted(set(village[b.parcels].tolist()) - {-1})
        if len(inside) > most:
            names = ", ".join(str(case.question.data["villages"][v]) for v in inside)
            message = f"Block {b.name} lies in {len(inside)} villages ({names}), at most {most} are allowed."
            findings.append(_of(case, "villages", b, message, float(len(inside)), float(most), "villages"))
    return Outcome(len(case.free_blocks), findings)


def block_rules(case: Case) -> Outcome:
    """Σ amount ≥ least, or ≥ least · Σ share_of, for every rule that binds the block's mode."""
    findings, checked = [], 0
    for rule in case.question.data["block_rules"]:
        name, least = str(rule["name"]), float(rule["least"])
        amount = case.question.floats(rule["amount"], f"block_rules.{name}.amount")
        base = rule["share_of"]
        whole = None if base is None else case.question.floats(base, f"block_rules.{name}.share_of")
        for b in case.free_blocks:
            if not binds(rule, b.mode):
                continue
            checked += 1
            has = float(amount[b.parcels].sum())
            limit = least if whole is None else least * float(whole[b.parcels].sum())
            if has < limit - AREA_MU:
                message = f"Block {b.name}, {name}: {has:.4f} {rule['unit']}, at least {limit:.4f} are asked for."
                findings.append(_of(case, "block_rules", b, message, has, limit, str(rule["unit"])))
    return Outcome(checked, findings)


def binds(rule: Mapping[str, Any], mode: int) -> bool:
    """Whether a block rule holds for a mode."""
    return rule["modes"] is None or mode in rule["modes"]


def selectable(case: Case) -> Outcome:
    """No closed parcel is in the plan, and none of a fixed block outside of it."""
    held = {i for b in case.question.data["fixed"] for i in b["parcels"]}
    fixed = np.isin(np.arange(case.question.n), sorted(held))
    return _each_parcel(
        case, "selectable", lambda b: ~case.question.selectable[b.parcels] | fixed[b.parcels], "may be in no such block"
    )


def earliest(case: Case) -> Outcome:
    """No parcel before the phase in which it becomes available."""
    return _each_parcel(
        case, "earliest", lambda b: case.question.earliest[b.parcels] > b.phase, "become available only later"
    )


def modes(case: Case) -> Outcome:
    """Every parcel allows the mode of its block."""
    return _each_parcel(
        case, "modes", lambda b: ~case.question.mode_open[b.parcels, b.mode], "do not allow the mode of the block"
    )


def _each_parcel(case: Case, rule: str, bad: Callable[[JudgedBlock], Any], words: str) -> Outcome:
    """One finding for each block with parcels for which `bad` holds."""
    findings, checked = [], 0
    for b in case.free_blocks:
        checked += len(b.parcels)
        wrong = case.ids(b.parcels[np.asarray(bad(b), dtype=bool)].tolist())
        if wrong:
            mode = case.question.modes[b.mode]["id"]
            message = (
                f"Block {b.name} ({case.phase_name(b.phase)}, {mode}) has parcels that {words}: {list_ids(wrong)}."
            )
            findings.append(
                finding(rule, message, wrong, block_id=b.name, measured=float(len(wrong)), limit=0.0, unit="parcels")
            )
    return Outcome(checked, findings)


def _of(case: Case, rule: str, block: JudgedBlock, message: str, measured: float, limit: float, unit: str) -> Finding:
    ids = case.ids(block.parcels.tolist())
    return finding(rule, message, ids, block_id=block.name, measured=measured, limit=limit, unit=unit)
