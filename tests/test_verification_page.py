"""docs/verification.md and docs/digits.md hold what their commands print."""

from __future__ import annotations

import re
from pathlib import Path

from solvers import catalogue
from verification.checks.check import all_checks
from verification.doors.campaign import on_record
from verification.doors.digits import PAGE as DIGITS
from verification.doors.digits import ROOT, page, read
from verification.holding import listing
from verification.problems.suites import quick

PAGE = Path(__file__).resolve().parents[1] / "docs" / "verification.md"
TEXT = PAGE.read_text(encoding="utf-8")


def block(name: str) -> str:
    return TEXT.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0].strip()


def test_the_list_of_checks_is_that_of_the_code() -> None:
    again = "paste the output of: python -m verification checks --markdown"
    assert block("checks") == listing(all_checks(), markdown=True), again


def test_the_campaigns_are_those_on_record() -> None:
    assert block("campaigns") == on_record(), (
        "paste the output of: python -m verification campaign --markdown"
    )


def test_links_resolve() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 4
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_the_digits_are_those_on_record() -> None:
    rows = read(ROOT / "results" / "digits" / "quick.csv")
    assert page(rows) == DIGITS.read_text(encoding="utf-8"), "run: python -m verification digits --print"
    assert len({row["cell"] for row in rows}) == len(quick())
    assert {row["solver"] for row in rows} == set(catalogue())
