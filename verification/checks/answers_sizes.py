"""Answers that must be right at any size: bugs of blocks, of halves, of leftovers show at some sizes only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from solvers import Problem

from .answers import right
from .draws import Kind

# Neither side divides by 2, 3 or 4; more rows, more columns, one more, one less.
ODD = ((31, 7), (17, 5), (7, 3), (49, 11), (11, 23), (13, 29), (17, 17))
BETWEEN = ((129, 5), (259, 7), (511, 3), (1031, 5), (23, 67), (19, 131), (29, 263))
BEYOND = ((20_011, 2), (8, 4099))
ENTRIES = (12_007, 19)  # a third of them stored: more than 2^16


@right("at odd sizes, for every penalty")
def right_odd_sizes() -> Iterator[Problem]:
    """Sizes of which nothing divides: what is done in pairs, fours or halves has something left over."""
    for (n, p), intercept in product(ODD, (False, True)):
        for penalty in ("lasso", "ridge", "enet", "ols") if p < n // 2 else ("lasso", "ridge", "enet"):
            yield Kind(n, p, penalty, 3, intercept).problem()
    for (n, p), layout in product(((31, 7), (11, 23)), ("C", "csc", "csr")):
        yield Kind(n, p, "lasso", 10, True, layout=layout).problem()


@right("at sizes between the small and the large")
def right_between_sizes() -> Iterator[Problem]:
    """From a hundred to a thousand rows or columns: where blocks, workers or other methods begin."""
    for (n, p), penalty in product(BETWEEN, ("lasso", "ridge", "enet")):
        yield Kind(n, p, penalty, 3, intercept=n % 4 == 3).problem()


@right("at tens of thousands of rows and at thousands of columns")
def right_beyond_sizes() -> Iterator[Problem]:
    """Few on the other side: where a solver takes a sample, or changes its method."""
    for n, p in BEYOND:
        yield Kind(n, p, "lasso", 3, intercept=True).problem()
    yield Kind(*BEYOND[0], "ridge", layout="csc").problem()  # in p unknowns; a wide one is a feat
    yield Kind(*ENTRIES, "lasso", 3, intercept=True, layout="csr").problem()


@right("on sparse data of either shape, for every penalty")
def right_sparse_otherwise() -> Iterator[Problem]:
    """Each penalty with each shape, intercept and storage: what dense data need not share."""
    for shape, intercept, layout in product(((64, 24), (24, 64)), (False, True), ("csc", "csr")):
        for penalty in ("lasso", "ridge", "enet", "ols")[: 4 if shape[0] > shape[1] else 3]:
            yield Kind(*shape, penalty, 10, intercept, layout=layout).problem()
