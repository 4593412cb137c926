"""The claims' pages are what the data say now, and a wrong solver cannot print them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers import Solution, conventions
from verification.checks import claims as registry
from verification.checks.claims import Finding, Verdict, certified, claims, errors, page
from verification.problems import CaseMissing, lookup

DOCS = Path(__file__).parent.parent / "docs"
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Finding]]:
    """Both pages and all figures, printed anew."""
    for case in ("diabetes", "breast_cancer"):
        try:
            lookup(case).load()
        except CaseMissing as reason:
            pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("docs")
    return folder, page.print_pages(folder)


def test_no_verdict_is_refuted(printed: tuple[Path, dict[str, Finding]]) -> None:
    for name, finding in printed[1].items():
        failed = [what for what, passed in finding.tests.items() if not passed]
        assert finding.stands is not Verdict.REFUTED, f"{name}: {failed}"
        assert finding.tests, f"{name} tests nothing"
        assert all(isinstance(passed, bool | np.bool_) for passed in finding.tests.values()), name


@pytest.mark.parametrize("file", list(page.LANGUAGES.values()))
def test_the_committed_page_is_what_the_data_say(file: str, printed: tuple[Path, dict[str, Finding]]) -> None:
    """Word for word; numbers to 1 %, or one unit of their last digit, for another BLAS rounds otherwise."""
    committed = (DOCS / file).read_text(encoding="utf-8")
    fresh = (printed[0] / file).read_text(encoding="utf-8")
    assert NUMBER.sub("#", fresh) == NUMBER.sub("#", committed)
    for a, b in zip(NUMBER.findall(fresh), NUMBER.findall(committed), strict=True):
        unit = 10.0 ** -len(b.partition(".")[2])
        assert abs(float(a) - float(b)) <= max(0.01 * abs(float(b)), unit if "." in b else 0), (
            f"{a} now, {b} in {file}"
        )


@pytest.mark.parametrize("language", list(page.LANGUAGES))
def test_every_figure_is_committed_and_says_the_same(
    language: str, printed: tuple[Path, dict[str, Finding]]
) -> None:
    folder, findings = printed
    words = re.compile(r"<text[^>]*>([^<]*[^\W\d][^<]*)</text>")
    names = [page.figure_name(claims()[name], language) for name in findings]
    assert {p.name for p in (DOCS / "figures").glob(f"claims-*.{language}.svg")} == set(names)
    text = (DOCS / page.LANGUAGES[language]).read_text(encoding="utf-8")
    for name in names:
        fresh, committed = ((d / "figures" / name).read_text(encoding="utf-8") for d in (folder, DOCS))
        assert words.findall(fresh) == words.findall(committed), name
        assert f"(figures/{name})" in text
        assert len(committed) < 80_000, f"{name} is too large for the repository"


def test_the_two_pages_show_the_same_numbers(printed: tuple[Path, dict[str, Finding]]) -> None:
    for name, finding in printed[1].items():
        en, zh = ({x for x in NUMBER.findall(text) if "." in x} for text in finding.evidence)
        assert en == zh, name


def test_every_module_of_claims_is_on_the_page() -> None:
    folder = Path(registry.__file__).parent
    modules = {p.stem for p in folder.glob("*.py")} - {"__init__", "__main__", "_draw", "page"}
    assert modules == set(registry.MODULES)


def test_every_convention_is_shown_with_its_own_formula() -> None:
    """A conversion added to conventions.py must be added to the claim about the factor 1/2."""
    known = {name[3:] for name in vars(conventions) if name.startswith("to_")}
    penalties = {name for name in known if not name.endswith(("_tol", "_thresh"))}
    assert penalties == set(errors.written_by_others(1.0, 1.0, np.array([1.0, 2.0, 4.0])))


def test_a_wrong_conversion_refutes_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting n, or glmnet's sd of y, is seen."""
    monkeypatch.setattr(conventions, "to_lars", lambda l1, n: l1)
    assert errors.the_half_is_a_convenience.test().stands is Verdict.REFUTED
    monkeypatch.undo()
    monkeypatch.setattr(conventions, "to_glmnet", lambda l1, l2, sd: (l1 + l2, l1 / (l1 + l2)))
    assert errors.the_half_is_a_convenience.test().stands is Verdict.REFUTED


def test_an_answer_that_is_not_optimal_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that zeroes ridge's small weights would fool the claim on zeros, were it not certified."""
    honest = registry.solve

    def zeroing(problem: Any, **more: Any) -> Solution:
        found = honest(problem, **more)
        largest = np.abs(found.coef).max()
        return replace(found, coef=np.where(np.abs(found.coef) < 0.2 * largest, 0.0, found.coef))

    monkeypatch.setattr(registry, "solve", zeroing)
    with pytest.raises(AssertionError, match="not proven optimal"):
        claims()["l2_makes_no_zeros"].test()


def test_a_failed_test_takes_the_verdict_away() -> None:
    finding = claims()["distance_of_two_points"].test()
    broken = replace(finding, tests={**finding.tests, "pigs fly": False})
    assert broken.stands is Verdict.REFUTED
    assert "pigs fly" in page.verdict(broken, "en")
    assert "pigs fly" in page.verdict(broken, "zh-TW")


def test_certified_counts_its_proofs() -> None:
    before = registry.count_certified()
    from solvers import Problem

    certified(Problem(np.eye(2), np.array([2.0, 1.0]), l1=0.1))
    assert registry.count_certified() == before + 1
