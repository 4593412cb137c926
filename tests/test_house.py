"""The laws of the house: which room may import which, that the folder is the list, that keys resolve."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from solvers import catalogue

ROOT = Path(__file__).parent.parent
ROOMS = ("solvers", "verification", "bench")
SOLVER_TYPES = {  # what verification may take from solvers: types, doors, conventions, never arithmetic
    "conventions",
    "Entry", "Problem", "ProblemError", "Solution", "SolverMissing", "SolverRefused",
    "Status", "Stop", "catalogue", "entry", "solve", "solve_path",
}  # fmt: skip


def imports(path: Path) -> list[tuple[str, set[str]]]:
    """(absolute module, names taken from it) for every import of the file."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, set()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            found.append((module, {alias.name for alias in node.names}))
    return found


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize(("room", "above"), [("solvers", ROOMS[1:]), ("verification", ROOMS[2:])])
def test_no_room_reaches_up(room: str, above: tuple[str, ...]) -> None:
    assert files(room)
    for path in files(room):
        for module, _ in imports(path):
            assert module.split(".")[0] not in above, f"{path.relative_to(ROOT)} imports {module}"


def test_verification_takes_types_from_solvers_never_arithmetic() -> None:
    for path in files("verification"):
        for module, names in imports(path):
            if module.split(".")[0] != "solvers":
                continue
            where = f"{path.relative_to(ROOT)} imports {sorted(names)} from {module}"
            assert module in ("solvers", "solvers.data", "solvers.conventions"), where
            if module == "solvers":
                assert names <= SOLVER_TYPES, where


def test_solvers_do_not_import_each_other() -> None:
    for name in catalogue():
        for module, names in imports(ROOT / "solvers" / f"{name}.py"):
            taken = {module.rpartition(".")[2]} | (names if module == "solvers" else set())
            assert not taken & set(catalogue()), f"{name} imports another solver"


def test_the_folder_is_the_catalogue() -> None:
    for name, solver in catalogue().items():
        assert (ROOT / "solvers" / f"{name}.py").is_file()
        assert solver.summary, f"{name} has no docstring"
        assert solver.supports <= {"l1", "l2", "ols", "positive", "sparse"}, name
        assert solver.configurations, name


def test_every_cited_paper_is_in_the_bibliography() -> None:
    maths = (ROOT / "docs" / "maths.md").read_text(encoding="utf-8")
    for name, solver in catalogue().items():
        assert solver.cites or solver.package, f"{name} cites no paper"
        for key in solver.cites:
            assert f"[{key}]" in maths, f"{name} cites {key}, which docs/maths.md does not list"


def test_every_tag_pointed_at_is_in_the_maths() -> None:
    maths = (ROOT / "docs" / "maths.md").read_text(encoding="utf-8")
    for room in ROOMS:
        for path in files(room):
            for tags in re.findall(
                r"docs/maths\.md,? \(?([A-Z][A-Z0-9]*)\)?", path.read_text(encoding="utf-8")
            ):
                assert f"({tags})" in maths, f"{path.relative_to(ROOT)} points at ({tags})"


def test_importing_solvers_is_cheap() -> None:
    heavy = ("numba", "cvxpy", "sklearn", "celer", "skglm", "glmnet", "adelie", "scipy.optimize", "pandas")
    code = (
        "import sys, solvers; [e.supports for e in solvers.catalogue().values()];"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_compiled_code_is_cached_under_the_digest_of_the_sources(tmp_path: Path) -> None:
    """An edit in any file of solvers/ must not be served the old machine code."""
    import shutil

    shutil.copytree(ROOT / "solvers", tmp_path / "solvers", ignore=shutil.ignore_patterns("__pycache__"))
    kernels = tmp_path / "solvers" / "_kernels.py"
    code = (
        "import numpy as np; from solvers import Problem, solve;"
        "print(solve(Problem(np.eye(2), [4.0, 2.0], l1=0.5), 'cd_numba').coef.tolist())"
    )

    def run() -> str:
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        return out.stdout.strip()

    assert run() == "[3.0, 1.0]"
    text = kernels.read_text(encoding="utf-8")
    edited = text.replace(
        "return (t - lam1) / (curvature + lam2)", "return (t - lam1 / 2) / (curvature + lam2)"
    )
    assert edited != text
    kernels.write_text(edited, encoding="utf-8")
    assert run() == "[3.5, 1.5]"
