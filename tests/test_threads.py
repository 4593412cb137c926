"""One thread unless more are asked for, whatever the environment says; more, and the work is divided."""

from __future__ import annotations

import io
import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from threadpoolctl import threadpool_info, threadpool_limits

from solvers import Problem, Solution, Stop, _threads, entry, solve, solve_path
from solvers._threads import Team, limited
from verification import certify

# Large enough for the BLAS to divide its products if it may
SOLVE = """
import sys
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from solvers import Problem, solve
threadpool_limits(int(sys.argv[3]))  # as the environment does on a machine with so many cores
rng = np.random.default_rng(0)
X = np.asfortranarray(rng.standard_normal((1500, 300)))
y = X[:, :30].sum(axis=1) + rng.standard_normal(1500)
problem = Problem(X, y, l1=float(sys.argv[2]), l2=0.01, intercept=True)
before = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
solution = solve(problem, sys.argv[1])
print(solution.coef.tobytes().hex(), solution.intercept.hex())
after = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
assert after[: len(before)] == before, (before, after)
print(before[0][1])
"""


def pools() -> list[int]:
    """Threads of each library in this process that can have several."""
    info = [pool for pool in threadpool_info() if pool.get("threading_layer") != "disabled"]
    return [pool["num_threads"] for pool in info]


def elsewhere(threads: int, solver: str, l1: float) -> tuple[str, int]:
    """Bits of a solution in a process whose libraries have so many threads, and how many they have after."""
    command = [sys.executable, "-c", SOLVE, solver, str(l1), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bits, held = done.stdout.strip().split("\n")
    return bits, int(held)


@pytest.mark.parametrize(("solver", "l1"), [("active_set_numba", 0.01), ("ridge_numpy", 0.0)])
def test_the_answer_does_not_depend_on_the_threads_of_the_process(solver: str, l1: float) -> None:
    (one, held), (two, more) = elsewhere(1, solver, l1), elsewhere(2, solver, l1)
    assert (held, more) == (1, 2)  # the processes were as asked, before and after
    assert one == two


def tall() -> Problem:
    rng = np.random.default_rng(1)
    X = np.asfortranarray(rng.standard_normal((2500, 60)) + 0.3)
    return Problem(X, X[:, :40].sum(axis=1) + rng.standard_normal(2500), l1=0.003, intercept=True)


def wide() -> Problem:
    rng = np.random.default_rng(2)
    X = np.asfortranarray(rng.standard_normal((150, 700)))
    return Problem(X, X[:, :20].sum(axis=1) + rng.standard_normal(150), l1=0.02, l2=0.001)


def sparse() -> Problem:
    X = sp.random(400, 900, 0.05, random_state=3, format="csc")
    y = X @ np.repeat([1.0, 0.0], [25, 875]) + np.random.default_rng(3).standard_normal(400) / 10
    return Problem(sp.csc_array(X), y, l1=1e-4, intercept=True)


def of_float32() -> Problem:
    problem = tall()
    return problem.replace(X=np.asfortranarray(problem.X, dtype=np.float32))


PROBLEMS = pytest.mark.parametrize("make", [tall, wide, sparse, of_float32])


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Into how many pieces each call divided its work; small work is worth dividing, too."""
    monkeypatch.setattr(_threads, "GRAIN", 10.0)
    seen: list[int] = []
    divide = Team.divide

    def noted(team: Team, work: object, items: int, cost: float) -> list[object]:
        found = divide(team, work, items, cost)  # type: ignore[arg-type]
        seen.append(len(found))
        return found

    monkeypatch.setattr(Team, "divide", noted)
    return seen


@PROBLEMS
def test_divided_work_gives_the_solution_and_the_same_bits_again(make, parts: list[int]) -> None:
    problem = make()
    one = solve(problem, "active_set_numba")
    assert set(parts) == {1}
    parts.clear()
    two, again = (solve(problem, "active_set_numba", threads=2) for _ in range(2))
    assert 2 in parts
    assert certify(problem, two.coef, two.intercept).gap_rel <= 1e-9
    assert two.coef.tobytes() == again.coef.tobytes()
    np.testing.assert_allclose(two.coef, one.coef, rtol=0, atol=1e-5 * np.abs(one.coef).max())


@PROBLEMS
def test_divided_work_on_a_path(make, parts: list[int]) -> None:
    problem = make()
    l1s = problem.l1_max() * np.geomspace(0.9, 0.02, 15)
    first, again = (solve_path(problem, l1s, threads=3) for _ in range(2))
    assert max(parts) == 3
    for l1, a, b in zip(l1s, first, again, strict=True):
        assert certify(problem.replace(l1=float(l1)), a.coef, a.intercept).gap_rel <= 1e-9
        assert a.coef.tobytes() == b.coef.tobytes()


def test_pieces_make_up_the_whole_in_order() -> None:
    for size, items in ((1, 7), (3, 7), (4, 3), (2, 0)):
        pieces = Team(size).divide(lambda lo, hi: list(range(lo, hi)), items, 1e9)
        assert [item for piece in pieces for item in piece] == list(range(items))
        assert len(pieces) == max(min(size, items), 1)
    assert len(Team(2).divide(lambda lo, hi: hi - lo, 1000, 1.0)) == 1  # not worth a thread


def test_what_fails_in_a_piece_is_not_lost() -> None:
    def fails(lo: int, hi: int) -> None:
        if lo > 0:
            raise ZeroDivisionError(f"from {lo}")

    with pytest.raises(ZeroDivisionError, match="from 5"):
        Team(2).divide(fails, 10, 1e9)


def test_libraries_are_held_to_the_number_and_left_as_they_were() -> None:
    scipy.io.mmwrite(io.BytesIO(), sp.eye_array(2))  # scipy.io has threads that are neither BLAS nor OpenMP

    with threadpool_limits(2):
        before = pools()
        with limited(1):
            assert set(pools()) == {1}
        assert pools() == before
        with pytest.raises(KeyError), limited(1):
            raise KeyError
        assert pools() == before
        # A solver that divides its work itself needs no more than one of the BLAS; others are given all
        for name, held, told in (("active_set_numba", 1, {"threads": 3}), ("ridge_numpy", 3, {})):
            with entry(name).on_threads(3) as divided:
                assert (set(pools()), divided) == ({held}, told)
        assert pools() == before


def test_calls_that_overlap_leave_the_libraries_as_the_first_found_them() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with limited(1):
            inside.set()
            leave.wait(10)

    with threadpool_limits(2):
        before = pools()
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
        with limited(1):
            leave.set()
            thread.join(10)
            assert set(pools()) == {1}  # the first is over, this one is not
        assert pools() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    def whole() -> None:
        assert Team(2).divide(lambda lo, hi: hi - lo, 10, 1e9) == [5, 5]

    whole()
    child = multiprocessing.get_context("fork").Process(target=whole)
    child.start()
    child.join(20)
    assert child.exitcode == 0


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_refused(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads is {threads}: it must be at least 1"):
        solve(wide(), threads=threads)
    with pytest.raises(ValueError, match="at least 1"):
        solve_path(wide(), [0.1], threads=threads)


def test_a_solver_that_takes_no_threads_solves_with_more_all_the_same() -> None:
    found: Solution = solve(wide(), "cd_numba", Stop(1e-6), threads=2)
    assert certify(wide(), found.coef, found.intercept).gap_rel <= 1e-6
