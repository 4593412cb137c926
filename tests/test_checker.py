"""The stand-alone checker accepts honest certificates and no false one, whatever its digest says."""

from __future__ import annotations

import ast
import copy
import json
import random
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from solvers import Problem
from verification.campaigns.random_problems import combinations, problem_of
from verification.proofs import checker
from verification.proofs.exact import optimum
from verification.proofs.export import GRID, SCALING, exactly, export, seal

CHECKER = Path(checker.__file__)
TRIALS = 100


def toy(**options: Any) -> Problem:
    rng = np.random.default_rng(5)
    X = np.round(rng.standard_normal((12, 8)) * 256) / 256
    y = np.round((X[:, :3].sum(axis=1) + rng.standard_normal(12)) * 256) / 256
    return Problem(options.pop("wrap", np.asarray)(X), y, **options)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "lasso": lambda: toy(l1=0.1),
    "lasso, intercept": lambda: toy(l1=0.1, intercept=True),
    "elastic net": lambda: toy(l1=0.1, l2=0.3, intercept=True),
    "ridge": lambda: toy(l2=0.3, intercept=True),
    "least squares": lambda: toy(intercept=True),
    "non-negative": lambda: toy(positive=True, intercept=True),
    "positive": lambda: toy(l1=0.05, positive=True),
    "weights": lambda: toy(
        l1=0.1,
        intercept=True,
        sample_weight=np.arange(12) / 7,
        penalty_weights=[0, 1, 2, 0.3, np.inf, 1, 1, 1],
    ),
    "sparse": lambda: toy(l1=0.1, intercept=True, wrap=sp.csc_array),
}


@cache
def certificate(name: str, folder: Path) -> bytes:
    """An honest certificate of a rough answer, with intervals."""
    problem = PROBLEMS[name]()
    found = optimum(problem, np.zeros(problem.p), cached=False)
    path = folder / f"{name}.json"
    export(problem, found.coef * 1.001, found.intercept, path, exact=found)
    return path.read_bytes()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


def content_of(raw: bytes) -> dict[str, Any]:
    content = json.loads(raw)
    del content["sha256"]
    return content


@pytest.mark.parametrize("name", PROBLEMS)
def test_an_honest_certificate_is_accepted(name: str, folder: Path) -> None:
    words = checker.check(certificate(name, folder))
    assert words.startswith("proven")
    assert "only optimum" in words


@pytest.mark.parametrize("part", range(3))
def test_any_problem_with_any_point_gets_a_certificate(part: int, tmp_path: Path) -> None:
    chosen = np.random.default_rng(6).permutation(len(combinations()))[part:120:3]
    for i in chosen:
        problem = problem_of(combinations()[i])
        found = optimum(problem, np.zeros(problem.p), cached=False)
        path = tmp_path / "file.json"
        bound = export(problem, found.coef, found.intercept, path, exact=found)
        gap = Fraction(problem_value(problem, found)) - Fraction(found.value_low)
        assert bound <= 2 * max(float(gap), 0.0) + 1e-28 * found.value + 1e-300
        checker.check(path.read_bytes())
        export(problem, np.zeros(problem.p), 0.0, path)  # without knowing the optimum
        checker.check(path.read_bytes())


def problem_value(problem: Problem, found: Any) -> Fraction:
    """P at the rounded optimum, by the definition."""
    from verification.campaigns.exact_reference import ExactProblem, rational

    value = ExactProblem(problem).objective([rational(x) for x in found.coef], rational(found.intercept))
    return Fraction(int(value.p), int(value.q))


def test_every_changed_byte_is_rejected(folder: Path) -> None:
    rng = random.Random(1)
    for _ in range(TRIALS):
        raw = bytearray(certificate(rng.choice(list(PROBLEMS)), folder))
        place = rng.randrange(len(raw))
        raw[place] = rng.choice([b for b in range(256) if b != raw[place]])
        with pytest.raises(checker.Rejected):
            checker.check(bytes(raw))


def test_changed_digests_missing_and_added_bytes_are_rejected(folder: Path) -> None:
    raw = certificate("lasso", folder)
    for place in range(80):
        for other in (raw[place] ^ 1, raw[place] ^ 32):
            with pytest.raises(checker.Rejected):
                checker.check(raw[:place] + bytes([other]) + raw[place + 1 :])
    for bad in (raw[:-1], raw + b" ", b" " + raw, b""):
        with pytest.raises(checker.Rejected):
            checker.check(bad)


