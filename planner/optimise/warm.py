"""Compiles the inner loops before the clock of a solve starts."""

from __future__ import annotations

import sys
import time

import numpy as np

from planner.optimise.anneal import anneal
from planner.optimise.bound import compile_bound
from planner.optimise.columns import Pool
from planner.optimise.cuts import separate
from planner.optimise.graph import build_graph
from planner.optimise.options import availability, make_options
from planner.optimise.pricing import price_blocks
from planner.optimise.state import empty_draft, make_terrain
from planner.problem import Phase, Problem


def compile_search() -> float:
    """Run every compiled loop once on a toy problem, and return the seconds it took.

    The first time on a machine that is a compilation (tens of seconds); afterwards the code comes from the cache.
    """
    started = time.monotonic()
    problem = _toy()
    graph, open_ = build_graph(problem), availability(problem)
    terrain = make_terrain(problem, graph, open_, problem.lock_by)
    draft = empty_draft(terrain)
    anneal(terrain, draft, 0, 1, 1.0, 0.5, draft.block.copy(), draft.option.copy(), np.empty(3))
    seeds = np.arange(problem.n)
    price_blocks(terrain, terrain.worth, seeds, np.zeros_like(seeds), np.zeros(1), 0.1, 0, 0.0)
    separate(graph.start, graph.neighbour, problem.area_mu, np.zeros(problem.n), seeds, 2.0, 1e-4, 0, 10, 10)
    compile_bound(problem, graph, open_)
    Pool(problem, graph, open_, make_options(problem)).add([0, 1])
    return time.monotonic() - started


def _toy() -> Problem:
    """Four parcels in a row."""
    n = 4
    pairs = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1).astype(np.int64)
    return Problem(
        parcel_ids=tuple("abcd"),
        area_mu=np.ones(n),
        benefit=np.ones(n),
        cost=np.zeros(n),
        perimeter_m=np.full(n, 4.0),
        selectable=np.ones(n, dtype=np.bool_),
        filler=np.zeros(n, dtype=np.bool_),
        zone=np.full(n, -1, dtype=np.int64),
        earliest=np.zeros(n, dtype=np.int64),
        lock_by=np.full(n, -1, dtype=np.int64),
        pairs=pairs,
        shared_m=np.ones(n - 1),
        link_pairs=np.empty((0, 2), dtype=np.int64),
        gap_m=np.empty(0),
        zones=(),
        phases=(Phase("P1", 1, 1.0),),
        targets=(),
        block_min_mu=1.0,
        block_max_mu=4.0,
    )


def main() -> None:
    """Compile as a step of an installation: ``python -m planner.optimise.warm``."""
    sys.stdout.write("Compiling the search (once per machine) …\n")
    sys.stdout.flush()
    sys.stdout.write(f"ready after {compile_search():.0f} s\n")


if __name__ == "__main__":
    main()
