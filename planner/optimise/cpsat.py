"""The settings of CP-SAT that programs over firms and projects share."""

from __future__ import annotations

from ortools.sat.python import cp_model


def careful_solver(time_limit_s: float, work: float | None, seed: int) -> cp_model.CpSolver:
    """A solver whose answer depends on counted work and seed alone, as long as that work fits into its time.

    Parameters
    ----------
    time_limit_s : float
    work : float or None
        Deterministic time at which to stop; None = no such limit.
    seed : int
    """
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit_s
    if work is not None:
        solver.parameters.max_deterministic_time = work
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2  # twice as quick at 600 units and 25 sites, and closer
    solver.parameters.random_seed = seed
    # part of the presolve of OR-Tools 9.15 has called wrong answers optimal (seen on set packing with limits)
    solver.parameters.presolve_inclusion_work_limit = 0
    solver.parameters.catch_sigint_signal = False  # the caller decides what Ctrl-C means
    return solver
