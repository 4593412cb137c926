"""The checks against solvers with faults; the door that holds a user's own to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Entry, Problem, Solution, Status, Stop, catalogue
from verification import __main__ as doors
from verification import door
from verification.checks.check import Failure, Subject, all_checks
from verification.checks.draws import Kind
from verification.checks.shrink import simpler, smaller, snippet

ROOT = Path(__file__).parents[1]
RIGHT = catalogue()["cd_numpy"]


class Altered:
    """cd_numpy with something done to what goes in or comes out."""

    SUPPORTS = RIGHT.supports
    PACKAGE = None

    def __init__(self, alter: Callable[[Problem, Callable[[Problem], Solution]], Solution]) -> None:
        self.alter = alter

    def refuses(self, problem: Problem) -> str | None:
        return RIGHT.refuses(problem)

    def setup(self, problem: Problem, stop: Stop) -> Callable[[], Solution]:
        return lambda: self.alter(problem, lambda q: RIGHT.setup(q, stop)())


def subject(alter: Callable[[Problem, Callable[[Problem], Solution]], Solution]) -> Subject:
    return Subject(Entry("altered", lambda: Altered(alter)))


def times(found: Solution, factor: float) -> Solution:
    return replace(found, coef=found.coef * factor)


CALLS = {"count": 0}


def after_many(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
    CALLS["count"] += 1
    return times(right(problem), 1.01 if CALLS["count"] > 200 else 1.0)


REMEMBERED: dict[Any, Solution] = {}


def remembers_shapes(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
    return REMEMBERED.setdefault((problem.X.shape, problem.l1), right(problem))


def remembers_addresses(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
    X = problem.X.data if problem.is_sparse else problem.X
    key = (X.__array_interface__["data"][0], problem.y.__array_interface__["data"][0], problem.l1)
    return REMEMBERED.setdefault(key, right(problem))


BUFFER: dict[int, Any] = {}


def one_buffer(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
    found = right(problem)
    buffer = BUFFER.setdefault(problem.p, np.zeros(problem.p))
    buffer[:] = found.coef
    return replace(found, coef=buffer)


def writes(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
    found = right(problem)
    y = problem.y
    while y.base is not None:
        y = y.base
    if y.flags.writeable:
        y[0] += 1.0
    return found


FAULTS: dict[str, tuple[Callable[..., Solution], str]] = {
    "l1 x 1.001": (lambda q, right: right(q.replace(l1=1.001 * q.l1)), "penalty_asked_for"),
    "1/n for 1/(2n)": (lambda q, right: right(q.replace(l1=q.l1 / 2, l2=q.l2 / 2)), "right_tall"),
    "shrunk by 1e-3": (lambda q, right: times(right(q), 0.999), "right_bases"),
    "wrong where n < p": (lambda q, right: times(right(q), 1.0 + 1e-3 * (q.n < q.p)), "right_wide"),
    "wrong where n = p": (lambda q, right: times(right(q), 1.0 + 1e-3 * (q.n == q.p)), "right_square"),
    "wrong on sparse": (lambda q, right: times(right(q), 1.0 + 1e-3 * q.is_sparse), "dense_as_sparse"),
    "wrong on row-major": (lambda q, right: times(right(q), 1 + 1e-3 * (q.layout == "C")), "memory_layout"),
    "wrong on many rows": (lambda q, right: times(right(q), 1 + 1e-3 * (q.n > 1000)), "right_many_rows"),
    "wrong on many columns": (lambda q, right: times(right(q), 1 + 1e-3 * (q.p > 500)), "right_many_columns"),
    "wrong where y < 0": (lambda q, right: times(right(q), 1 + 1e-3 * (q.y.max() < 0)), "right_one_sign"),
    "wrong where X > 0": (
        lambda q, right: times(right(q), 1 + 1e-3 * (not q.is_sparse and q.X.min() > 0)),
        "right_one_sign",
    ),
    "wrong on float32": (lambda q, right: times(right(q), 1 + 0.01 * (q.X.dtype == "f4")), "right_float32"),
    "wrong where y is large": (
        lambda q, right: times(right(q), 1 + 1e-3 * (np.abs(q.y).max() > 1e6)),
        "response_scale",
    ),
    "wrong where X is small": (
        lambda q, right: times(right(q), 1 + 1e-3 * (abs(q.X).max() < 1e-6)),
        "design_scale",
    ),
    "intercept of the other sign": (lambda q, right: negated(right(q)), "right_intercept"),
    "intercept off by 1e-3": (lambda q, right: moved(q, right(q)), "right_intercept"),
    "y never centred": (lambda q, right: right(q.replace(intercept=False)), "right_intercept"),
    "weights ignored": (lambda q, right: right(q.replace(sample_weight=None)), "repeated_rows"),
    "v ignored": (lambda q, right: right(bounded(q)), "column_scale"),
    "last column left out": (lambda q, right: right(without_last(q)), "right_each_column"),
    "last row left out": (lambda q, right: right(q.replace(X=q.X[:-1], y=q.y[:-1], sample_weight=q.s[:-1]))
        if q.n > 1 else right(q), "right_each_row"),
    "tiny values kept": (lambda q, right: plus(right(q), 1e-300), "zeros_above_l1_max"),
    "claims what is not so": (lambda q, right: replace(times(right(q), 0.99), claimed_gap=0.0), "honest_gap"),
    "claims less than nothing": (lambda q, right: replace(right(q), claimed_gap=-1e-12), "honest_status"),
    "never says converged": (lambda q, right: replace(right(q), status=Status.STALLED), "honest_status"),
    "float32 answers": (lambda q, right: single(right(q)), "double_precision"),
    "not the same twice": (lambda q, right: times(right(q), 1 + 1e-13 * np.random.random()), "same_bits"),
    "wrong after 200 calls": (after_many, "many_calls"),
    "remembers shapes": (remembers_shapes, "no_memory"),
    "remembers addresses": (remembers_addresses, "buffer_reused"),
    "one buffer": (one_buffer, "answer_kept"),
    "writes to y": (writes, "input_untouched"),
    "copies count twice": (lambda q, right: right(distinct(q)), "duplicate_column"),
    "nan where x is constant": (lambda q, right: nan_if_constant(q, right(q)), "right_constant_columns"),
}  # fmt: skip


def negated(found: Solution) -> Solution:
    return replace(found, intercept=-found.intercept)


def moved(problem: Problem, found: Solution) -> Solution:
    return replace(found, intercept=found.intercept + 1e-3 * problem.intercept)


def plus(found: Solution, tiny: float) -> Solution:
    return replace(found, coef=found.coef + tiny)


def single(found: Solution) -> Solution:
    return replace(found, coef=found.coef.astype(np.float32).astype(np.float64))


def bounded(problem: Problem) -> Problem:
    v = problem.v
    return problem.replace(penalty_weights=np.where((v > 0) & np.isfinite(v), 1.0, v))


def without_last(problem: Problem) -> Problem:
    v = problem.v.copy()
    v[-1] = np.inf
    return problem.replace(penalty_weights=v)


def distinct(problem: Problem) -> Problem:
    """Columns that are copies of an earlier one are penalised twice as much."""
    X = problem.X.toarray() if sp.issparse(problem.X) else problem.X
    _, first, copies = np.unique(X, axis=1, return_index=True, return_counts=True)
    v = problem.v.copy()
    v[first[copies > 1]] *= 2
    return problem.replace(penalty_weights=2 * v if copies.max() > 1 else v)


def nan_if_constant(problem: Problem, found: Solution) -> Solution:
    X = problem.X.toarray() if sp.issparse(problem.X) else problem.X
    return replace(found, coef=np.where(np.ptp(X, axis=0) == 0, np.nan, found.coef))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_check_that_is_about_it(fault: str) -> None:
    alter, name = FAULTS[fault]
    REMEMBERED.clear()
    assert next(iter(all_checks()[name].find(subject(alter))), None) is not None


def test_one_that_takes_no_tol_is_held_to_what_it_can() -> None:
    def claims_little(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
        return replace(times(right(problem), 1 + 0.01 * problem.is_sparse), claimed_gap=1e-3)

    class Untold(Altered):
        TAKES_TOL = False

        def setup(self, problem: Problem, stop: Stop) -> Callable[[], Solution]:
            return super().setup(problem, Stop(1e-14))

    held = Subject(Entry("untold", lambda: Untold(claims_little)))
    failures = list(all_checks()["even_accuracy"].find(held))
    assert list(all_checks()["even_accuracy"].find(subject(claims_little))) == []  # for it takes a tol
    assert failures
    assert all(failure.problem.is_sparse for failure in failures)
    assert "on plain data at most" in failures[0].words


# ---------------------------------------------------------------------- a smallest example


def wrong_on_negative_y(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
    return times(right(problem), 1.01 if (problem.y < 0).any() else 1.0)


def test_a_failing_problem_is_made_small() -> None:
    check = all_checks()["right_bases"]
    assert check.find_on is not None
    held = subject(wrong_on_negative_y)
    start = Kind(64, 24, "lasso", intercept=True, weighted=True, v=True, layout="csc").problem()
    (failure,) = list(check.find_on(held, start))[:1]
    found = list(smaller(lambda problem: check.find_on(held, problem), failure, 30.0))
    sizes = [each.size for each in found]
    assert sizes == sorted(sizes, reverse=True)
    problem = found[-1].problem
    assert (problem.n, problem.p) == (1, 1)
    assert not problem.is_sparse
    assert not problem.intercept
    assert problem.sample_weight is None
    assert problem.penalty_weights is None
    assert problem.y[0] == np.round(problem.y[0])


def test_a_crash_does_not_turn_into_a_wrong_answer() -> None:
    def raises(problem: Problem, right: Callable[[Problem], Solution]) -> Solution:
        if problem.n > 4:
            raise ValueError("too long")
        return times(right(problem), 1.01)

    check = all_checks()["right_bases"]
    assert check.find_on is not None
    held, start = subject(raises), Kind(32, 8, "lasso").problem()
    (failure,) = check.find_on(held, start)
    assert failure.words == "FAILED: ValueError: too long"
    found = list(smaller(lambda problem: check.find_on(held, problem), failure, 30.0))
    assert found[-1].problem.n == 5
    assert {each.words for each in found} == {failure.words}


def test_each_step_is_simpler() -> None:
    for penalty, layout in (("lasso", "csr"), ("enet", "C")):
        problem = Kind(
            8, 4, penalty, weighted=True, v=True, positive=True, intercept=True, layout=layout
        ).problem()
        steps = list(simpler(problem))
        assert len(steps) > 10
        assert problem.digest not in {step.digest for step in steps}


@pytest.mark.parametrize("layout", ["F", "C", "csc", "csr"])
def test_the_program_that_is_printed_makes_the_same_problem(layout: str) -> None:
    problem = Kind(8, 4, "enet", intercept=True, weighted=True, v=True, layout=layout).problem()
    program = snippet("right_bases", Failure(problem, ""), "cd_numpy")
    scope: dict[str, Any] = {}
    exec(program.partition("for failure")[0], scope)
    assert scope["problem"].digest == problem.digest


# ---------------------------------------------------------------------- the door

MINE = """
import time