def forge_bound(content: dict[str, Any], rng: random.Random) -> str:
    """Below the true suboptimality: of the optimum itself by the exact gap less a little."""
    bound = Fraction(float.fromhex(content["claim"]["bound"]))
    part = rng.choice(
        [Fraction(0), Fraction(1, 2), 1 - Fraction(1, 10**6), 1 - Fraction(1, 10**12), Fraction(-1)]
    )
    content["claim"]["bound"] = str(bound * part)
    return "the bound is not proven"


def forge_interval(content: dict[str, Any], rng: random.Random) -> str:
    """Beside the true coefficient, on either side, by much or by little; or of another coefficient."""
    intervals = content["claim"]["intervals"]
    j = rng.randrange(len(intervals))
    low, high = (Fraction(float.fromhex(x)) for x in intervals[j])
    width = (high - low) or Fraction(1, 2**60)
    shift = rng.choice([1, 2, 10**6, 10**12]) * width * rng.choice([1, -1])
    intervals[j] = [str(low + shift), str(high + shift)]
    return "does not contain"


def forge_theta(content: dict[str, Any], rng: random.Random) -> str:
    """Out of its constraints: longer, or tilted; the bound claims what D then says, or less."""
    theta = [Fraction(x) for x in content["proof"]["theta"]]
    problem = exactly(content["problem"])
    direction = problem.columns[rng.choice(sorted(problem.live))]
    tilt = [Fraction(0)] * problem.n
    for i, x in zip(direction.at or range(problem.n), direction.num, strict=True):
        tilt[i] = Fraction(x, direction.den)
    for k in range(1, 40):
        moved = [t + s * Fraction(2**k, 2**10) for t, s in zip(theta, tilt, strict=True)]
        sign = rng.choice([1, -1])
        moved = [t * (1 + Fraction(1, 2**20)) for t in moved] if sign > 0 else moved
        try:
            problem.dual(checker.Row(moved))
        except checker.Rejected:
            break
    content["proof"]["theta"] = [str(x) for x in moved]
    content["claim"]["bound"] = "0"
    return "not feasible|bound is not proven"


def forge_data(content: dict[str, Any], rng: random.Random) -> str:
    """Another response: the old optimum's intervals miss the new one."""
    y = content["problem"]["y"]
    i = rng.randrange(len(y)) if content["problem"]["sample_weight"] is None else len(y) - 1
    y[i] = (float.fromhex(y[i]) + rng.choice([1.0, -1.0])).hex()
    content["claim"]["bound"] = "1000"
    content["proof"]["theta"] = ["0"] * len(y)
    return "not proven|does not contain"


def forge_coefficient(content: dict[str, Any], rng: random.Random) -> str:
    """A coefficient moved away from the optimum, with the bound of the old one."""
    coef = content["claim"]["coef"]
    penalty = content["problem"]["penalty_weights"] or []
    j = rng.choice([j for j in range(len(coef)) if j >= len(penalty) or penalty[j] != "inf"])
    coef[j] = (float.fromhex(coef[j]) + rng.choice([10.0, 1000.0])).hex()
    return "the bound is not proven"


def forge_proof(content: dict[str, Any], rng: random.Random) -> str:
    """A coefficient of the support left out of the proof, its interval at zero."""
    proof = content["proof"]["optimum"]
    k = rng.randrange(len(proof["support"]))
    j = proof["support"].pop(k)
    proof["coef"].pop(k)
    proof["scale"].pop(k)
    proof["inverse"].pop(k)
    for row in proof["inverse"]:
        row.pop(k)
    content["claim"]["intervals"][j] = ["0", "0"]
    return "not proven|does not contain|not one"


FORGERIES = (forge_bound, forge_interval, forge_theta, forge_data, forge_coefficient, forge_proof)


