"""The page stands alone, says what the record says, and works in a browser without a network."""

from __future__ import annotations

import csv
import html.parser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from devtools import Page, browser
from made_record import CELLS, row, told

from bench.report import Report
from bench.report.charts import Chart
from bench.report.embedded import encode
from bench.report.html import page
from bench.report.lead import leads
from bench.report.numbers import write_numbers
from bench.report.sections import Section, sections
from bench.report.write import LARGEST, PUBLISHED, Written, publish, write

A, B, C = CELLS
EVIL = "<script>alert(1)</script>"


def a_report(extra: int = 0) -> Report:
    """Ours and a peer that climb a ladder everywhere, one that lies, one that fails, one that refuses."""
    rows = []
    for k, name in enumerate(("ours", "peer_x", *(f"more_{i}" for i in range(extra))), 1):
        for cell in CELLS:
            rows += [
                row(name, cell, 10.0**-depth, 0.001 * k * depth, rung=rung, tol=10.0**-depth, round=turn,
                    phase="repeat" if turn else "ladder")
                for rung, depth in enumerate((3, 6, 9))
                for turn in range(3)
            ]  # fmt: skip
    rows.append(row("liar", A, 1e-2, 0.001, claimed_gap=1e-9, message=EVIL))
    rows.append(row("liar", B, None, None, status="FAILED", message=EVIL))
    rows.append(row("peer_none", A, None, None, status="REFUSED", message="p > 3"))
    return told(*rows)


