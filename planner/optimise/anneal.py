"""Simulated annealing over whole plans, compiled.

Each move changes a `Draft` through its journal, is judged by the change of worth − penalties, and is undone when
rejected. Blocks keep all rules for blocks throughout; accounts (targets, budgets, locks …) are priced, and the best
draft without any such price is kept.
"""

from __future__ import annotations

import math

import numpy as np

from planner.optimise.compiled import by_reference, compiled, inner
from planner.optimise.grow import chance, shuffle
from planner.optimise.moves import propose
from planner.optimise.pieces import whole_around
from planner.optimise.state import (
    BROKEN,
    CHANGED,
    CHECK,
    CHECKS,
    JOURNAL,
    MOVE,
    NEED,
    PENALTY,
    UNMET,
    WORTH,
    Draft,
    book,
    roll_zone,
    sum_up,
    take_back,
)
from planner.optimise.terrain import AREA, HIGH, PATCH, Terrain
from planner.problem import Floats, Ints


@inner
def _value(draft: Draft) -> float:
    return float(draft.total[WORTH] - draft.total[PENALTY] - draft.total[UNMET])


@inner
def _in_pieces(terrain: Terrain, draft: Draft) -> bool:
    """Whether a block that lost a parcel fell apart."""
    for c in range(draft.counters[CHECKS]):
        i, k = draft.counters[CHECK + 2 * c], draft.counters[CHECK + 2 * c + 1]
        if not whole_around(terrain, draft, i, k):
            return True
    return False


@inner
def _roll(terrain: Terrain, draft: Draft) -> None:
    """Bring the loose land of the zones that the move touched up to date, and keep what it was."""
    draft.counters[MOVE] += 1
    move = draft.counters[MOVE]
    for q in range(draft.counters[JOURNAL]):
        if draft.journal[q, 0] >= 0:
            zone = terrain.tag[draft.journal[q, 0], PATCH]
            if draft.loose[zone, 2] != move:
                draft.loose[zone, 1] = draft.loose[zone, 0]
                draft.loose[zone, 2] = move
                roll_zone(terrain, draft, zone)


@inner
def _roll_back(terrain: Terrain, draft: Draft) -> None:
    """Put the loose land back to what it was before the move."""
    move = draft.counters[MOVE]
    for q in range(draft.counters[JOURNAL]):
        if draft.journal[q, 0] >= 0:
            zone = terrain.tag[draft.journal[q, 0], PATCH]
            if draft.loose[zone, 2] == move:
                draft.loose[zone, 2] = 0.0
                if draft.loose[zone, 1] != draft.loose[zone, 0]:
                    book(terrain, draft, terrain.at_loose, draft.loose[zone, 1] - draft.loose[zone, 0])
                    draft.loose[zone, 0] = draft.loose[zone, 1]


@inner
def _judge(terrain: Terrain, draft: Draft) -> bool:
    """Whether the move just made is accepted; if not, it is taken back."""
    hope = _value(draft)
    if terrain.rolling > 0:
        over = draft.level[terrain.at_loose] - terrain.account[terrain.at_loose, HIGH]
        hope += max(0.0, over) * draft.price[terrain.at_loose, 1]
    if hope < draft.total[NEED] or _in_pieces(terrain, draft):
        take_back(terrain, draft)
        return False
    if terrain.rolling > 0:
        _roll(terrain, draft)
        if _value(draft) < draft.total[NEED]:
            _roll_back(terrain, draft)
            take_back(terrain, draft)
            return False
    return True


@inner
def _remember(draft: Draft, best_block: Ints, best_option: Ints) -> None:
    """Copy what was accepted since the last call."""
    if draft.counters[CHANGED] < 0:
        for i in range(len(best_block)):
            best_block[i] = draft.block[i]
        for k in range(len(best_option)):
            best_option[k] = draft.option[k]
    else:
        changed = draft.journal
        at = len(changed)
        for c in range(draft.counters[CHANGED]):
            what = changed[at - 1 - c, 0]
            if what < 0:
                best_option[-1 - what] = draft.option[-1 - what]
            else:
                best_block[what] = draft.block[what]
    draft.counters[CHANGED] = 0


@inner
def _note_changes(draft: Draft) -> None:
    """Add the journal to the changes since the best draft, listed from the end of the same array."""
    changed = draft.counters[CHANGED]
    if changed < 0:
        return
    if changed + draft.counters[JOURNAL] > len(draft.journal) // 3:
        draft.counters[CHANGED] = -1
        return
    for q in range(draft.counters[JOURNAL]):
        draft.journal[len(draft.journal) - 1 - changed - q, 0] = draft.journal[q, 0]
    draft.counters[CHANGED] = changed + draft.counters[JOURNAL]


@inner
def _walk(
    terrain: Terrain,
    draft: Draft,
    seed: int,
    moves: int,
    hot: float,
    cold: float,
    best_block: Ints,
    best_option: Ints,
    result: Floats,
) -> None:
    """See `anneal`."""
    shuffle(draft, seed)
    sum_up(terrain, draft)
    draft.counters[CHANGED] = -1
    value, best = _value(draft), -np.inf
    if draft.counters[BROKEN] == 0:
        best = value
        _remember(draft, best_block, best_option)
    ratio = (cold / hot) ** (1.0 / max(moves, 1))
    temperature = hot
    land = 0.0
    for i in range(len(terrain.real)):
        land += terrain.real[i, AREA]
    noise = hot * 2.0 / max(terrain.least, land / max(len(terrain.real), 1))
    for _ in range(moves):
        temperature *= ratio
        draft.counters[JOURNAL] = 0
        draft.counters[CHECKS] = 0
        draft.total[NEED] = value + temperature * math.log(chance(draft))
        if not propose(terrain, draft, noise):
            take_back(terrain, draft)
        elif _judge(terrain, draft):
            value = _value(draft)
            _note_changes(draft)
            if draft.counters[BROKEN] == 0 and (best == -np.inf or value > best + 1e-9 * abs(best)):
                best = value
                _remember(draft, best_block, best_option)
    result[0] = best
    result[1] = draft.total[WORTH] - draft.total[UNMET]
    result[2] = draft.total[PENALTY]


@compiled
def anneal(
    terrain: Terrain,
    draft: Draft,
    seed: int,
    moves: int,
    hot: float,
    cold: float,
    best_block: Ints,
    best_option: Ints,
    result: Floats,
) -> None:
    """Run `moves` moves from temperature `hot` down to `cold` (currency, geometric), changing `draft` in place.

    `best_block` and `best_option` receive the best draft that breaks no rule; `result[0]` its objective (-inf without
    one), `result[1]` the final objective, `result[2]` the final price of broken rules.
    """
    _walk(by_reference(terrain), by_reference(draft), seed, moves, hot, cold, best_block, best_option, result)
