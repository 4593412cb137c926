"""Projection on the unpenalised columns and the constant, docs/maths.md (U)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular
from scipy.sparse.linalg import LinearOperator, lsmr

from .design import Design, Vector

DENSE = 2**24  # entries of a sparse X's columns that may be made dense for a QR (128 MiB)
EPS = float(np.finfo(np.float64).eps)


class Span:
    """The space spanned by sqrt(s) x'_j, j in `members`, and sqrt(s) 1 if `constant`.

    Parameters
    ----------
    design : Design
    members : (k,) int array
    constant : bool

    Notes
    -----
    Pivoted QR of the equilibrated columns; what is left below max(n, k) eps is dependent and dropped, for it
    would be a direction of rounding errors. LSMR instead of QR if X is sparse and the columns would not fit.
    """

    def __init__(self, design: Design, members: NDArray[np.intp], constant: bool) -> None:
        self.members = members[~design.constant[members]] if constant else members
        self.members = self.members[design.norm[self.members] > 0]
        self._design = design
        self._constant = design.root / np.linalg.norm(design.root) if constant else None
        self._size = self.members.size + constant
        self._exact = not design.sparse or design.n * self._size <= DENSE
        if self._exact and self.members.size:
            A = self._without_constant(design.columns(self.members))
            self._norm = np.linalg.norm(A, axis=0)
            A /= self._norm
            self._Q, self._R, self._pivot = qr(A, mode="economic", pivoting=True)
            diagonal = np.abs(np.diag(self._R))
            self.rank = int(np.sum(diagonal > max(A.shape) * EPS * diagonal[0]))
            self._Q, self._R = self._Q[:, : self.rank], self._R[: self.rank, : self.rank]

    def _without_constant(self, A: Vector) -> Vector:
        if self._constant is None:
            return A
        for _ in range(2):  # twice is enough: the second removes what rounding left of the first
            A = A - np.multiply.outer(self._constant, self._constant @ A)
        return A

    def split(self, r: Vector) -> tuple[Vector, Vector]:
        """Return (beta, rest): rest (n,) is orthogonal to the span, r - rest is the fit.

        beta (k,) are coefficients of that fit on `members` (scaled as the design), zero for dropped columns.
        """
        beta = np.zeros(self.members.size)
        rest = self._without_constant(r)
        if not self.members.size:
            return beta, rest
        for _ in range(2):
            step, rest = self._once(rest)
            beta += step
        return beta, self._without_constant(rest)

    def _once(self, r: Vector) -> tuple[Vector, Vector]:
        beta = np.zeros(self.members.size)
        if self._exact:
            along = self._Q.T @ r
            kept = self._pivot[: self.rank]
            beta[kept] = solve_triangular(self._R, along) / self._norm[kept]
            return beta, r - self._Q @ along
        beta = self._iterate(r)
        w = np.zeros(self._design.p)
        w[self.members] = beta
        return beta, self._without_constant(r - self._design.root * self._design.product(w))

    def _iterate(self, r: Vector) -> Vector:
        """Least squares by LSMR on the equilibrated columns, without forming them [fong2011]."""
        design, members = self._design, self.members
        scale = 1 / design.norm[members]

        def forward(b: Vector) -> Vector:
            w = np.zeros(design.p)
            w[members] = np.ravel(b) * scale
            return self._without_constant(design.root * design.product(w))

        def backward(t: Vector) -> Vector:
            t = self._without_constant(np.ravel(t))
            return design.correlate(t[:, None])[members, 0] * design.S * scale

        A = LinearOperator((design.n, members.size), matvec=forward, rmatvec=backward, dtype=np.float64)
        limit = 4 * min(A.shape) + 100  # exact arithmetic ends within min(A.shape) steps
        return lsmr(A, r, atol=EPS, btol=EPS, conlim=0, maxiter=limit)[0] * scale