class Reader(html.parser.HTMLParser):
    """Collects elements, and complains of what is not closed."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[str, str]] = []  # (heading level, text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.words.append((self.open[-1], data))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(a_report(), tmp_path_factory.mktemp("report") / "made")


@pytest.fixture(scope="module")
def text(written: Written) -> str:
    return written.html.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert not reader.open
    return reader


def embedded(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    parsed: dict[str, Any] = json.loads(found[1])
    return parsed


def test_the_page_fetches_nothing(read: Reader, text: str) -> None:
    for tag, attributes in read.found:
        for name in ("src", "href", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    policy = next(a["content"] for t, a in read.found if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert len(text.encode()) < PUBLISHED < LARGEST


def test_names_and_messages_are_escaped(text: str) -> None:
    assert EVIL not in text
    assert "made | &lt;up&gt;" in text
    assert "\\u003cscript\\u003ealert(1)" in text
    assert json.loads(encode({"x": EVIL + "\u2028&"})) == {"x": EVIL + "\u2028&"}


def test_identifiers_are_unique_and_links_lead_somewhere(read: Reader) -> None:
    names = [a["id"] for _, a in read.found if "id" in a]
    assert len(names) == len(set(names))
    links = {a["href"] for t, a in read.found if t == "a"}
    assert links <= {f"#{name}" for name in names}
    assert "#verdict" in links


def test_the_verdict_comes_first_and_what_is_wrong_before_it(text: str) -> None:
    body = text[text.index("<main>") :]
    order = [
        "liar is WRONG in 1 cell",
        "<ul class=",
        "Defaults, as documented",
        "Accuracy in words",
        "Who solves what",
        "Time against accuracy",
        "Performance profiles",
        "Digits against time",
        "Lasso paths",
        "Growth with size",
        "Noise floor",
        "Refusals and failures",
        "Run it again",
        "Settings",
        "Provenance",
        "Known limitations",
    ]
    places = [body.index(words) for words in order]
    assert places == sorted(places)


def test_both_forms_have_the_same_sections(read: Reader, written: Written) -> None:
    page_has = ["".join(words) for level, words in read.words if level == "h2"]
    lines = written.markdown.read_text(encoding="utf-8").splitlines()
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == page_has


def test_a_peer_that_wins_is_the_first_line() -> None:
    report = told(
        row("ours", C, 1e-9, 0.03), row("peer_x", C, 1e-9, 0.01),
        row("ours", A, 1e-9, 0.01), row("peer_x", A, 1e-9, 0.03),
    )  # fmt: skip
    first, second = leads(report)
    assert (first.kind, first.who) == ("peer wins", "peer_x")
    assert first.sentence.startswith(
        "tall dense, ridge: a peer wins: peer_x, 10 ms against 30 ms (ours): 3.00x faster"
    )
    assert second.sentence.startswith("wide dense, lasso, elastic net: ours, 10 ms against 30 ms (peer_x)")
    assert "1 of 2 cells" not in first.sentence


def test_both_times_of_a_line_are_over_the_shared_cells() -> None:
    report = told(
        row("ours", A, 1e-9, 0.010), row("peer_x", A, 1e-9, 0.030),
        row("ours", B, 1e-9, 1.000), row("peer_x", B, None, None, status="FAILED", message="x"),
    )  # fmt: skip
    (line,) = leads(report)
    assert line.says == "10 ms against 30 ms (peer_x): 3.00x faster, single rounds, 1 of 2 cells"


def test_who_is_slower_where_both_get_there_does_not_win() -> None:
    report = told(
        row("peer_x", A, 1e-9, 0.10), row("peer_x", B, 1e-9, 0.10), row("ours", A, 1e-9, 0.01),
        row("ours", B, 1e-3, 0.01),
    )  # fmt: skip
    (line,) = leads(report)
    assert (line.kind, line.who) == ("split", "peer_x")
    assert "100 ms, 2 of 2 cells; ours is 10x faster, single rounds where both do, 1 cell" in line.says


def test_nobody_and_alone_are_said() -> None:
    (line,) = leads(told(row("ours", A, 1e-2, 0.01)))
    assert line.sentence == "wide dense, lasso, elastic net: nobody, is certified."
    (line,) = leads(told(row("ours", A, 1e-9, 0.01)))
    assert line.says == "10 ms, 1 of 1 cell; no peer is certified there"


def test_every_chart_has_its_place_and_its_data(read: Reader, text: str) -> None:
    data = embedded(text)
    numbers = [int(a["data-chart"] or -1) for _, a in read.found if "data-chart" in a]
    assert numbers == list(range(len(data["charts"])))
    assert len(numbers) > len(CELLS)
    assert {s["name"] for s in data["solvers"]} == {"ours", "peer_x", "liar", "peer_none"}
    assert [s["name"] for s in data["solvers"] if s["wrong"]] == ["liar"]
    drawn = {data["strings"][line[0]] for chart in data["charts"] for line in chart["lines"]}
    assert drawn == {"ours", "peer_x"}  # who is WRONG has no times, and no lines


def test_solvers_look_different(text: str) -> None:
    solvers = embedded(page(a_report(extra=22), []))["solvers"]
    assert len({(s["colour"], s["dash"], s["symbol"]) for s in solvers}) == len(solvers)
    assert len({(s["colour"], s["dash"]) for s in solvers}) == len(solvers)


def test_numbers_are_written_beside_the_page(written: Written) -> None:
    with open(written.html.parent / "numbers" / "answers.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    (one,) = [r for r in rows if (r["solver"], r["cell"]) == ("peer_x", A)]
    assert float(one["seconds 1e-6"]) == pytest.approx(0.012)
    assert float(one["suboptimality"]) == pytest.approx(1e-9)
    assert {r["wrong"] != "" for r in rows if r["solver"] == "liar"} == {True, False}
    points = (written.html.parent / "numbers" / "curves-lines.csv").read_text()
    assert "tol 1e-6" in points


def test_numbers_have_a_file_for_each_table(tmp_path: Path) -> None:
    report = a_report()
    told_of = sections(report)
    files = {path.name for path in write_numbers(report, told_of, tmp_path)}
    assert sum(name.endswith("-lines.csv") for name in files) == sum(bool(_charts(s)) for s in told_of)
    assert len(files) == 1 + sum(bool(_charts(s)) + len(s.tables) for s in told_of)


def _charts(section: Section) -> list[Chart]:
    return [chart for charts in section.charts.values() for chart in charts]


def test_a_published_report_leaves_out_what_is_too_large(tmp_path: Path, written: Written) -> None:
    said = publish(written, tmp_path / "published")
    assert (tmp_path / "published" / "report.html").exists()
    assert not (tmp_path / "published" / "numbers").exists()
    assert said.endswith("without numbers")
    large = Written(tmp_path / "large" / "report.html", tmp_path / "large" / "report.md")
    large.html.parent.mkdir()
    large.html.write_bytes(b"x" * (PUBLISHED + 1))
    large.markdown.write_text("#")
    said = publish(large, tmp_path / "published")
    assert [path.name for path in (tmp_path / "published").iterdir()] == ["report.md"]
    assert "without numbers and report.html: it has 6.0 MB" in said


# -- in a browser ------------------------------------------------------------------------------------


@pytest.fixture(params=[1400, 390], ids=["wide", "phone"], scope="module")
def shown(request: pytest.FixtureRequest, written: Written) -> Iterator[Page]:
    if browser() is None:
        pytest.skip("no Chromium on PATH: the page is not tried in a browser")
    with Page(written.html, request.param, 844) as page:
        page.run("everything()")
        page.wait_for("document.querySelectorAll('.plot').length > 0")
        page.wait_for("[...document.querySelectorAll('.plot')].every(p => p.querySelector('.main-svg'))")
        yield page


@pytest.fixture
def screen(shown: Page) -> Iterator[Page]:
    """A page on which everything is drawn; nothing that a test does may make it complain or ask for more."""
    yield shown
    assert shown.complaints == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in shown.requests), shown.requests


def test_a_page_that_complains_or_wants_the_network_is_noticed(tmp_path: Path) -> None:
    if browser() is None:
        pytest.skip("no Chromium on PATH: the page is not tried in a browser")
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<script>console.error('ouch'); fetch('https://example.org/x').catch(() => 0)</script>"
        "<script>nonsense()</script><div style='width: 5000px'>wide</div>"
    )
    with Page(bad, 390, 844) as page:
        assert page.run("document.documentElement.scrollWidth") > page.width
        found = " ".join(page.complaints)
        assert "ouch" in found
        assert "nonsense" in found
        assert "https://example.org/x" in page.requests


SHOWN = """[...document.querySelectorAll('.plot')].map(p => p.data
    .filter(t => t.name === 'ours' && t.visible === true).length
    + '/' + p.querySelectorAll('.scatterlayer .trace').length)"""


def test_every_plot_is_drawn_and_nothing_sticks_out(screen: Page) -> None:
    lines = screen.run(
        "[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('path.js-line').length)"
    )
    assert all(count > 0 for count in lines)
    assert screen.run("document.documentElement.scrollWidth") <= screen.width


def test_the_verdict_is_on_the_first_screen(screen: Page) -> None:
    screen.run("scrollTo(0, 0)")
    assert screen.run(
        "document.querySelector('.leads.shown').getBoundingClientRect().bottom < innerHeight - 40"
    )


def test_the_toggle_hides_a_solver_in_every_plot(screen: Page) -> None:
    before = screen.run(SHOWN)
    assert all(not found.startswith("0") for found in before)
    screen.run("document.querySelector('aside .solvers').open = true")
    screen.run("document.querySelector('#toggles input[value=ours]').focus()")
    screen.press(" ", 32)  # by keyboard
    assert all(found.startswith("0") for found in screen.run(SHOWN))
    assert screen.run("document.getElementById('count').textContent") == "(3/4)"
    screen.run("document.querySelector('[data-set=all]').click()")
    assert screen.run(SHOWN) == before
    screen.run("document.querySelector('[data-set=none]').click()")
    assert screen.run("[...document.querySelectorAll('.plot')].every(p => p.data.every(t => !t.visible))")


def test_the_grid_gives_its_reasons(screen: Page) -> None:
    words = "document.getElementById('told').textContent"
    screen.run("[...document.querySelectorAll('#grid td')].find(t => t.textContent === 'WRONG').click()")
    assert screen.run(words).startswith(f"liar on {A}. WRONG: claims 1e-09")
    assert EVIL in screen.run(words)
    screen.run("document.querySelector('#grid td.chosen').focus()")
    screen.press("ArrowDown", 40)
    assert screen.run(words).startswith(f"liar on {B}")
    again = screen.run("document.getElementById('again-cell').textContent")
    assert again == f"python -m bench run --suite 'made | <up>' --cells {B} --solvers liar"
    screen.run(
        "const v = document.getElementById('view'); v.value = '1'; v.dispatchEvent(new Event('change'))"
    )
    assert "6 ms" in screen.run("document.getElementById('grid').textContent")


def test_the_wanted_accuracy_is_chosen(screen: Page) -> None:
    screen.run("document.querySelector('.tiers input[value=\"1e-09\"]').click()")
    assert screen.run("document.querySelector('.leads.shown').dataset.tier") == "1e-09"
    assert screen.run("document.querySelectorAll('.leads.shown').length") == 1