import numpy as np
from solvers import Problem, Stop
from solvers import solve as right


def honest(X, y, l1, l2, tol=1e-9, intercept=False):
    found = right(Problem(X, y, l1=l1, l2=l2, intercept=intercept), "cd_numpy", Stop(tol=tol))
    return found.coef, found.intercept


def wrong_on_sparse(X, y, l1, l2, tol=1e-9, intercept=False):
    coef, b = honest(X, y, l1, l2, tol, intercept)
    return (coef if isinstance(X, np.ndarray) else 1.01 * coef), b


def leaves_at_one_row(X, y, l1, l2, tol=1e-9, intercept=False):
    if len(y) == 1:
        raise SystemExit(3)
    return honest(X, y, l1, l2, tol, intercept)


def refuses(X, y, l1, l2):
    raise NotImplementedError("only on Sundays")
"""
FEW = ("right_single", "dense_as_sparse", "row_permutation")


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("honest", 0, "exit 0: all well: no check fails"),
        ("wrong_on_sparse", 1, "exit 1: failing checks: mine:wrong_on_sparse (1 checks)"),
        ("leaves_at_one_row", 1, "exit 1: failing checks: mine:leaves_at_one_row (1 checks)"),
        ("refuses", 2, "exit 2: could not run: mine:refuses: it refuses every problem"),
        ("absent", 2, "exit 2: could not run: mine:absent: AttributeError"),
    ],
)
def test_the_door_holds_a_users_own_solver_to_the_checks(
    function: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    checks = {name: check for name, check in all_checks().items() if name in FEW}
    monkeypatch.setattr("verification.holding.all_checks", lambda *_: checks)
    monkeypatch.setattr(door, "_said", False)
    monkeypatch.setattr("sys.argv", ["verification", "run", "--solver", f"mine:{function}"])
    with pytest.raises(SystemExit) as stop:
        doors.main()
    out = capsys.readouterr().out
    assert int(stop.value.code or 0) == code
    assert out.splitlines()[-1].startswith(words)
    if function == "wrong_on_sparse":
        assert "mine:wrong_on_sparse fails dense_as_sparse: csc: objectives" in out
        assert "A smallest failing example that was found:" in out
        assert 'entry("mine:wrong_on_sparse")' in out
    if function == "leaves_at_one_row":
        assert "CRASHED: the process ended itself with exit code 3" in out
