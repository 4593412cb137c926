"""Problem: what it accepts, what it keeps, what it refuses and how it says so."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem, ProblemError, Stop

X = np.arange(12.0).reshape(4, 3) ** 2 % 7
y = np.array([1.0, -2.0, 0.5, 3.0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"X": np.where(np.arange(12).reshape(4, 3) == 5, np.nan, X)}, r"X\[1, 2\] is nan: remove or impute"),
        ({"X": np.where(np.arange(12).reshape(4, 3) == 7, np.inf, X)}, r"X\[2, 1\] is inf"),
        ({"X": sp.csr_array(np.where(np.arange(12).reshape(4, 3) == 7, np.nan, X))}, r"X\[2, 1\] is nan"),
        ({"X": sp.csc_array(np.where(np.arange(12).reshape(4, 3) == 7, np.nan, X))}, r"X\[2, 1\] is nan"),
        ({"y": [1, 2, np.nan, 4]}, r"y\[2\] is nan"),
        ({"y": [1, 2, 3]}, r"y has shape \(3,\), expected \(4,\)"),
        ({"y": y[:, None]}, r"flatten it with \.ravel\(\)"),
        ({"X": X[0]}, r"X has 1 dimension"),
        ({"X": np.empty((0, 3)), "y": []}, r"X has shape \(0, 3\): it needs at least one row"),
        ({"X": np.empty((4, 0))}, r"at least one row and one column"),
        ({"X": [["a"] * 3] * 4}, r"X has dtype <U1: pass real numbers"),
        ({"X": X.astype(complex)}, r"complex128"),
        ({"X": X.astype(object)}, r"object"),
        ({"X": X.astype(np.longdouble)}, r"extended precision"),
        ({"X": [[1, 2, 3], [1, 2]]}, r"X is not an array of numbers"),
        ({"l1": -1}, r"l1 is -1\.0: it must be finite and >= 0"),
        ({"l2": float("inf")}, r"l2 is inf"),
        ({"l1": "much"}, r"l1 is 'much': pass a number"),
        ({"sample_weight": [1, 1, -1, 1]}, r"sample_weight\[2\] is -1\.0: it must be at least 0"),
        ({"sample_weight": np.zeros(4)}, r"sample_weight is zero everywhere"),
        ({"sample_weight": [1, np.inf, 1, 1]}, r"sample_weight\[1\] is inf"),
        ({"penalty_weights": [1, -2, 1]}, r"penalty_weights\[1\] is -2\.0"),
        ({"penalty_weights": [1, np.nan, 1]}, r"penalty_weights\[1\] is nan"),
        ({"penalty_weights": [1, 1]}, r"penalty_weights has shape \(2,\), expected \(3,\)"),
        ({"X": X * 1e200}, r"its square overflows: rescale it"),
        ({"X": X * 1e-200}, r"its square underflows: rescale it"),
        ({"y": y * 1e200}, r"y reaches 3e\+200 in magnitude"),
        ({"intercept": "yes"}, r"intercept is 'yes': pass True or False"),
    ],
)
def test_bad_input_is_met_with_what_where_and_what_to_do(changes: dict, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        Problem(**({"X": X, "y": y} | changes))


@pytest.mark.parametrize("stop", [{"tol": 0}, {"tol": float("nan")}, {"max_iter": 0}, {"time_limit": 0}])
def test_bad_stop(stop: dict) -> None:
    with pytest.raises(ValueError, match="must be"):
        Stop(**stop)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["F", "C"])
def test_dense_is_kept_without_a_copy_and_read_only(dtype: type, order: str) -> None:
    A = np.asarray(X, dtype=dtype, order=order)
    problem = Problem(A, y)
    assert problem.X.dtype == dtype
    assert problem.layout == order
    assert np.shares_memory(problem.X, A)
    with pytest.raises(ValueError, match="read-only"):
        problem.X[0, 0] = 1
    assert A.flags.writeable, "the user's own array stays theirs"


def test_sparse_formats_and_canonical_form() -> None:
    messy = sp.csr_array(
        (np.array([1.0, 2.0, 3.0, 4.0]), np.array([2, 0, 2, 1]), np.array([0, 3, 3, 4, 4])), shape=(4, 3)
    )
    problem = Problem(messy, y)
    assert problem.layout == "csr"
    assert problem.X.has_canonical_format
    np.testing.assert_array_equal(problem.X.toarray(), [[2, 0, 4], [0, 0, 0], [0, 4, 0], [0, 0, 0]])
    assert messy.nnz == 4, "the input is untouched"
    assert Problem(sp.coo_array(X), y).layout == "csc"
    assert not Problem(sp.csc_matrix(X), y).X.data.flags.writeable


def test_integers_and_lists_become_float64() -> None:
    problem = Problem([[1, 2], [3, 4]], [True, False])
    assert problem.X.dtype == np.float64
    assert problem.y.dtype == np.float64


def test_digest_sees_everything_but_the_name() -> None:
    base = Problem(X, y, l1=0.1)
    assert base.replace(name="other").digest == base.digest
    others = [
        base.replace(**change).digest
        for change in (
            {"l1": 0.2}, {"l2": 0.1}, {"intercept": True}, {"positive": True}, {"y": y + 1}, {"X": X + 1},
            {"X": X.astype(np.float32)}, {"X": np.asfortranarray(X)}, {"X": sp.csc_array(X)},
            {"sample_weight": np.ones(4)}, {"penalty_weights": np.ones(3)},
        )
    ]  # fmt: skip
    assert len({base.digest, *others}) == 12


def test_digest_sees_a_change_of_the_users_array() -> None:
    A = X.copy()
    problem = Problem(A, y)
    before = problem.digest
    A[1, 1] += 1
    assert problem.digest != before


def test_objective_by_hand() -> None:
    s, v, w, b = np.array([1.0, 2, 0, 1]), np.array([1.0, 0, 3]), np.array([0.5, -1, 0.25]), 0.75
    problem = Problem(X, y, l1=0.3, l2=0.7, intercept=True, sample_weight=s, penalty_weights=v)
    loss = sum(s[i] * (y[i] - X[i] @ w - b) ** 2 for i in range(4)) / 8
    penalty = sum(v[j] * (0.3 * abs(w[j]) + 0.35 * w[j] ** 2) for j in range(3))
    assert problem.objective(w, b) == pytest.approx(loss + penalty, rel=1e-14)
    assert problem.replace(positive=True).objective(w, b) == np.inf
    fixed = problem.replace(penalty_weights=np.array([1.0, np.inf, 3]))
    assert fixed.objective(w, b) == np.inf
    assert np.isfinite(fixed.objective(np.array([0.5, 0, 0.25]), b))


@pytest.mark.parametrize("make", [np.asfortranarray, sp.csc_array, sp.csr_array])
def test_l1_max_by_hand(make: type) -> None:
    s = np.array([1.0, 2, 0, 1])
    problem = Problem(make(X), y, intercept=True, sample_weight=s)
    r = s * (y - s @ y / 4)
    assert problem.l1_max() == pytest.approx(np.max(np.abs(X.T @ r)) / 4, rel=1e-13)
    assert problem.replace(positive=True).l1_max() == pytest.approx(max(0, np.max(X.T @ r)) / 4, rel=1e-13)
    half = problem.replace(penalty_weights=np.full(3, 0.5))
    assert half.l1_max() == pytest.approx(2 * problem.l1_max(), rel=1e-13)
    assert problem.replace(penalty_weights=np.zeros(3)).l1_max() == 0
    free = problem.replace(penalty_weights=np.array([0.0, 1, np.inf]))
    A = np.column_stack([np.ones(4), X[:, 0]])
    root = np.sqrt(s)[:, None]
    fit = A @ np.linalg.lstsq(root * A, root[:, 0] * y, rcond=None)[0]
    assert free.l1_max() == pytest.approx(abs(X[:, 1] @ (s * (y - fit))) / 4, rel=1e-11)


@pytest.mark.parametrize("make", [np.asfortranarray, sp.csc_array, sp.csr_array])
def test_l2_ref_by_hand(make: type) -> None:
    s = np.array([1.0, 2, 0, 1])
    centred = X - s @ X / 4
    problem = Problem(make(X), y, sample_weight=s)
    assert problem.l2_ref() == pytest.approx(np.sum(s[:, None] * X**2) / 12, rel=1e-13)
    centred_ref = np.sum(s[:, None] * centred**2) / 12
    assert problem.replace(intercept=True).l2_ref() == pytest.approx(centred_ref, rel=1e-13)
