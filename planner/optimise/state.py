"""A plan in the making, as arrays that compiled code changes in place and can take back.

`Terrain` never changes; `Draft` is the current assignment with running sums. Every change goes through `put` and
`set_option`, which write a journal, so that a rejected move of any size is undone by
`take_back`. The price of broken rules is
kept with the sums: it is exactly 0 when no account is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from planner.optimise.compiled import by_reference, compiled, inner
from planner.optimise.loose import weigh_zone
from planner.optimise.terrain import (
    AIM,
    AIM_PRICE,
    AREA,
    BLOCK_ZONE,
    CALM,
    FILLER,
    HIGH,
    LEAST_PRICE,
    LOCKED,
    LOW,
    MODE,
    PATCH,
    PHASE,
    PRICE,
    PROJECT,
    ROW,
    ROW_END,
    RULE,
    SLACK,
    VILLAGE,
    Narrow,
    Terrain,
    make_terrain,
)
from planner.problem import Floats, Ints

__all__ = [
    "Draft",
    "Terrain",
    "adapt_prices",
    "empty_draft",
    "keeps_limits",
    "load",
    "make_terrain",
    "place",
    "reoption",
    "undo",
]

PRICE_UP: Final = 2.0
PRICE_DOWN: Final = 0.85

WORTH, PENALTY, UNMET, NEED = range(4)
"""Places of `Draft.total`."""
SIZE, ZONE, VILLAGES, OUTSIDE = range(4)
"""Columns of `Draft.tally`."""
MARK, QUEUE, HELD, TREE, ABOVE, FRONT, SIDE, ROSTER, SEAT = range(9)
"""Rows of `Draft.scratch`."""
JOURNAL, STAMP, SLOT, BROKEN, CHECKS, TAKEN, RANDOM, CHANGED, MOVE, CHECK = range(10)
"""Places of `Draft.counters`; pairs of parcel and slot to be checked stand from `CHECK` on."""
_CHECK_PLACES: Final = 8
HEADS: Final = CHECK + _CHECK_PLACES
"""From here on `Draft.counters` is scratch for the rolling rule."""


class Draft(NamedTuple):
    """Current assignment and its running sums; B block slots, A accounts.

    Attributes
    ----------
    block : int64[n]
        Slot of each parcel, -1 = not selected.
    option : int64[B]
    sum : float64[B, 2 + R]
        Mu, mu of filler and weights of the block rules in each slot.
    tally : int32[B, 3 + Q]
        Parcels, zone, villages, and parcels outside each kind of project.
    village : int32[B, villages]
        Parcels by village; one by one without a limit on villages.
    level : float64[A]
        What stands in each account.
    price : float64[A, 2]
        Currency per unit below and above the limits; raised while they are broken.
    total : float64[4]
        Worth; price of broken rules; price of unmet stretch; what a move has to reach.
    loose : float64[zones, 3]
        Rolling rule: mu in loose pieces, the same before the move, number of the move that touched the zone.
    journal : int32[capacity, 2]
    scratch : int32[9, places]
        `ROSTER` lists the selected parcels, `SEAT` says where each stands in it; the others hold nothing for long.
    heap : float64[n]
        Scratch.
    counters : int64[...]
    """

    block: Ints
    option: Ints
    sum: Floats
    tally: Narrow
    village: Narrow
    level: Floats
    price: Floats
    total: Floats
    loose: Floats
    journal: Narrow
    scratch: Narrow
    heap: Floats
    counters: Ints


def empty_draft(terrain: Terrain, slots: int | None = None) -> Draft:
    """A draft with nothing selected and first prices.

    Parameters
    ----------
    terrain : Terrain
    slots : int or None
        How many blocks it can hold; None = as many as fit the land.
    """
    n, n_phases = len(terrain.tag), terrain.phases
    accounts = len(terrain.account)
    if slots is None:
        slots = int(min(n, terrain.real[:, AREA].sum() / max(terrain.least, 1e-9))) + 4
    named = (slots, int(terrain.tag[:, VILLAGE].max(initial=0)) + 1) if terrain.villages else (1, 1)
    zones = int(terrain.tag[:, PATCH].max(initial=0)) + 1 if terrain.rolling else 1
    draft = Draft(
        block=np.full(n, -1, dtype=np.int64),
        option=np.zeros(slots, dtype=np.int64),
        sum=np.zeros((slots, RULE + terrain.rules)),
        tally=np.zeros((slots, OUTSIDE + terrain.projects), dtype=np.int32),
        village=np.zeros(named, dtype=np.int32),
        level=np.zeros(accounts),
        price=np.repeat(terrain.account[:, PRICE : PRICE + 1], 2, axis=1),
        total=np.zeros(4),
        loose=np.zeros((zones, 3)),
        journal=np.zeros((8 * n + 64, 2), dtype=np.int32),
        scratch=np.zeros((9, len(terrain.link) + 1), dtype=np.int32),
        heap=np.zeros(n),
        counters=np.zeros(HEADS + 2 * n_phases + 2, dtype=np.int64),
    )
    settle(terrain, draft)
    return draft


def load(terrain: Terrain, draft: Draft, blocks: Iterable[tuple[Sequence[int], int]]) -> None:
    """Put a plan into a draft in place of what it holds.

    Parameters
    ----------
    terrain, draft
        Prices of the draft stay.
    blocks : iterable of (parcels, option)
    """
    draft.block[:] = -1
    for k, (parcels, option) in enumerate(blocks):
        draft.block[list(parcels)] = k
        draft.option[k] = option
    settle(terrain, draft)


def adapt_prices(terrain: Terrain, draft: Draft) -> None:
    """Raise the price of every rule that the draft breaks, lower the others a little."""
    account, level = terrain.account, draft.level
    draft.price[:, 0] *= np.where(level < account[:, LOW], PRICE_UP, PRICE_DOWN)
    draft.price[:, 1] *= np.where(level > account[:, HIGH], PRICE_UP, PRICE_DOWN)
    np.maximum(draft.price, account[:, LEAST_PRICE, None], out=draft.price)


def keeps_limits(terrain: Terrain, draft: Draft) -> bool:
    """Whether a draft breaks no rule but, perhaps, floors."""
    return bool((draft.level <= terrain.account[:, HIGH]).all())


@inner
def broken_price(terrain: Terrain, draft: Draft, a: int, level: float) -> float:
    """Price of a level of account `a` outside its limits."""
    if level < terrain.account[a, LOW]:
        return float((terrain.account[a, LOW] - level) * draft.price[a, 0])
    if level > terrain.account[a, HIGH]:
        return float((level - terrain.account[a, HIGH]) * draft.price[a, 1])
    return 0.0


@inner
def book(terrain: Terrain, draft: Draft, a: int, change: float) -> None:
    """Change an account, and the prices with it."""
    old = draft.level[a]
    new = old + change
    draft.level[a] = new
    calm, high = terrain.account[a, CALM], terrain.account[a, HIGH]
    if old >= calm and new >= calm and old <= high and new <= high:
        return
    before, after = broken_price(terrain, draft, a, old), broken_price(terrain, draft, a, new)
    if before > 0.0:
        draft.counters[BROKEN] -= 1
    if after > 0.0:
        draft.counters[BROKEN] += 1
    if draft.counters[BROKEN] == 0:
        draft.total[PENALTY] = 0.0
    else:
        draft.total[PENALTY] += after - before
    if terrain.account[a, AIM_PRICE] > 0.0:
        aim = terrain.account[a, AIM]
        draft.total[UNMET] += terrain.account[a, AIM_PRICE] * (max(0.0, aim - new) - max(0.0, aim - old))


@inner
def _book_projects(terrain: Terrain, draft: Draft, k: int, sign: float) -> None:
    """Count slot k, or count it no more, in the targets whose projects it is one of."""
    option, last = draft.option[k], terrain.first.shape[1] - 1
    for q in range(terrain.projects):
        if draft.tally[k, OUTSIDE + q] == 0 and draft.sum[k, AREA] >= terrain.project_mu[q]:
            row = len(terrain.first) - terrain.projects + q
            for a in range(terrain.first[row, option], terrain.first[row, last]):
                book(terrain, draft, a, sign)


@inner
def _book_parcel(terrain: Terrain, draft: Draft, i: int, option: int, sign: float) -> None:
    """Accounts that are sums over parcels."""
    phase, mode = terrain.option[option, PHASE], terrain.option[option, MODE]
    last = terrain.first.shape[1] - 1
    for p in range(terrain.tag[i, ROW], terrain.tag[i, ROW_END]):
        row = terrain.row[p]
        for a in range(terrain.first[row, option], terrain.first[row, last]):
            book(terrain, draft, a, sign * terrain.amount[p, mode])
    if terrain.at_money >= 0:
        book(terrain, draft, terrain.at_money + phase, sign * terrain.cost[i, option])
    for r in range(terrain.resources):
        a = terrain.at_resource + r * terrain.phases + phase
        book(terrain, draft, a, sign * terrain.real[i, RULE + terrain.rules + r])
    for s in range(terrain.periods):
        if terrain.timed[i, option, s] != 0.0:
            book(terrain, draft, terrain.at_timed + s, sign * terrain.timed[i, option, s])
    if terrain.tag[i, LOCKED]:
        book(terrain, draft, terrain.at_lock, -sign)


@inner
def _count_village(terrain: Terrain, draft: Draft, i: int, k: int, change: int) -> None:
    village = terrain.tag[i, VILLAGE]
    if village >= 0:
        before = draft.village[k, village]
        draft.village[k, village] = before + change
        if before == 0:
            draft.tally[k, VILLAGES] += 1
        elif before + change == 0:
            draft.tally[k, VILLAGES] -= 1


@inner
def _enter(terrain: Terrain, draft: Draft, i: int, k: int, change: int) -> None:
    """Parcel i (in no slot) is added to the sums of slot k, or with `change` = -1 taken from them."""
    option = draft.option[k]
    sign = float(change)
    if draft.tally[k, SIZE] == 0:
        book(terrain, draft, terrain.at_blocks + terrain.option[option, PHASE], 1.0)
        draft.tally[k, ZONE] = terrain.tag[i, BLOCK_ZONE]
        draft.sum[k, :] = 0.0  # starts clean: no rounding left over from earlier blocks
    elif terrain.projects > 0:
        _book_projects(terrain, draft, k, -1.0)
    worth = terrain.worth[i, option]
    for p in range(terrain.link[i], terrain.link[i + 1]):
        worth += terrain.saving[p] if draft.block[terrain.link[p]] == k else 0.0  # no branch
    draft.total[WORTH] += sign * worth
    draft.tally[k, SIZE] += change
    for c in range(RULE + terrain.rules):
        draft.sum[k, c] += sign * terrain.real[i, c]
    for q in range(terrain.projects):
        draft.tally[k, OUTSIDE + q] += change * (1 - terrain.tag[i, PROJECT + q])
    if terrain.villages > 0:
        _count_village(terrain, draft, i, k, change)
    _book_parcel(terrain, draft, i, option, sign)
    if draft.tally[k, SIZE] == 0:
        book(terrain, draft, terrain.at_blocks + terrain.option[option, PHASE], -1.0)
    elif terrain.projects > 0:
        _book_projects(terrain, draft, k, 1.0)


@inner
def _move(terrain: Terrain, draft: Draft, i: int, k: int) -> None:
    """Parcel i goes to slot k (-1 = nowhere)."""
    old = draft.block[i]
    draft.block[i] = -1
    if old >= 0:
        _enter(terrain, draft, i, old, -1)
        if k < 0:
            draft.counters[TAKEN] -= 1
            seat, last = draft.scratch[SEAT, i], draft.scratch[ROSTER, draft.counters[TAKEN]]
            draft.scratch[ROSTER, seat] = last
            draft.scratch[SEAT, last] = seat
    if k >= 0:
        _enter(terrain, draft, i, k, 1)
        draft.block[i] = k
        if old < 0:
            draft.scratch[ROSTER, draft.counters[TAKEN]] = i
            draft.scratch[SEAT, i] = draft.counters[TAKEN]
            draft.counters[TAKEN] += 1


@inner
def put(terrain: Terrain, draft: Draft, i: int, k: int) -> None:
    """Move parcel `i` to slot `k` (-1 = nowhere) and note it in the journal."""
    at = draft.counters[JOURNAL]
    draft.journal[at, 0] = i
    draft.journal[at, 1] = draft.block[i]
    draft.counters[JOURNAL] = at + 1
    _move(terrain, draft, i, k)


@inner
def set_option(draft: Draft, k: int, option: int) -> None:
    """Give an empty slot an option and note it in the journal."""
    at = draft.counters[JOURNAL]
    draft.journal[at, 0] = -1 - k
    draft.journal[at, 1] = draft.option[k]
    draft.counters[JOURNAL] = at + 1
    draft.option[k] = option


@inner
def take_back(terrain: Terrain, draft: Draft) -> None:
    """Take back everything since the journal was last emptied."""
    while draft.counters[JOURNAL] > 0:
        draft.counters[JOURNAL] -= 1
        what = draft.journal[draft.counters[JOURNAL], 0]
        old = draft.journal[draft.counters[JOURNAL], 1]
        if what < 0:
            draft.option[-1 - what] = old
        else:
            _move(terrain, draft, what, old)


@inner
def sum_up(terrain: Terrain, draft: Draft) -> None:
    """Compute every sum and price anew from `block` and `option`."""
    draft.sum[:, :] = 0.0
    draft.tally[:, :] = 0
    draft.village[:, :] = 0
    draft.level[:] = 0.0
    draft.total[:] = 0.0
    draft.loose[:, :] = 0.0
    draft.counters[JOURNAL] = 0
    draft.counters[BROKEN] = 0
    draft.counters[TAKEN] = 0
    draft.scratch[MARK, :] = 0
    draft.counters[STAMP] = 0
    for i in range(len(terrain.tag)):
        draft.level[terrain.at_lock] += terrain.tag[i, LOCKED]
    for a in range(len(terrain.account)):
        price = broken_price(terrain, draft, a, draft.level[a])
        if price > 0.0:
            draft.counters[BROKEN] += 1
            draft.total[PENALTY] += price
        if terrain.account[a, AIM_PRICE] > 0.0:
            draft.total[UNMET] += terrain.account[a, AIM_PRICE] * max(0.0, terrain.account[a, AIM])
    for i in range(len(terrain.tag)):
        draft.scratch[HELD, i] = draft.block[i]
        draft.block[i] = -1
    for i in range(len(terrain.tag)):
        if draft.scratch[HELD, i] >= 0:
            _move(terrain, draft, i, draft.scratch[HELD, i])
    if terrain.rolling > 0:
        for zone in range(len(draft.loose)):
            roll_zone(terrain, draft, zone)


@inner
def roll_zone(terrain: Terrain, draft: Draft, zone: int) -> None:
    """Bring the loose land of a zone up to date."""
    loose = weigh_zone(
        terrain, draft.block, draft.option, draft.scratch[TREE], draft.scratch[ABOVE], draft.scratch[FRONT], draft.heap,
        draft.counters[HEADS:], zone
    )  # fmt: skip
    if loose != draft.loose[zone, 0]:
        book(terrain, draft, terrain.at_loose, loose - draft.loose[zone, 0])
        draft.loose[zone, 0] = loose


@inner
def sound(terrain: Terrain, draft: Draft, k: int) -> bool:
    """Whether a block keeps all rules for blocks but being one piece and available (or is empty)."""
    if draft.tally[k, SIZE] == 0:
        return True
    area = draft.sum[k, AREA]
    if area < terrain.least - SLACK or area > terrain.most + SLACK:
        return False
    if draft.sum[k, FILLER] > terrain.filler_share * area + SLACK:
        return False
    mode = terrain.option[draft.option[k], MODE]
    for r in range(terrain.rules):
        if draft.sum[k, RULE + r] < terrain.bound[r, mode]:
            return False
    return bool(terrain.villages == 0 or draft.tally[k, VILLAGES] <= terrain.villages)


@inner
def free_slot(draft: Draft) -> int:
    """An empty block slot, -1 if there is none."""
    n = len(draft.option)
    k = draft.counters[SLOT]
    for _ in range(n):
        if draft.tally[k, SIZE] == 0:
            draft.counters[SLOT] = k
            return int(k)
        k = k + 1 if k + 1 < n else 0
    return -1


@compiled
def place(terrain: Terrain, draft: Draft, i: int, k: int) -> None:
    """`put`, from Python."""
    put(by_reference(terrain), by_reference(draft), i, k)


@compiled
def reoption(draft: Draft, k: int, option: int) -> None:
    """`set_option`, from Python."""
    set_option(by_reference(draft), k, option)


@compiled
def undo(terrain: Terrain, draft: Draft) -> None:
    """`take_back`, from Python."""
    take_back(by_reference(terrain), by_reference(draft))


@compiled
def settle(terrain: Terrain, draft: Draft) -> None:
    """`sum_up`, from Python."""
    sum_up(by_reference(terrain), by_reference(draft))
