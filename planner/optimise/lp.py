"""Linear programs through MathOpt: HiGHS from nothing, GLOP from where it ended before.

Models are filled as protocol buffers from arrays, because building them term by term takes longer than solving.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
    solution_pb2,
    sparse_containers_pb2,
)
from ortools.math_opt.core.python import solver
from scipy.sparse import csr_matrix

from planner.problem import Floats, Ints

_LOG = logging.getLogger(__name__)
ROUNDING: Final = 1e-12
"""Error of a sum, as a share of its absolute terms: thousands of times what adding so many doubles can lose."""
AT_LOWER: Final = int(solution_pb2.BASIS_STATUS_AT_LOWER_BOUND)
BASIC: Final = int(solution_pb2.BASIS_STATUS_BASIC)


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Maximise c·x subject to lo ≤ A·x ≤ hi and 0 ≤ x ≤ upper.

    Attributes
    ----------
    c, upper : float64[variables]
    matrix : csr_matrix[rows, variables]
    lo, hi : float64[rows]
        ±inf where a side is open.
    """

    c: Floats
    upper: Floats
    matrix: csr_matrix
    lo: Floats
    hi: Floats


@dataclass(frozen=True, eq=False)
class LpSolution:
    """Primal point and multipliers of a solved program."""

    x: Floats
    row_dual: Floats
    objective: float


def _sparse(values: Floats) -> sparse_containers_pb2.SparseDoubleVectorProto:
    keep = np.flatnonzero(values)
    return sparse_containers_pb2.SparseDoubleVectorProto(ids=keep.tolist(), values=values[keep].tolist())


def to_proto(lp: LinearProgram, integers: int = 0) -> model_pb2.ModelProto:
    """The program for MathOpt; the first `integers` variables are whole numbers."""
    n_rows, n_columns = lp.matrix.shape
    coordinates = lp.matrix.tocoo()
    order = np.lexsort((coordinates.col, coordinates.row))
    return model_pb2.ModelProto(
        variables=model_pb2.VariablesProto(
            ids=range(n_columns),
            lower_bounds=np.zeros(n_columns).tolist(),
            upper_bounds=lp.upper.tolist(),
            integers=(np.arange(n_columns) < integers).tolist(),
        ),
        objective=model_pb2.ObjectiveProto(maximize=True, linear_coefficients=_sparse(lp.c)),
        linear_constraints=model_pb2.LinearConstraintsProto(
            ids=range(n_rows), lower_bounds=lp.lo.tolist(), upper_bounds=lp.hi.tolist()
        ),
        linear_constraint_matrix=sparse_containers_pb2.SparseDoubleMatrixProto(
            row_ids=coordinates.row[order].tolist(),
            column_ids=coordinates.col[order].tolist(),
            coefficients=coordinates.data[order].tolist(),
        ),
    )


@dataclass(frozen=True, eq=False)
class Basis:
    """Where a simplex ended: MathOpt's status of each variable and each row, int64."""

    variables: Ints
    rows: Ints


def solve_lp(lp: LinearProgram, time_limit_s: float, scale: float | None = None) -> LpSolution | None:
    """Solve with HiGHS; None when it stops without an optimal primal and dual point (time, trouble, infeasible).

    The objective is divided by `scale`, by default its largest coefficient: currency reaches 1e10, which is outside
    any solver's tolerances.
    """
    scale = scale or float(np.abs(lp.c).max(initial=0.0)) or 1.0
    result = _solve(lp, parameters_pb2.SOLVER_TYPE_HIGHS, time_limit_s, scale, None)
    return None if result is None else _read(lp, result, scale)


def solve_lp_from(
    lp: LinearProgram, time_limit_s: float, basis: Basis | None, *, dual: bool = False
) -> tuple[LpSolution, Basis] | None:
    """Solve with the simplex of GLOP from a basis; the answer, or None as `solve_lp`, and where it ended.

    From the basis of a program with most of the same columns it is several times as fast as HiGHS from nothing. The
    primal simplex is for further columns, the dual one for tighter bounds of the same.
    """
    scale = float(np.abs(lp.c).max(initial=0.0)) or 1.0
    result = _solve(lp, parameters_pb2.SOLVER_TYPE_GLOP, time_limit_s, scale, basis, dual=dual)
    solution = None if result is None else _read(lp, result, scale)
    if result is None or solution is None or not result.solutions[0].HasField("basis"):
        return None
    ended = result.solutions[0].basis
    variables, rows = np.full(len(lp.c), AT_LOWER, dtype=np.int64), np.full(len(lp.lo), BASIC, dtype=np.int64)
    variables[np.fromiter(ended.variable_status.ids, dtype=np.int64)] = list(ended.variable_status.values)
    rows[np.fromiter(ended.constraint_status.ids, dtype=np.int64)] = list(ended.constraint_status.values)
    return solution, Basis(variables, rows)


def _solve(
    lp: LinearProgram, solver_type: int, time_limit_s: float, scale: float, basis: Basis | None, *, dual: bool = False
) -> result_pb2.SolveResultProto | None:
    """The answer of a solver; None where it fails."""
    scaled = LinearProgram(lp.c / scale, lp.upper, lp.matrix, lp.lo, lp.hi)
    parameters = parameters_pb2.SolveParametersProto()
    parameters.time_limit.FromNanoseconds(max(1, int(time_limit_s * 1e9)))
    by_model = model_parameters_pb2.ModelSolveParametersProto()
    if solver_type == parameters_pb2.SOLVER_TYPE_GLOP:
        simplex = parameters_pb2.LP_ALGORITHM_DUAL_SIMPLEX if dual else parameters_pb2.LP_ALGORITHM_PRIMAL_SIMPLEX
        parameters.lp_algorithm = simplex
    if basis is not None:
        by_model.initial_basis.variable_status.ids.extend(range(len(basis.variables)))
        by_model.initial_basis.variable_status.values.extend(basis.variables.tolist())
        by_model.initial_basis.constraint_status.ids.extend(range(len(basis.rows)))
        by_model.initial_basis.constraint_status.values.extend(basis.rows.tolist())
    try:
        return solver.solve(
            to_proto(scaled),
            solver_type,
            parameters_pb2.SolverInitializerProto(),
            parameters,
            by_model,
            None,
            callback_pb2.CallbackRegistrationProto(),
            None,
            None,
        )
    except Exception as error:  # noqa: BLE001 - the binding raises unrelated types; a missing LP only weakens the bound
        _LOG.warning("linear program not solved: %s", error)
        return None


def _read(lp: LinearProgram, result: result_pb2.SolveResultProto, scale: float) -> LpSolution | None:
    """The optimal primal and dual point, where there is one."""
    if result.termination.reason != result_pb2.TERMINATION_REASON_OPTIMAL or not result.solutions:
        return None
    solution = result.solutions[0]
    if solution.dual_solution.feasibility_status != solution_pb2.SOLUTION_STATUS_FEASIBLE:
        return None
    x = np.zeros(len(lp.c))
    primal = solution.primal_solution.variable_values
    x[np.fromiter(primal.ids, dtype=np.int64)] = np.fromiter(primal.values, dtype=float)
    dual = np.zeros(len(lp.lo))
    duals = solution.dual_solution.dual_values
    dual[np.fromiter(duals.ids, dtype=np.int64)] = np.fromiter(duals.values, dtype=float)
    return LpSolution(x, dual * scale, float(lp.c @ x))
