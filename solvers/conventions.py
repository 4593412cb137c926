"""How other libraries write (P): every translation of penalties, both ways, in one place.

Each pair is proven by a test that solves through the library and certifies against (P). Everywhere,
``l1`` and ``l2`` are those of (P), with its 1/(2S) in front of the loss.
"""

from __future__ import annotations


def to_sklearn_elastic_net(l1: float, l2: float) -> tuple[float, float]:
    """(alpha, l1_ratio) of scikit-learn's ElasticNet, whose loss also has 1/(2n); alpha > 0 needed."""
    alpha = l1 + l2
    return alpha, l1 / alpha


def from_sklearn_elastic_net(alpha: float, l1_ratio: float) -> tuple[float, float]:
    """(l1, l2) from scikit-learn's ElasticNet."""
    return alpha * l1_ratio, alpha * (1 - l1_ratio)


def to_sklearn_ridge(l2: float, S: float) -> float:
    """Alpha of scikit-learn's Ridge, whose loss has no 1/(2n): S l2, S the sum of the weights."""
    return S * l2


def from_sklearn_ridge(alpha: float, S: float) -> float:
    """l2 from scikit-learn's Ridge."""
    return alpha / S
