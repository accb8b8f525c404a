"""Whether blocks are one piece, on the graph of contacts."""

from __future__ import annotations

from planner.optimise.compiled import inner
from planner.optimise.state import HELD, MARK, QUEUE, STAMP, Draft
from planner.optimise.terrain import Terrain


@inner
def collect(terrain: Terrain, draft: Draft, i: int) -> int:
    """Write the connected part of i's block that contains i to the row `HELD`; return its size."""
    k = draft.block[i]
    mark, held = draft.scratch[MARK], draft.scratch[HELD]
    draft.counters[STAMP] += 1
    stamp = draft.counters[STAMP]
    held[0] = i
    mark[i] = stamp
    head, tail = 0, 1
    while head < tail:
        j = held[head]
        head += 1
        for p in range(terrain.link[j], terrain.link[j + 1]):
            m = terrain.link[p]
            if draft.block[m] == k and mark[m] != stamp:
                mark[m] = stamp
                held[tail] = m
                tail += 1
    return tail


@inner
def whole_around(terrain: Terrain, draft: Draft, i: int, k: int) -> bool:
    """Whether the neighbours of i in slot k, to which i does not belong, reach each other within the slot.

    If the slot was one piece with i, it is one piece without i.
    """
    mark, queue = draft.scratch[MARK], draft.scratch[QUEUE]
    draft.counters[STAMP] += 2
    stamp = draft.counters[STAMP]  # stamp - 1 marks the neighbours still wanted
    wanted, first = 0, -1
    for p in range(terrain.link[i], terrain.link[i + 1]):
        if draft.block[terrain.link[p]] == k:
            wanted += 1
            first = terrain.link[p]
            mark[first] = stamp - 1
    if wanted <= 1:
        return True
    mark[first] = stamp
    queue[0] = first
    wanted -= 1
    head, tail = 0, 1
    while head < tail:  # mostly they reach each other round i
        j = queue[head]
        head += 1
        for p in range(terrain.link[j], terrain.link[j + 1]):
            m = terrain.link[p]
            if mark[m] == stamp - 1:
                mark[m] = stamp
                queue[tail] = m
                tail += 1
                wanted -= 1
                if wanted == 0:
                    return True
    head = 0
    while head < tail:
        j = queue[head]
        head += 1
        for p in range(terrain.link[j], terrain.link[j + 1]):
            m = terrain.link[p]
            if draft.block[m] != k or mark[m] == stamp:
                continue
            if mark[m] == stamp - 1:
                wanted -= 1
                if wanted == 0:
                    return True
            mark[m] = stamp
            queue[tail] = m
            tail += 1
    return False
