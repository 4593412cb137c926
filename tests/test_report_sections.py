"""What the sections of a report count, and what they say where there is nothing to count."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from made_record import CELLS, head, row, solver, told

from bench.report import Report, build
from bench.report.accuracy import accuracy_table, in_words
from bench.report.budget import WORDS, budget_table
from bench.report.defaults import defaults_says, defaults_table
from bench.report.floor import floor_says, floor_table
from bench.report.honesty import honesty, honesty_table, success_table
from bench.report.matrix import matrix_table, means_table
from bench.report.paths import path, paths
from bench.report.profiles import precision, profiles
from bench.report.scaling import drawn, fit, ladders, scaling_chart, scaling_table
from bench.report.sections import sections
from bench.report.tables import Table, commands, grouped
from bench.report.words import digits, percent, predictions
from solvers import Problem
from verification.problems.suites import scaling

A, B, C = CELLS
TIER = 1e-6
BEST = row("best", A, 1e-13, 0.1)  # whose dual bound decides


def column(table: Table, name: str, title: str) -> str:
    (line,) = (line for line in table.rows if line[0] == name)
    return line[table.columns.index(title)]


# -- accuracy in words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suboptimality", "words"),
    [(1e-3, "3.2 %"), (1e-6, "0.1 %"), (1e-9, "0.0032 %"), (1e-13, "under 0.001 %"), (0.09, "30 %"),
     (2.0, "over 100 %"), (math.inf, "over 100 %"), (0.0, "under 0.001 %")],
)  # fmt: skip
def test_how_far_predictions_are_off(suboptimality: float, words: str) -> None:
    assert percent(suboptimality) == words


def test_an_answer_that_is_near_or_far_is_said_to_be_in_words() -> None:
    assert predictions(1e-13) == "predictions within 0.001 % of optimal"
    assert predictions(1e-6) == "predictions within 0.1 % of optimal"
    assert predictions(2.0) == "predictions may be over 100 % off"


def test_predictions_are_no_further_off_than_is_said() -> None:
    """Least squares: the distance of the predictions is the suboptimality itself, to the letter."""
    rng = np.random.default_rng(7)
    X, y = rng.standard_normal((50, 3)), rng.standard_normal(50)
    problem = Problem(X, y)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    other = best + 0.1 * rng.standard_normal(3)
    off = (problem.objective(other) - problem.objective(best)) / problem.objective(np.zeros(3))
    apart = np.linalg.norm(X @ (other - best)) / np.linalg.norm(y)
    assert percent(off) == percent(apart**2)
    assert digits(off) == pytest.approx(-math.log10(off))


def test_features_are_told_from_their_absence() -> None:
    report = told(row("ours", A, 1e-9, 0.1, false_features=3), row("peer_x", A, 1e-4, 0.1))
    assert in_words(report.outcomes["ours", A]).endswith("9 digits, 3 false features")
    assert in_words(report.outcomes["peer_x", A]).endswith("4 digits, no false features")
    table = accuracy_table(report)
    assert column(table, "ours", "false features") == "3 in 1 cell"
    assert column(table, "peer_x (peer)", "false features") == "none"
    assert column(table, "ours", "missed features") == "not counted"


# -- success and honesty -----------------------------------------------------------------------------


def test_a_status_is_held_to_what_is_proven() -> None:
    rows = [
        BEST,
        row("ours", A, 1e-7, 0.1, tol=1e-6, claimed_gap=1e-6),  # kept
        row("ours", A, 5e-6, 0.1, rung=1, tol=1e-6, claimed_gap=1e-6),  # broken, but not WRONG
        row("ours", A, 1e-3, 0.1, rung=2, tol=1e-6, status="ITER_LIMIT"),  # admitted
        row("ours", A, 1e-8, 0.1, rung=3, tol=1e-6, status="ITER_LIMIT"),  # modest
        row("ours", A, 1e-8, 0.1, rung=1, phase="repeat", tol=1e-6),  # the same again counts once
        row("peer_x", A, 1e-2, 0.1, tol=1e-6),
    ]
    report = told(*rows)
    said = honesty(report.judgement)
    ours = said["ours"]
    assert (ours.kept, ours.broken, ours.unproven, ours.admitted, ours.modest) == (1, 1, 0, 1, 1)
    assert ours.rate == 0.5
    assert said["peer_x"].rate is None
    assert said["peer_x"].delivered == [pytest.approx(1e-2)]
    table = honesty_table(report)
    assert column(table, "ours", "true") == "50.0 % of 4"
    assert column(table, "peer_x (peer)", "true") == "claims nothing"


def test_what_nobody_can_decide_is_no_lie() -> None:
    rows = [row("ours", A, 1e-5, 0.1, tol=1e-6, claimed_gap=1e-6, dual=1.0 - 1e-4)]
    ours = honesty(told(*rows).judgement)["ours"]
    assert (ours.kept, ours.unproven, ours.broken) == (0, 1, 0)


def test_success_counts_what_was_asked_and_can_be_reached() -> None:
    beyond = row("ours", B, 1e-8, 0.1, radius=1e-8)
    report = told(
        row("ours", A, 1e-7, 0.1), beyond, row("ours", C, None, None, status="FAILED", message="x"),
        row("peer_x", A, None, None, status="REFUSED", message="no"),
    )  # fmt: skip
    table = success_table(report)
    assert [line[0] for line in table.rows] == ["ours"]
    assert column(table, "ours", "to 1e-6") == "67 % (2 of 3)"
    assert column(table, "ours", "to 1e-9") == "0 % (0 of 2)"
    assert column(table, "ours", "beyond float64") == "1"


# -- profiles and pairs ------------------------------------------------------------------------------


def two(seconds: tuple[float, float] = (0.01, 0.03)) -> list[dict[str, Any]]:
    return [
        row(name, cell, 1e-9, s * (1 + 0.001 * turn), round=turn, phase="repeat" if turn else "ladder")
        for name, s in zip(("ours", "peer_x"), seconds, strict=True)
        for cell in (A, B)
        for turn in range(8)
    ]


def test_a_profile_counts_cells_within_a_ratio() -> None:
    rows = [*two(), row("half", A, 1e-9, 0.01), row("half", B, None, None, status="FAILED", message="x")]
    chart = next(c for c in profiles(told(*rows)) if c.key == "profile l1 1e-6")
    lines = {line.name: dict(zip(line.x, line.y, strict=True)) for line in chart.lines}
    assert lines["ours"][1.0] == 0.5  # `half` is faster in the other cell
    assert max(lines["ours"].values()) == 1.0
    assert max(lines["half"].values()) == 0.5
    assert lines["peer_x"][1.0] == 0.0
    assert all(list(line.x) == sorted(line.x) and list(line.y) == sorted(line.y) for line in chart.lines)


def test_a_chart_of_digits_ends_where_half_of_the_cells_are_not_solved() -> None:
    rows = [
        row("ours", A, 1e-4, 0.001), row("ours", A, 2e-9, 0.010, rung=1),
        row("ours", B, 1e-4, 0.003), row("peer_x", A, 1e-13, 0.5), row("peer_x", B, 1e-13, 0.5),
    ]  # fmt: skip
    chart = precision(told(*rows), "wide", "l1", [A, B])
    (ours,) = (line for line in chart.lines if line.name == "ours")
    reached = dict(zip(ours.y, ours.x, strict=True))
    assert reached[3.0] == 0.001
    assert max(reached) == 8.0
    assert reached[8.0] == 0.010  # in one of two cells


def test_pairs_are_counted_from_both_sides() -> None:
    rows = [*two(), row("ours", C, 1e-9, 0.01), row("peer_x", C, None, None, status="FAILED", message="x")]
    table = matrix_table(told(*rows), TIER)
    assert column(table, "ours", "peer_x") == "2-0-0 0.33x +1"
    assert column(table, "peer_x", "ours") == "0-0-2 3x -1"
    assert table.shades == {(0, 2): "better", (1, 1): "worse"}


def test_equals_are_tied() -> None:
    table = matrix_table(told(*two((0.01, 0.0101))), TIER)
    assert column(table, "ours", "peer_x").startswith("0-2-0")
    assert not table.shades


def test_a_failure_costs_the_longest_time() -> None:
    rows = [row("ours", A, 1e-9, 0.01), row("ours", B, 1e-9, 0.01), row("peer_x", A, 1e-9, 0.01),
            row("peer_x", B, 1e-3, 0.001)]  # fmt: skip
    table = means_table(told(*rows))
    assert column(table, "ours", "wide, lasso and elastic net") == "10 ms"
    assert column(table, "peer_x", "wide, lasso and elastic net") != "10 ms"


# -- growth ------------------------------------------------------------------------------------------


def test_an_exponent_is_found_with_its_interval() -> None:
    sizes = [100.0, 200.0, 400.0, 800.0]
    exact = fit(sizes, [1e-6 * size**1.5 for size in sizes])
    assert exact is not None
    assert exact.exponent == pytest.approx(1.5)
    assert exact.margin < 1e-6
    noisy = fit(
        sizes, [1e-6 * size**1.5 * wobble for size, wobble in zip(sizes, (1, 1.3, 0.8, 1.1), strict=True)]
    )
    assert noisy is not None
    assert abs(noisy.exponent - 1.5) < noisy.margin
    assert fit(sizes[:2], [1.0, 2.0]) is None


def grown() -> Report:
    cells = [f"rows_{n}/lasso/l1_max:10" for n in (100, 200, 400, 800)]
    rows = [
        row(name, A, 1e-9, 1e-5 * (k + 1) * n)
        | {"cell": cell, "case": f"rows_{n}", "digest": cell, "n": n, "nnz": 4 * n, "suite": "scaling"}
        for k, name in enumerate(("ours", "peer_x"))
        for cell, n in zip(cells, (100, 200, 400, 800), strict=True)
    ]
    top = head() | {"cells": [{"name": cell} for cell in cells]}
    return build([top, solver("ours"), solver("peer_x"), *rows])


def test_cells_that_differ_in_size_alone_are_a_ladder() -> None:
    report = grown()
    (found,) = ladders(report)
    assert (found.dimension, [cell.n for cell in found.cells]) == ("n", [100, 200, 400, 800])
    chart = scaling_chart(report, found)
    assert [line.name for line in chart.lines] == ["ours", "peer_x"]
    assert chart.lines[0].notes[0] == "time ~ n^1.00"
    table = scaling_table(report, [found])
    assert column(table, "peer_x", "exponent") == "1.00"
    assert column(table, "peer_x", "what grows (sizes)") == "n = 100 to 800 (4)"
    assert list(drawn(report, [found])) == ["rows_*/lasso/l1_max:10"]
    assert not ladders(told(BEST))


def test_a_ladder_grows_in_one_dimension_whatever_else_the_suite_has() -> None:
    report = build(
        [
            head() | {"cells": [{"name": cell.name} for cell in scaling()]},
            solver("ours"),
            *(
                row("ours", A, 1e-9, 1.0)
                | {"cell": cell.name, "case": cell.case, "digest": cell.name, "suite": "scaling"}
                | dict(zip(("n", "p", "nnz"), shape_of(cell.case), strict=True))
                for cell in scaling()
            ),
        ]
    )
    found = {ladder.name.partition("/")[0]: ladder for ladder in ladders(report)}
    assert {name: ladder.dimension for name, ladder in found.items()} == {
        "scaling_500x*": "p", "scaling_*x500": "n", "scaling_500x5000_rho*": "c", "scaling_*x100000": "n",
        "scaling_sparse_10000x*": "p", "scaling_sparse_10000x30000_top*": "nnz",
    }  # fmt: skip
    assert [cell.p for cell in found["scaling_500x*"].cells] == [1000, 10000, 100000]
    assert [cell.n for cell in found["scaling_*x500"].cells] == [1000, 10000, 100000]
    correlated = found["scaling_500x5000_rho*"]
    assert [correlated.size(cell) for cell in correlated.cells] == pytest.approx([1, 10, 100])
    assert len(ladders(report)) == 2 * len(found), "each at two penalties"
    slow = [ladder for ladder in ladders(report) if not drawn(told(BEST), [ladder])]
    assert len(slow) == 2 * len(found), "a picture without a line is not drawn"


def shape_of(case: str) -> tuple[int, int, int]:
    """Rows, columns and entries, as the name of a scaling case has them."""
    n, p = map(int, re.findall(r"(\d+)x(\d+)", case)[0])
    top = float((re.findall(r"_top([\d.]+)", case) or ["0.3"])[0])
    return n, p, int(n * p * (top if "sparse" in case else 1))


# -- what is there, and what is not ------------------------------------------------------------------


def test_defaults_are_their_own_rows_and_never_times() -> None:
    called = {"phase": "defaults", "configuration": "defaults", "tol": None}
    report = told(
        BEST,
        row("peer_x", A, 1.6e-3, 0.002, **called, false_features=3),
        row("peer_x", B, 1e-6, 0.001, **called),
    )
    assert report.timing("peer_x", A, 1e-3) is None
    table = defaults_table(report)
    assert column(table, "peer_x (peer)", "delivered, worst") == (
        "predictions within 4 % of optimal, 3 false features"
    )
    assert column(table, "peer_x (peer)", "worst cell") == A
    assert not defaults_table(told(BEST)).rows


def test_a_default_without_an_answer_says_why() -> None:
    called = {"phase": "defaults", "configuration": "defaults", "tol": None}
    late = row(
        "peer_x", A, None, None, status="TIME_LIMIT", message="not tried: the budget is short", **called
    )
    report = told(BEST, late)
    assert not defaults_table(report).rows
    assert defaults_says(report) == ["No answer from 1 pair: not tried: the budget is short (1)."]
    refused = row("peer_x", A, None, None, status="REFUSED", message="no", **called)
    assert defaults_says(told(BEST, refused)) == []
    assert defaults_says(told(BEST))[0].startswith("This run did not call")


def test_the_noise_is_named() -> None:
    assert floor_says(told(BEST))[0].startswith("Not measured in this run")
    twin = {"twin_of": "ours", "slowdown": 0.0}
    rows = two()[:16]
    again = [{**one, "solver": "ours@twin", **twin} for one in rows[:16] if one["solver"] == "ours"]
    report = build([head(), solver("ours"), {**solver("ours@twin"), **twin}, solver("peer_x"), *rows, *again])
    assert set(report.solvers) == {"ours", "peer_x"}
    table = floor_table(report)
    assert [line[:3] for line in table.rows] == [["ours@twin", "ours", "nothing"]]
    assert "right" in table.rows[0][-1]


def test_the_seconds_of_a_run_are_accounted_for() -> None:
    rows = [head(), solver("ours"), row("ours", A, 1e-9, 6.0)]
    parts = dict.fromkeys(WORDS, 0.0) | {"timed": 6.0, "warming": 1.0, "certifying": 0.5, "bookkeeping": 2.5}
    end = {"kind": "end", "elapsed": 10.0, "pairs": 1}
    shares = [line[2] for line in budget_table(build([*rows, {**end, **parts}])).rows]
    assert shares == ["60.0 %", "10.0 %", "5.0 %", "25.0 %"]
    assert not budget_table(build(rows)).rows
    assert not budget_table(build([*rows, {**end, "certifying": 0.5}])).rows, (
        "a record that does not say it all"
    )


def test_notes_with_the_same_reason_stand_together() -> None:
    notes = [
        "ours on a: tol 1e-4 and tighter not run: setting x was over 4 times faster",
        "peer on b: tol 1e-4 and tighter not run: setting y on c was over 4 times faster",
        "the budget ended",
    ]
    assert grouped(notes) == [
        "ours on a and 1 more: tol 1e-4 and tighter not run: another setting was over 4 times faster",
        "the budget ended",
    ]


def test_commands_run_the_same_solvers_again() -> None:
    report = told(BEST)
    report.head["argv"] = ["run", "--solvers", "best,peer x", "--suite", "quick"]
    whole, one, own = commands(report)
    assert whole == "python -m bench run --solvers 'best,peer x' --suite quick"
    assert one.endswith(f"--cells {A} --solvers 'best,peer x'")
    assert own == "python -m bench run --data yours.csv --solvers 'best,peer x'"


def test_a_path_is_proven_and_names_its_largest_features() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 70))
    y = X[:, :4] @ np.array([4.0, -3.0, 2.0, 1.0]) + 0.1 * rng.standard_normal(40)
    found = path(Problem(X, y, intercept=True), "made")
    assert found.chart is not None
    assert 4 < sum(line.named for line in found.chart.lines) <= 12
    assert {f"x{k}" for k in range(4)} < {line.name for line in found.chart.lines if line.named}
    proven = float(found.said.split("the largest self-certified gap on the path is ")[1].split(" N")[0])
    assert proven <= 1e-9
    assert all(line.y[0] == 0 for line in found.chart.lines)


def test_data_that_are_gone_are_no_reason_to_have_no_report() -> None:
    report = told(BEST)
    report.head["cells"] = [{"name": A, "case": "a", "path": "/nowhere/gone.csv"}]
    (found,) = paths(report)
    assert found.chart is None
    assert found.said.startswith("Not drawn: ")


def test_every_section_says_something_of_every_record() -> None:
    for report in (told(BEST), told(row("ours", A, None, None, status="FAILED", message="x")), grown()):
        for section in sections(report):
            assert section.says or section.tables or section.charts or section.points, section.key
