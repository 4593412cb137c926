"""Reports say what the records hold and nothing else: who is WRONG has no time, a peer that wins is named."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_record import CELLS, head, row, solver, told
from rich.console import Console

from bench.replay import Clock, write_json
from bench.report import Report, build
from bench.report.markdown import escape
from bench.report.model import Point
from bench.report.pairwise import compare, geometric_mean, standing
from bench.report.plots import slug
from bench.report.profiles import front
from bench.report.tables import defects_table, regimes_table, solves_table, times_table
from bench.report.terminal import show
from bench.report.words import coverage, duration, headlines, number, times, verdict
from bench.report.write import write
from verification.record import Recorder

TIER = 1e-6
A, B, C = CELLS


def test_a_time_is_the_median_of_the_loosest_rung_that_meets_the_tier_in_the_best_setting() -> None:
    report = told(
        row("ours", A, 1e-4, 0.001, tol=1e-4),
        row("ours", A, 1e-7, 0.010, rung=1),
        *(row("ours", A, 1e-7, s, rung=1, phase="repeat", round=k) for k, s in enumerate((0.02, 0.03))),
        row("ours", A, 1e-12, 0.001, rung=2, tol=1e-12),
        row("ours", A, 1e-7, 0.015, rung=1, configuration="other"),
    )
    timing = report.timing("ours", A, TIER)
    assert timing is not None
    assert timing.configuration == "other"
    assert timing.seconds == 0.015
    loose = report.timing("ours", A, 1e-3)
    assert loose is not None
    assert loose.seconds == 0.001


def test_the_first_call_is_a_column_and_never_a_time() -> None:
    report = told(row("ours", A, 1e-7, 3.0, phase="first_call"), row("ours", A, 1e-7, 0.01))
    timing = report.timing("ours", A, TIER)
    assert timing is not None
    assert timing.rounds == (0.01,)
    assert report.first_calls == {"ours": 3.0}


def test_only_certified_runs_have_a_time() -> None:
    report = told(row("ours", A, 1e-12, 0.1), row("peer_x", A, 1e-5, 0.001))
    assert report.timing("peer_x", A, TIER) is None
    assert report.outcomes["peer_x", A].tiers[TIER] == "missed"
    assert report.timing("peer_x", A, 1e-3) is not None


def test_a_wrong_claim_withholds_the_times_in_all_cells() -> None:
    report = told(
        row("ours", A, 1e-12, 0.1),
        row("liar", A, 1e-2, 0.001, claimed_gap=1e-9),
        row("liar", B, 1e-12, 0.001),
        row("ours", B, 1e-12, 0.1),
    )
    assert set(report.wrong) == {"liar"}
    assert not any(report.timing("liar", cell, tier) for cell in CELLS for tier in report.tiers)
    assert verdict(report)[0].startswith("liar is WRONG in 1 cell: its times are withheld in all")
    table = solves_table(report)
    column = table.columns.index("liar")
    assert [line[column] for line in table.rows] == ["WRONG", "1e-12"]
    times_of = times_table(report)
    assert [line[times_of.columns.index("liar")] for line in times_of.rows] == ["WRONG", "withheld"]
    assert "liar" not in " ".join(headlines(report))


def test_a_comparison_is_over_shared_cells_alone() -> None:
    report = told(
        row("ours", A, 1e-9, 0.010), row("peer_x", A, 1e-9, 0.020),
        row("ours", B, 1e-9, 0.010), row("peer_x", B, None, None, status="FAILED", message="x"),
    )  # fmt: skip
    comparison = compare(report, "ours", "peer_x", TIER, list(CELLS))
    assert comparison is not None
    assert comparison.cells == (A,)
    assert comparison.ratio == pytest.approx(0.5)
    assert compare(report, "ours", "peer_x", TIER, [B]) is None


def test_a_peer_that_wins_is_said_first() -> None:
    report = told(
        row("ours", C, 1e-9, 0.03), row("peer_x", C, 1e-9, 0.01),
        row("ours", A, 1e-9, 0.01), row("peer_x", A, 1e-9, 0.03),
    )  # fmt: skip
    first, second = headlines(report)
    assert first.startswith(
        "tall, ridge, 1e-6: a peer wins: peer_x 10 ms (certified in 1 of 1 cells), 3.00x faster"
    )
    assert second.startswith("wide, lasso and elastic net, 1e-6: ours 10 ms")
    over = "(geometric mean over 1 cell where both are certified; single rounds, so without an interval)"
    assert f"3.00x faster than peer_x {over}" in second


def test_noise_is_no_difference() -> None:
    rounds = (0.010, 0.013, 0.009, 0.012, 0.011)
    rows = [
        row(name, A, 1e-9, seconds * factor, phase="ladder" if k == 0 else "repeat", round=k)
        for name, factor in (("ours", 1.0), ("peer_x", 1.02))
        for k, seconds in enumerate(rounds)
    ]
    assert any("no difference shown to peer_x" in line for line in headlines(told(*rows)))


def test_who_leads_must_have_solved_nearly_as_many() -> None:
    report = told(
        row("ours", A, 1e-9, 0.01), row("ours", B, 1e-9, 0.01), row("quick", A, 1e-9, 0.001),
        row("quick", B, None, None, status="KILLED", message="too long"),
    )  # fmt: skip
    stand = standing(report, TIER, [A, B])
    assert stand is not None
    assert stand.leader == "ours"
    assert any("but 10x slower than quick (geometric mean over 1 cell" in line for line in headlines(report))


def test_coverage_counts_what_was_not_refused() -> None:
    rows = [row("ours", A, 1e-9, 0.01), row("peer_x", A, None, None, status="REFUSED", message="no")]
    assert "1 of 1 pairs" in coverage(told(*rows))
    assert "as it should be" in coverage(told(*rows))
    rows.append(row("peer_x", B, None, None, status="CRASHED", message="SIGSEGV"))
    assert "50.0 %, FEWER than the 90 %" in coverage(told(*rows))


def test_every_pair_without_an_answer_is_named_with_its_reason() -> None:
    report = told(
        row("ours", A, 1e-9, 0.01),
        row("peer_x", A, None, None, status="REFUSED", message="p > 3"),
        row("peer_x", A, None, None, status="FAILED", message="boom", configuration="other"),
        row("peer_x", B, None, None, status="MISSING", message="not installed"),
    )
    named = {tuple(line[:3]) for line in defects_table(report).rows}
    assert named == {("peer_x", "FAILED", "boom"), ("peer_x", "MISSING", "not installed")}
    assert times_table(report).rows[0] == [A, "10 ms (1)", "FAILED"]


def test_a_better_dual_bound_rejudges_an_old_row() -> None:
    old = row("peer_x", A, 1e-4, 0.01)
    assert told(old).outcomes["peer_x", A].best == pytest.approx(1e-4)
    better = row("ours", A, 1e-12, 0.1, primal=1.0 + 1e-4, dual=1.0 + 1e-4 - 1e-12)
    assert told(old, better).outcomes["peer_x", A].best == pytest.approx(1e-12, rel=1e-3)


def test_a_record_without_a_head_is_no_record() -> None:
    with pytest.raises(ValueError, match="no run row"):
        build([row("ours", A, 1e-9, 0.01)])


def test_a_run_that_was_cut_short_says_so() -> None:
    assert any("cut short" in line for line in verdict(told(row("ours", A, 1e-9, 0.01))))


@pytest.mark.parametrize(
    ("spelt", "text"),
    [
        (duration(0.00085), "850 us"), (duration(0.0123), "12.3 ms"), (duration(1.31), "1.31 s"),
        (duration(0.9999), "1 s"), (number(3.2e-13), "3e-13"), (number(None), "-"), (number(1e-6), "1e-6"),
        (number(0.0), "0"), (times(2.104), "2.10x"), (times(74.2), "74x"),
        (escape("a|b_<i>"), "a\\|b\\_&lt;i&gt;"), (slug("my file/ä.csv"), "my-file-ä-csv"),
    ],
)  # fmt: skip
def test_numbers_and_names_are_spelt(spelt: str, text: str) -> None:
    assert spelt == text


def test_a_front_has_nothing_that_is_beaten() -> None:
    points = [
        Point("c", k, 1.0, s, a, None, "") for k, (s, a) in enumerate([(2, 1e-6), (1, 1e-3), (3, 1e-4)])
    ]
    assert [(p.seconds, p.suboptimality) for p in front(points)] == [(1, 1e-3), (2, 1e-6)]
    assert geometric_mean([1.0, 100.0]) == pytest.approx(10.0)


def full_report() -> Report:
    report = told(
        *(row(name, cell, 1e-9, 0.01 * k) for k, name in enumerate(("ours", "peer_x"), 1) for cell in CELLS),
        row("liar", A, 1e-2, 0.001, claimed_gap=1e-9, message="<script>alert(1)</script>"),
        row("liar", B, None, None, status="FAILED", message="<script>alert(1)</script>"),
    )
    assert regimes_table(report).rows
    return report


def test_the_markdown_report_holds_its_figures_and_escapes_names(tmp_path: Path) -> None:
    target = write(full_report(), tmp_path / "report").markdown
    text = target.read_text()
    assert text.index("liar is WRONG") < text.index("Fastest where") < text.index("## Accuracy in words")
    assert "<script>" not in text
    figures = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert figures
    for figure in figures:
        svg = (target.parent / figure).read_text()
        assert "<svg" in svg
        assert "peer_x" in svg
        assert "liar" not in svg
    assert {f"figures/curves-{case}.svg" for case in "abc"} < set(figures)
    assert "python -m bench run --cells 'a/\\*'" in text
    again = write(full_report(), tmp_path / "report").markdown
    assert again.read_text() == text


def test_the_terminal_report_says_the_verdict_first() -> None:
    for width in (80, 200):
        out = io.StringIO()
        show(full_report(), Console(file=out, width=width))
        lines = out.getvalue().splitlines()
        assert "Verdict" in lines[0]
        assert "liar is WRONG" in lines[1]
        assert max(map(len, lines)) <= width


def test_the_clock_shows_the_rounds_in_turn() -> None:
    clock = Clock()
    step = clock.rounds([0.5, 0.25])
    shown = []
    for _ in range(2):
        clock.rewind()
        before = clock.now
        step()
        shown.append(clock.now - before)
    assert shown == [0.5, 0.25]


def test_pytest_benchmark_reads_the_measured_rounds(tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    seconds = (0.010, 0.0125, 0.011)
    with Recorder(path) as record:
        for line in (head(), solver("ours"), solver("liar")):
            record.append(line)
        for k, value in enumerate(seconds):
            record.append(row("ours", A, 1e-7, value, phase="repeat" if k else "ladder", round=k))
        record.append(row("liar", A, 1e-2, 0.001, claimed_gap=1e-9))
    target = write_json(path, tmp_path)
    entries = json.loads(target.read_text())["benchmarks"]
    assert {(e["extra_info"]["solver"], e["extra_info"]["tier"]) for e in entries} == {
        ("ours", 1e-3),
        ("ours", 1e-6),
    }
    for entry in entries:
        assert sorted(entry["stats"]["data"]) == sorted(seconds)
    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert compared.returncode == 0, compared.stderr
    assert "ours" in compared.stdout
