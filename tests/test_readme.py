"""The README says what is so: its table is the catalogue, its links resolve, its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from solvers.__main__ import catalogue_markdown

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_solvers_is_the_catalogue() -> None:
    table = TEXT.split("<!-- solvers -->\n")[1].split("<!-- /solvers -->")[0]
    assert table.strip() == catalogue_markdown(), "paste the output of: python -m solvers list --markdown"


def test_links_resolve() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 10
    for link in links:
        assert (ROOT / link).exists(), link


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"make ([a-z]+)", TEXT))
    assert {"bench", "test", "help", "verify"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_example_runs() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 20))
    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert code
    names: dict = {"X": X, "y": X[:, 0] + rng.standard_normal(50)}
    lines = code[1].replace("print(", "result = (")
    exec(compile(lines, "README.md", "exec"), names)
    assert 0 <= names["result"] <= 1e-9
