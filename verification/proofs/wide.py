"""The reduced system of a support wider than the rows, in n + |U| unknowns, docs/proofs.md (EXACT).

With L2_j > 0 outside U, W_j = (X_j' T r - L1_j sign_j) / L2_j, so the residual r solves

    (I + sum_j X_j X_j' T / L2_j) r + X_U W_U = Y + sum_j X_j L1_j sign_j / L2_j,       X_U' T r = 0

and this matrix is regular if and only if the reduced matrix is (a Schur complement of the same system).
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb, arb_mat, fmpz_mat

from .integers import Integers

WIDER = 2  # times as many coefficients as unknowns of this form, for it to be worth while


def is_wide(data: Integers, support: Sequence[int]) -> bool:
    """Whether this form has far fewer unknowns."""
    if data.l2 == 0:
        return False
    unpenalised = sum(1 for j in support if j == data.p or data.v[j] == 0)
    return len(support) > WIDER * (data.n + unpenalised)


def solve_wide(data: Integers, support: Sequence[int], signs: Sequence[int]) -> list[arb]:
    """Return W_j in the order of the support, at the working precision.

    Raises
    ------
    ZeroDivisionError
        If the matrix is not provably regular.
    """
    n = data.n
    free = [j for j in support if j == data.p or data.v[j] == 0]
    ridge = [(j, s) for j, s in zip(support, signs, strict=True) if j != data.p and data.v[j] != 0]
    m = n + len(free)
    rows = [data.column(j)[0] for j, _ in ridge]
    penalties = [data.penalties(j) for j, _ in ridge]
    X = arb_mat(fmpz_mat(len(rows), n, [x for row in rows for x in row]))
    inverse = [1 / arb(l2) for _, l2 in penalties]
    divided = arb_mat(len(rows), n, [x * d for row, d in zip(rows, inverse, strict=True) for x in row])
    K = X.transpose() * divided
    pull = [arb(l1 * s) for (l1, _), (_, s) in zip(penalties, ridge, strict=True)]
    shift = divided.transpose() * arb_mat(len(rows), 1, pull)
    A = arb_mat(m, m)
    g = arb_mat(m, 1)
    for i in range(n):
        for k in range(n):
            A[i, k] = K[i, k] * data.T[k]
        A[i, i] = A[i, i] + 1
        g[i, 0] = data.Y[i] + shift[i, 0]
    for c, j in enumerate(free):
        for i, x in enumerate(data.column(j)[0]):
            A[i, n + c] = arb(x)
            A[n + c, i] = arb(x * data.T[i])
    z = A.solve(g)
    weighted = arb_mat(n, 1, [z[i, 0] * data.T[i] for i in range(n)])
    u = X * weighted
    found = {j: z[n + c, 0] for c, j in enumerate(free)}
    found |= {j: (u[i, 0] - pull[i]) * inverse[i] for i, (j, _) in enumerate(ridge)}
    return [found[j] for j in support]