def test_forgeries_with_a_right_digest_are_rejected(folder: Path) -> None:
    """Their digest is recomputed, and their claim false by exact arithmetic."""
    rng = random.Random(2)
    for trial in range(TRIALS):
        forge = FORGERIES[trial % len(FORGERIES)]
        content = copy.deepcopy(content_of(certificate(rng.choice(list(PROBLEMS)), folder)))
        words = forge(content, rng)
        with pytest.raises(checker.Rejected, match=words):
            checker.check(seal(content))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(format="another"), "not a l1l2"),
        (lambda c: c["problem"].update(n=True), "another type than int"),
        (lambda c: c["problem"]["y"].append("0x1.0p+0"), "y: 12 numbers"),
        (lambda c: c["problem"].update(l1="nan"), "not a number"),
        (lambda c: c["problem"].update(l1="-1"), "not negative"),
        (lambda c: c["problem"].update(sample_weight=["0"] * 12), "not all zero"),
        (lambda c: c["claim"].update(bound=0.5), "not a number"),
        (lambda c: c["claim"].pop("intervals"), "names expected"),
        (lambda c: c["problem"].update(n=0, y=[]), "no sizes"),
        (lambda c: c["problem"].update(p=2**60), "no sizes"),
        (lambda c: c["proof"]["optimum"].update(scale=[10**9] * 99), "scale"),
        (lambda c: c["proof"]["optimum"]["scale"].__setitem__(0, 9999), "scale"),
        (lambda c: c["proof"]["optimum"]["scale"].__setitem__(0, -9999), "scale"),
        (lambda c: c["claim"]["intervals"].append(["0", "0"]), "one a coefficient"),
        (lambda c: c["proof"]["optimum"]["support"].reverse(), "in order"),
        (lambda c: c["proof"]["optimum"].update(inverse=[["0"] * 9] * 9), "inverse"),
        (lambda c: c.update(claim=[]), "names expected"),
    ],
    ids=range(17),
)
def test_what_is_not_in_the_format_is_rejected(change: Any, words: str, folder: Path) -> None:
    content = content_of(certificate("lasso, intercept", folder))
    change(content)
    with pytest.raises(checker.Rejected, match=words):
        checker.check(seal(content))


@pytest.mark.parametrize("place", [(12, 0), (0, 8), (-1, 0), (0, -1)])
def test_entries_outside_are_rejected(place: tuple[int, int], folder: Path) -> None:
    content = content_of(certificate("sparse", folder))
    content["problem"]["entries"].append([*place, "0x1.0p+0"])
    with pytest.raises(checker.Rejected, match="outside"):
        checker.check(seal(content))


def moved_by(content: dict[str, Any], share: tuple[float, float], bits: int = 20) -> dict[str, Any]:
    """A proof whose first coefficient is off by 2^-bits, and intervals of `share` of what follows."""
    proof = content["proof"]["optimum"]
    reach = Fraction(1, 2**bits) / Fraction(2) ** proof["scale"][0]
    proof["coef"][0] = str(Fraction(proof["coef"][0]) + Fraction(1, 2**bits))
    for j, x, e in zip(proof["support"], proof["coef"], proof["scale"], strict=True):
        low, high = (reach * Fraction(2) ** e * Fraction(part) for part in share)
        content["claim"]["intervals"][j] = [str(Fraction(x) - low), str(Fraction(x) + high)]
    return content


def test_an_interval_is_as_wide_as_the_proof_leaves_it(folder: Path) -> None:
    content = content_of(certificate("ridge", folder))
    assert "only optimum" in checker.check(seal(moved_by(copy.deepcopy(content), (1.01, 1.01))))
    for share in ((0.99, 0.99), (0.6, 0.6), (0.4, 0.4), (0.99, 1.01), (1.01, 0.99)):
        with pytest.raises(checker.Rejected, match="does not contain"):
            checker.check(seal(moved_by(copy.deepcopy(content), share)))


def test_a_zero_is_proven_for_all_that_the_proof_leaves_open(folder: Path) -> None:
    """The further the coefficients are off, the larger u_j may be: at last it may reach l1."""
    content = content_of(certificate("lasso", folder))
    words = []
    for bits in range(20, 2, -1):
        try:
            words.append(checker.check(seal(moved_by(copy.deepcopy(content), (1.01, 1.01), bits))))
        except checker.Rejected as reason:
            words.append(str(reason))
    first = next(k for k, text in enumerate(words) if "only optimum" not in text)
    assert "not proven to be zero" in words[first]
    problem = exactly(content["problem"])
    proof = moved_by(copy.deepcopy(content), (1.01, 1.01), 20 - first)["proof"]["optimum"]
    at = zip(proof["support"], map(Fraction, proof["coef"]), strict=True)
    r = problem.weighted(problem.y.plus([(problem.columns[j], -x) for j, x in at]))
    outside = problem.live - set(proof["support"])
    assert all(abs(problem.columns[j].dot(r)) < problem.S * problem.l1[j] for j in outside)  # at its middle


