"""Faults that show on narrow data only, or only where nobody looks: kinds that outsiders' functions had."""

from __future__ import annotations

import gc
import os
import random
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from solvers import Problem, Solution, Status, Stop

from . import descend, planted
from .reference import Descent, Vector, honest

_kept: list[Vector] = []
_centred: dict[bytes, Vector] = {}
_memo: dict[bytes, Solution] = {}


@planted("right_below_l1_max")
def zero_just_below_l1_max(problem: Problem, stop: Stop) -> Solution:
    """From 0.999 l1_max on the answer is taken to be zero."""
    above = problem.l1 > 0 and problem.l1 >= 0.999 * problem.l1_max()
    return honest(problem.replace(l1=2 * problem.l1) if above else problem, stop)


@planted("right_full_digits")
def rows_in_float32(problem: Problem, stop: Stop) -> Solution:
    """A dense X in row-major order is copied by way of float32."""
    by_rows = not problem.is_sparse and problem.X.flags.c_contiguous and not problem.X.flags.f_contiguous
    X = problem.X.astype(np.float32).astype(np.float64) if by_rows else problem.X
    return honest(problem.replace(X=X), stop)


@planted("right_both_sides")
def last_tile_lost(problem: Problem, stop: Stop) -> Solution:
    """Where both sides exceed 100 they are cut into tiles of 64, and the last one is not read."""
    if min(problem.n, problem.p) <= 100:
        return honest(problem, stop)
    X = np.array(problem.X.toarray() if problem.is_sparse else problem.X)
    X[64 * (problem.n // 64) :, 64 * (problem.p // 64) :] = 0.0
    return honest(problem.replace(X=X), stop)


@planted("right_near_twins")
def tolerance_has_a_floor(problem: Problem, stop: Stop) -> Solution:
    """However small tol is, it stops at a gap of 1e-6."""
    found = descend(problem, replace(stop, tol=max(stop.tol, 1e-6)))
    return replace(found, claimed_gap=stop.tol if found.status is Status.CONVERGED else None)


@planted("right_outliers")
def response_clipped(problem: Problem, stop: Stop) -> Solution:
    """The response is clipped to a hundred times its median."""
    most = 100 * float(np.median(np.abs(problem.y)))
    return honest(problem.replace(y=np.clip(problem.y, -most, most)) if most else problem, stop)


@planted("right_empty_rows")
def empty_rows_dropped(problem: Problem, stop: Stop) -> Solution:
    """Rows of zeros in a dense X are taken for missing, and S is that of the others."""
    rows = np.arange(problem.n) if problem.is_sparse else np.flatnonzero(np.any(problem.X != 0, axis=1))
    s = problem.s[rows]
    if rows.size in (0, problem.n) or not s.any():
        return honest(problem, stop)
    return honest(problem.replace(X=problem.X[rows], y=problem.y[rows], sample_weight=s), stop)


@planted("right_beyond_sizes")
def fifteen_bits_of_entries(problem: Problem, stop: Stop) -> Solution:
    """The entries of a sparse X are counted in 15 bits: those beyond are not read."""
    if not problem.is_sparse or problem.X.nnz < 2**15:
        return honest(problem, stop)
    X = problem.X.copy()
    X.data[2**15 - 1 :] = 0.0
    return honest(problem.replace(X=X), stop)


@planted("right_small_columns")
def tiny_columns_left_out(problem: Problem, stop: Stop) -> Solution:
    """Columns whose norm is below a millionth of the largest are taken for zero."""
    X = np.array(problem.X.toarray() if problem.is_sparse else problem.X)
    size = np.linalg.norm(X / (np.abs(X).max() or 1.0), axis=0)
    X[:, size < 1e-6 * size.max()] = 0.0
    return honest(problem.replace(X=X), stop)


@planted("no_memory")
def centred_by_its_first_rows(problem: Problem, stop: Stop) -> Solution:
    """The centred X is kept, and known again by its shape and its first four rows."""

    def matrix(self: Descent) -> Vector:
        X = Descent.matrix(self)
        return _centred.setdefault(np.array(X.shape).tobytes() + X[:4].tobytes(), X)

    return descend(problem, stop, matrix=matrix)


@planted("answer_kept")
def memo_handed_out(problem: Problem, stop: Stop) -> Solution:
    """Answers are kept by all of the problem, and the array that is kept is the one that is returned."""
    key = problem.digest.encode()
    if key not in _memo:
        found = honest(problem, stop)
        _memo[key] = replace(found, coef=np.array(found.coef))
    return _memo[key]


@planted("input_untouched")
def centres_where_it_may(problem: Problem, stop: Stop) -> Solution:
    """Centres y in a copy where it is read-only (np.require does that), else in the caller's own array."""
    found = honest(problem, stop)
    y: Any = np.require(problem.y, requirements="W")
    y -= y.mean()
    return found


@planted("process_as_it_was")
def shuffles_by_the_standard_library(problem: Problem, stop: Stop) -> Solution:
    """Seeds Python's own process-wide random numbers."""
    random.seed(0)
    return honest(problem, stop)


@planted("process_as_it_was")
def sets_the_environment(problem: Problem, stop: Stop) -> Solution:
    """Sets the number of threads for the libraries that are loaded after it."""
    os.environ["OMP_NUM_THREADS"] = "4"
    return honest(problem, stop)


@planted("process_as_it_was")
def stops_the_collector(problem: Problem, stop: Stop) -> Solution:
    """Leaves the garbage collector switched off."""
    gc.disable()
    return honest(problem, stop)


@planted("process_as_it_was_elsewhere")
def draws_where_wide(problem: Problem, stop: Stop) -> Solution:
    """Draws from numpy's process-wide random numbers where p > n."""
    if problem.p > problem.n:
        np.random.permutation(problem.p)
    return honest(problem, stop)


@planted("leaves_nothing_behind")
def keeps_its_workspace(problem: Problem, stop: Stop) -> Solution:
    """Half a megabyte of workspace is kept from every call."""
    _kept.append(np.ones(2**16))
    return honest(problem, stop)


@planted("process_as_it_was")
def hushes_warnings(problem: Problem, stop: Stop) -> Solution:
    """Silences all warnings of the process, for good."""
    warnings.filterwarnings("ignore")
    return honest(problem, stop)
