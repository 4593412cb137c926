"""The certificate: a proof of how far any coefficients are from the optimum of (P), docs/maths.md (GAP).

Cost: two passes over X and one over the columns of the support, after two passes and one pivoted QR of the
unpenalised columns for each problem.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Certificate:
    """What is proven about one point (w, b) of a problem (P). Absolute figures: units of the objective.

    Attributes
    ----------
    level : str
        "float": the arithmetic is float64, its rounding estimated by `radius`. "rigorous": gap is a bound
        whatever the rounding. "exact": gap is the distance from the proven optimum, rounded up.
    kind : str
        Which dual point was used, or "NONE": nothing is proven, `reason` says why, and there is no gap.
    reason : str
        Empty unless kind is "NONE".
    primal : float
        P(w, b); inf where a constraint is broken or w is not finite.
    dual : float or None
        primal - gap <= P* (up to radius).
    gap : float or None
        >= P(w, b) - P* (up to radius); never negative.
    scale : float
        N, what relative gaps are relative to, (N).
    gap_rel : float or None
        gap / scale; for y = 0: 0 if the gap is 0, else inf.
    radius : float or None
        Level float: first-order estimate of the rounding in gap and primal, (RADIUS). Else a bound on the
        rounding of primal alone.
    primal_null : float
        P_null, the optimum over the intercept and the unpenalised columns alone.
    kkt : float or None
        Largest relative violation of the stationarity conditions, (KKT).
    support : int
        Number of coefficients that are not zero.
    alpha : float or None
        Multiple of the projected residual that is the dual point, (ALPHA).
    implied_l1, implied_l2, implied_off, implied_gain : float or None
        The penalty that the coefficients solve, (IMPLIED); None if fewer than 4 are penalised and not zero.
    certified_zeros : (p,) bool
        Coefficients proven to be zero at every optimum, (ZEROS).
    false_features : int
        Coefficients that are not zero here and proven to be.
    """

    level: str
    kind: str
    reason: str = ""
    primal: float
    dual: float | None = None
    gap: float | None = None
    scale: float
    gap_rel: float | None = None
    radius: float | None = None
    primal_null: float
    kkt: float | None = None
    support: int
    alpha: float | None = None
    implied_l1: float | None = None
    implied_l2: float | None = None
    implied_off: float | None = None
    implied_gain: float | None = None
    certified_zeros: NDArray[np.bool_]
    false_features: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the scalars, flat; `certified_zeros` as their number. Infinite values stay floats."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        row["certified_zeros"] = int(self.certified_zeros.sum())
        return row
