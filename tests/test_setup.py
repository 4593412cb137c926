"""The set-up: locks that hold anywhere, a Makefile that explains itself, packages as they lie on disk."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?P<marker>\s*;[^\\]+)?\s*$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


def requirements(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Read a lock as name -> (version, hashes); a line that is neither a pin, a hash nor a comment raises."""
    found: dict[str, tuple[str, list[str]]] = {}
    lines = [line for line in lock.splitlines() if not line.lstrip().startswith("#")]
    for logical in "\n".join(lines).replace("\\\n", "\x00").splitlines():
        pin, *hashes = (part.strip() for part in logical.split("\x00"))
        match = PINNED.match(pin)
        if match is None:
            raise ValueError(f"not a pinned requirement: {pin!r}")
        strangers = [part for part in hashes if not HASH.match(part)]
        if strangers or not hashes:
            raise ValueError(f"{pin}: expected sha256 hashes, got {strangers or 'none'}")
        found[match["name"]] = (match["version"], hashes)
    return found


def canonical(requirement: str) -> str:
    """Reduce a requirement to its normalised project name."""
    name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def targets(makefile: str) -> set[str]:
    """Names that `make` accepts: the lower-case rules, so no files, variables or special targets."""
    return set(re.findall(r"^([a-z][a-z-]*)\s*:(?!=)", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_of_a_lock_is_pinned_and_hashed(lock: Path) -> None:
    assert requirements(lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_index_address_nor_path(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(
        r"://|--(extra-)?index-url|--find-links|--trusted-host|^-[ifr]\b", text, flags=re.MULTILINE
    )
    assert not re.search(r"(^|\s)[./~]*/[a-z]|@", text)


@pytest.mark.parametrize(
    "line",
    [
        "numpy>=2.0",
        "numpy==2.0",
        "numpy==2.0 \\\n    --hash=md5:00",
        "numpy @ file:///wheels/numpy.whl",
        "--index-url somewhere",
        "-e .",
    ],
)
def test_the_reader_of_locks_rejects_what_a_lock_must_not_hold(line: str) -> None:
    with pytest.raises(ValueError, match=r"pinned|hashes"):
        requirements(line)


def test_the_three_locks_are_there_and_agree_in_every_version() -> None:
    assert [path.stem for path in LOCKS] == ["core", "nodeps", "peers"]
    core, nodeps, peers = (requirements(path.read_text()) for path in LOCKS)
    assert {name: peers[name] for name in core} == core
    assert not nodeps.keys() & peers.keys()


def test_what_the_project_declares_is_in_the_core_lock() -> None:
    core = requirements((ROOT / "requirements" / "core.txt").read_text())
    declared = project()["project"]["dependencies"] + project()["build-system"]["requires"]
    assert {canonical(name) for name in declared} <= core.keys()


@pytest.mark.parametrize("name", ["core", "peers", "nodeps"])
def test_a_lock_follows_its_wishes(name: str) -> None:
    wishes = [
        line for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines() if line.strip()
    ]
    lock = requirements((ROOT / "requirements" / f"{name}.txt").read_text())
    assert {canonical(line) for line in wishes if not line.startswith("#")} <= lock.keys()


def test_make_help_names_every_target() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    named = set(re.findall(r"^\s*make ([a-z-]+)\s+\S", listed.stdout, flags=re.MULTILINE))
    assert named == targets((ROOT / "Makefile").read_text())
    assert {"install", "test", "bench", "verify", "report"} <= named


def test_plain_make_is_make_help() -> None:
    plain, named = (
        subprocess.run(
            ["make", "--no-print-directory", *goal], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for goal in ([], ["help"])
    )
    assert plain.stdout == named.stdout != ""


def test_packages_are_the_folders_with_an_init() -> None:
    rooms = ("solvers", "verification", "bench")
    folders = {init.parent for room in rooms for init in (ROOT / room).rglob("__init__.py")}
    assert sorted(project()["tool"]["setuptools"]["packages"]) == sorted(
        ".".join(folder.relative_to(ROOT).parts) for folder in folders
    )