@pytest.mark.parametrize("factor", [0, 2])
def test_half_an_inverse_is_none(factor: int, folder: Path) -> None:
    """I - MH is then I or -I, of norm 1, and proves nothing."""
    content = content_of(certificate("ridge", folder))
    proof = content["proof"]["optimum"]
    proof["inverse"] = [[str(factor * Fraction(x)) for x in row] for row in proof["inverse"]]
    with pytest.raises(checker.Rejected, match="the inverse is not one"):
        checker.check(seal(content))


def test_a_tie_is_not_taken_for_a_zero(tmp_path: Path) -> None:
    """Where u_j = l1 exactly, nothing proves w_j = 0 to be the only answer."""
    problem = Problem(np.eye(2), [4.0, 0.5], l1=0.5)
    best = optimum(problem, np.zeros(2), cached=False)
    export(problem, best.coef, 0.0, tmp_path / "file", exact=best)
    content = content_of((tmp_path / "file").read_bytes())
    assert "only optimum" in checker.check(seal(content))
    content["problem"]["y"][1] = "1"
    content["claim"]["bound"] = "1000"
    with pytest.raises(checker.Rejected, match="coefficient 1 is not proven to be zero"):
        checker.check(seal(content))


@pytest.mark.parametrize("name", PROBLEMS)
def test_intervals_are_as_narrow_as_floats_allow(name: str, folder: Path) -> None:
    content = content_of(certificate(name, folder))
    ends = [[float.fromhex(x) for x in pair] for pair in content["claim"]["intervals"]]
    largest = max(max(abs(low), abs(high)) for low, high in ends)
    for low, high in ends:
        assert high - low <= 2 * np.spacing(max(abs(low), abs(high))) + 2.0**-100 * largest


def test_a_dual_point_has_the_bits_that_it_needs(tmp_path: Path) -> None:
    """Those of its largest entry and of its scaling: a small entry takes no more of them."""
    problem = Problem(np.eye(4), [1.0, 0.75, -0.5, 2.0**-70], l1=0.1)
    export(problem, np.zeros(4), 0.0, tmp_path / "file")
    theta = [Fraction(x) for x in content_of((tmp_path / "file").read_bytes())["proof"]["theta"]]
    assert max(abs(x).numerator.bit_length() for x in theta) <= GRID + SCALING + 2
    assert float(max(theta)) == pytest.approx(0.4)  # on the bound: |u_j| = theta_j / 4 = l1


def test_places_and_names_that_occur_twice_are_rejected(folder: Path) -> None:
    content = content_of(certificate("sparse", folder))
    content["problem"]["entries"].append(content["problem"]["entries"][0])
    with pytest.raises(checker.Rejected, match="twice"):
        checker.check(seal(content))
    body = certificate("lasso", folder).split(b"\n", 1)[1].replace(b'"n":', b'"n":1,"n":', 1)
    from hashlib import sha256

    with pytest.raises(checker.Rejected, match="names expected"):
        checker.check(b'{"sha256": "' + sha256(body).hexdigest().encode() + b'",\n' + body)


def test_infeasible_coefficients_get_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="constraint"):
        export(toy(positive=True), -np.ones(8), 0.0, tmp_path / "x")
    with pytest.raises(ValueError, match="not finite"):
        export(toy(), np.full(8, np.nan), 0.0, tmp_path / "x")
    with pytest.raises(ValueError, match="none"):
        export(toy(), np.ones(8), 1.0, tmp_path / "x")


def test_it_stands_alone(folder: Path, tmp_path: Path) -> None:
    """Under 200 lines, the standard library only, and it runs from anywhere by itself."""
    source = CHECKER.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 200
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)
    alone = tmp_path / "checker.py"
    alone.write_text(source, encoding="utf-8")
    (tmp_path / "good").write_bytes(certificate("lasso", folder))
    (tmp_path / "bad").write_bytes(certificate("lasso", folder)[:-1])
    for name, code, words in (("good", 0, "proven"), ("bad", 1, "rejected: wrong digest")):
        run = subprocess.run(
            [sys.executable, "-I", "checker.py", name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == code
        assert words in run.stdout + run.stderr


def test_up_to_a_number_of_coefficients_intervals_are_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = PROBLEMS["lasso"]()
    best = optimum(problem, cached=False)
    size = len(best.point.support)
    for most, claimed in ((size, True), (size - 1, False)):
        monkeypatch.setattr("verification.proofs.export.MOST", most)
        export(problem, best.coef, 0.0, tmp_path / "file", exact=best)
        content = content_of((tmp_path / "file").read_bytes())
        assert (content["claim"]["intervals"] is not None) == claimed
        assert ("optimum" in content["proof"]) == claimed
