"""docs/add.md, followed to the letter on a copy of the project."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "add.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the rooms, with the file of docs/add.md dropped in."""
    home = tmp_path_factory.mktemp("project")
    for room in ("solvers", "verification", "bench", "docs", "results"):
        shutil.copytree(
            ROOT / room, home / room, ignore=shutil.ignore_patterns("__pycache__", "records", "reports")
        )
    for file in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / file, home / file)
    name = re.search(r"Save it as `(solvers/\w+\.py)`", TEXT)
    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert name
    assert code
    (home / name[1]).write_text(code[1], encoding="utf-8")
    return home


def commands() -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    lines = [line for language, block in blocks if not language for line in block.strip().splitlines()]
    assert len(lines) == 3
    return lines


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_page_works_and_names_the_new_solver(copy: Path, command: str) -> None:
    words = shlex.split(command)
    if words[0] == "make":  # the copy has no .venv: the same flags, straight to the door
        flags = dict(word.split("=") for word in words[2:])
        words = ["python", "-m", words[1], "run"]
        words += [piece for key, value in flags.items() for piece in (f"--{key.lower()}", value)]
    assert words[0] == "python"
    out = subprocess.run(
        [sys.executable, *words[1:]], cwd=copy, capture_output=True, text=True, timeout=300, env=None
    )
    assert out.returncode == 0, out.stdout + out.stderr
    assert "gradient_example" in out.stdout
