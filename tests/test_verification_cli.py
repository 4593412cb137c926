from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers import Problem, Stop, solve
from verification import __main__ as commands
from verification import door
from verification.record import read

ROOT = Path(__file__).parents[1]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A small problem and its lasso solution, as files."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 8))
    y = X[:, 0] - X[:, 1] + 5 + 0.1 * rng.standard_normal(30)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    problem = Problem(X, y, l1=0.02, l2=0.1, intercept=True)
    solution = solve(problem, "cd_numpy", Stop(tol=1e-13))
    np.save(tmp_path / "w.npy", solution.coef)
    np.savetxt(tmp_path / "w.txt", solution.coef)
    (tmp_path / "w.csv").write_text(",".join(repr(float(x)) for x in solution.coef))
    (tmp_path / "b").write_text(repr(solution.intercept))
    (tmp_path / "mine.py").write_text(SOLVERS)
    return tmp_path


SOLVERS = """
import numpy as np
from solvers import Problem, Stop
from solvers import solve as right


def solve_as(X, y, l1, l2, tol, intercept, factor):
    problem = Problem(X, y, l1=l1 * factor, l2=l2, intercept=intercept)
    solution = right(problem, "cd_numpy", Stop(tol=tol))
    return solution.coef, solution.intercept


def good(X, y, l1, l2, tol=1e-9, intercept=False):
    return solve_as(X, y, l1, l2, tol, intercept, 1.0)


def off_by_five_percent(X, y, l1, l2, tol=1e-9, intercept=False):
    return solve_as(X, y, l1, l2, tol, intercept, 1.05)


def off_by_a_thousandth(X, y, l1, l2, tol=1e-9, intercept=False):
    return solve_as(X, y, l1, l2, tol, intercept, 1.001)


def nothing(X, y, l1, l2, intercept=False):
    return np.full(X.shape[1], np.nan)


def broken(X, y, l1, l2, intercept=False):
    raise RuntimeError("a bug [with brackets]")


def modest(X, y, l1, l2, intercept=False):
    raise NotImplementedError("only on Sundays")
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the door in this process; return its exit code and what it printed."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(door, "_said", False)
        monkeypatch.setattr(sys, "argv", ["verification", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            commands.main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return run


def certify_arguments(files: Path, coef: str = "w.npy", l1: str = "0.02") -> list[str | Path]:
    b = (files / "b").read_text()
    known = ["--l1", l1, "--l2", "0.1", "--intercept", b]
    return ["certify", files / "data.npz", *known, "--coef", files / coef]


@pytest.mark.parametrize("coef", ["w.npy", "w.txt", "w.csv"])
def test_certify_proves_a_good_answer(files: Path, call: Any, coef: str) -> None:
    code, out, _ = call(*certify_arguments(files, coef), "--json", "--tol", "1e-9")
    certificate = json.loads(out)
    assert code == 0
    assert certificate["gap_rel"] < 1e-12
    assert certificate["implied_off"] < 1e-6


def test_certify_prints_a_table_and_says_how_it_ended(files: Path, call: Any) -> None:
    code, out, _ = call(*certify_arguments(files))
    assert code == 0
    assert "gap / N" in out
    assert out.splitlines()[-1].startswith("exit 0: proven: at most ")


def test_certify_names_the_penalty_that_was_solved(files: Path, call: Any) -> None:
    code, out, err = call(*certify_arguments(files, l1="0.019"), "--json", "--tol", "1e-9")
    assert code == 1
    assert json.loads(out)["implied_l1"] == pytest.approx(0.02, rel=1e-6)
    assert err.splitlines()[-1].startswith("exit 1: a relative gap of 1e-09 is not proven")


def test_certify_refuses_to_give_a_number_for_a_broken_constraint(files: Path, call: Any) -> None:
    np.save(files / "w.npy", np.full(8, np.nan))
    code, out, err = call(*certify_arguments(files), "--json")
    assert code == 1
    assert json.loads(out)["gap"] is None
    assert json.loads(out)["kind"] == "NONE"
    assert err.splitlines()[-1] == "exit 1: nothing is proven: coef[0] is nan"


def test_certify_reads_weights_and_the_sign_constraint(files: Path, call: Any) -> None:
    np.savetxt(files / "s.txt", np.arange(30) % 3)
    (files / "v.txt").write_text("1 1 0 inf 1 1 1 1")
    np.save(files / "w.npy", np.zeros(8))
    weights = ["--sample-weight", files / "s.txt", "--penalty-weights", files / "v.txt"]
    code, out, _ = call(*certify_arguments(files), *weights, "--positive", "--json")
    with np.load(files / "data.npz") as data:
        X, y = np.asfortranarray(data["X"]), data["y"]
    problem = Problem(
        X,
        y,
        l1=0.02,
        l2=0.1,
        intercept=True,
        positive=True,
        sample_weight=np.arange(30) % 3,
        penalty_weights=[1, 1, 0, np.inf, 1, 1, 1, 1],
    )
    assert code == 0
    assert json.loads(out)["digest"] == problem.digest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--coef", "absent.npy"], "absent.npy: not a vector of numbers"),
        (["--l1", "-1"], "l1 is -1.0"),
    ],
)
def test_certify_that_cannot_run_says_why(files: Path, call: Any, change: list[str], words: str) -> None:
    code, out, _ = call(*certify_arguments(files), *change)
    assert code == 2
    assert out.splitlines()[-1].startswith("exit 2: could not run: ")
    assert words in out


def test_a_coefficient_too_many_cannot_run(files: Path, call: Any) -> None:
    np.save(files / "w.npy", np.zeros(9))
    code, out, _ = call(*certify_arguments(files))
    assert code == 2
    assert "coef has shape (9,), expected (8,)" in out


def run_arguments(files: Path, function: str) -> list[str | Path]:
    chosen = ["--data", files / "data.npz", "--solvers", "cd_numpy", "--no-checks"]
    return ["run", *chosen, "--solver", f"mine:{function}"]


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("good", 0, "exit 0: all well: no verdict against any solver of ours"),
        ("off_by_five_percent", 1, "solves l1 x 1.0500"),
        ("off_by_a_thousandth", 1, "solves l1 x 1.0010"),
        ("nothing", 1, "claims 1e-03, but coef[0] is nan"),
        ("broken", 1, "FAILED: RuntimeError: a bug [with brackets]"),
        ("modest", 0, "refused"),
    ],
)
def test_run_judges_a_users_own_solver(
    files: Path, call: Any, monkeypatch: pytest.MonkeyPatch, function: str, code: int, words: str
) -> None:
    monkeypatch.syspath_prepend(files)
    found, out, _ = call(*run_arguments(files, function))
    assert found == code
    assert words in out
    assert out.splitlines()[-1].startswith(f"exit {code}: ")


def test_every_rung_of_l1_convicts_a_penalty_that_is_off(
    files: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(files)
    record = files / "rows.jsonl"
    call(*run_arguments(files, "off_by_five_percent"), "--record", record, "--cells", "*lasso*")
    rows = [row for row in read(record) if row["kind"] == "result" and row["solver"].startswith("mine")]
    supported = [row for row in rows if row["implied_off"] is not None]
    assert supported
    for row in supported:
        assert row["implied_l1"] / row["l1"] == pytest.approx(1.05, rel=1e-4)
        assert row["implied_gain"] > 100


def test_run_that_cannot_run_says_why(files: Path, call: Any) -> None:
    for arguments, words in (
        (["run", "--solvers", "nobody"], "no solver 'nobody'"),
        (["run", "--cells", "nowhere/*"], "no cell is called 'nowhere/*'"),
        (["run", "--suite", "tiny"], "suite is 'tiny'"),
        (["run", "--data", files / "absent.csv"], "is not there"),
    ):
        code, out, _ = call(*arguments)
        assert code == 2
        assert words in out.splitlines()[-1]


def test_an_uncaught_exception_exits_with_2(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(commands, "_cells", fail)
    code, out, err = call("run")
    assert code == 2
    assert "Traceback" in err
    assert out.splitlines()[-1] == "exit 2: could not run: ZeroDivisionError: a bug of ours"


def test_the_cases_are_listed_by_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "verification", "cases"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert "diabetes" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("exit 0: all well")


def test_wrong_usage_exits_with_2() -> None:
    command = [sys.executable, "-m", "verification", "certify"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1] == "exit 2: could not run: see the usage above"
