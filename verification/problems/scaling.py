"""Data of growing size for suite "scaling": one thing changes at a time, so that an exponent can be fitted.

Dense columns are those of ``toeplitz``, sparse ones those of ``powerlaw``, where p grows at a fixed number
of entries a row. They stand apart from the other cases: only this suite asks for them.
"""

from __future__ import annotations

from functools import partial

from . import Data, case
from .generated import HERE, LINEAR, linear_response, powerlaw, rng_for, toeplitz

WIDE = [(500, 1000), (500, 10000), (500, 100000)]  # p grows
TALL = [(1000, 500), (10000, 500), (100000, 500)]  # n grows
CORRELATED = (0.0, 0.9, 0.99)  # of neighbouring columns, 500 x 5000
SPARSE = [(10000, 10000), (10000, 100000), (10000, 1000000)]  # p grows
DENSITY = (0.1, 0.5)  # of the densest column, 10000 x 30000
LARGEST = [(2000, 100000, 0.5)]  # dense, 1.6 GB
LARGEST_SPARSE = [(100000, 1000000, 0.05)]


def _dense(name: str, n: int, p: int, rho: float) -> Data:
    rng = rng_for(name)
    X = toeplitz(rng, n, p, rho)
    return Data(X, linear_response(rng, X, 50))


def _sparse(name: str, n: int, p: int, top: float) -> Data:
    rng = rng_for(name)
    X = powerlaw(rng, n, p, top=top, exponent=0.5)
    return Data(X, linear_response(rng, X, 200))


def _register_dense(n: int, p: int, rho: float = 0.5) -> str:
    name = f"scaling_{n}x{p}" + ("" if rho == 0.5 else f"_rho{rho:g}")
    make = partial(_dense, name, n, p, rho)
    regime = "wide" if p > n else "tall"
    return _register(name, make, regime, (n, p), f"Dense {n} x {p}; neighbouring columns correlate {rho:g}.")


def _register_sparse(n: int, p: int, top: float = 0.3) -> str:
    name = f"scaling_sparse_{n}x{p}" + ("" if top == 0.3 else f"_top{top:g}")
    make = partial(_sparse, name, n, p, top)
    return _register(name, make, "sparse", (n, p), f"Sparse {n} x {p}; the densest column is {top:.0%} full.")


def _register(name: str, make: partial[Data], regime: str, shape: tuple[int, int], summary: str) -> str:
    def data() -> Data:
        return make()

    data.__name__, data.__doc__ = name, summary
    case(regime=regime, shape=shape, source=HERE, y=LINEAR)(data)
    return name


NAMES = [
    *(_register_dense(n, p) for n, p in (*WIDE, *TALL)),
    *(_register_dense(500, 5000, rho) for rho in CORRELATED),
    *(_register_sparse(n, p) for n, p in SPARSE),
    *(_register_sparse(10000, 30000, top) for top in DENSITY),
    *(_register_dense(*shape) for shape in LARGEST),
    *(_register_sparse(*shape) for shape in LARGEST_SPARSE),
]
