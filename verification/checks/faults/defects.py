"""Alarms that honest solvers deserve: defects of the packages behind them, each with its figure.

An alarm that stands here is no false one. It stays an alarm on the page; one that no longer shows has to go.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DEFECTS"]

# (solver, check): what the check found, and why that is the solver's own
DEFECTS: Mapping[tuple[str, str], str] = {
    ("cvxpy_clarabel", "zeros_above_l1_max"): (
        "asked for 1e-10 at l1 = l1_max, where w_j = 0 and |u_j| = l1, Clarabel 0.11.1 says Solved 9e-3 N "
        "above the optimum: its own gap had come down to 2e-10, was lost to rounding, and fell elsewhere"
    ),
    ("cvxpy_osqp", "honest_status"): (
        "asked for 1e-10, OSQP 1.1.3 is not through after 1,000,000 iterations on a wide elastic net with a "
        "condition number below 100, and says so; what it has polished by then is exact (a gap of 1e-17 N)"
    ),
}
