"""Reading a user's file: what goes in comes out, and what is broken is said with its place."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from solvers import Problem
from solvers.data import DataError, load

X = np.arange(12.0).reshape(4, 3) ** 2 % 7 - 1.5
y = np.array([1.0, -2.0, 0.5, 3.0])
A = sp.csc_array(np.where(X > 0, X, 0.0))  # its third row and column hold something


def write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def csv_text(separator: str = ",", header: str | None = "a,b,c,y") -> str:
    rows = [separator.join(repr(float(k)) for k in (*x, t)) for x, t in zip(X, y, strict=True)]
    return "\n".join(([header.replace(",", separator)] if header else []) + rows) + "\n"


def svm_text(first: int = 1) -> str:
    rows = []
    for x, t in zip(A.toarray(), y, strict=True):
        rows.append(" ".join([f"{float(t)!r}", *(f"{j + first}:{float(k)!r}" for j, k in enumerate(x) if k)]))
    return "\n".join(rows) + "\n"


def check(path: Path, expected: object = X, target: np.ndarray = y) -> None:
    got, t = load(path)
    if sp.issparse(expected):
        assert isinstance(got, sp.csc_array)
        assert got.has_canonical_format
        assert got.indices.dtype == got.indptr.dtype == np.int32
        np.testing.assert_array_equal(got.toarray(), expected.toarray())
    else:
        assert got.flags.f_contiguous
        np.testing.assert_array_equal(got, expected)
    assert got.dtype == t.dtype == np.float64
    np.testing.assert_array_equal(t, target)
    Problem(got, t, l1=0.1)


# --- what is fine


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".CSV"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("header", [None, "a,b,c,y", "a,b,c,d"])
def test_csv(tmp_path: Path, suffix: str, separator: str, header: str | None) -> None:
    check(write(tmp_path / f"d{suffix}", csv_text(separator, header)))


def test_csv_takes_the_named_column_wherever_it_stands(tmp_path: Path) -> None:
    for name in ("y", "Y", "target", "Target", '"y"'):
        rows = [f"{a!r},{t!r},{b!r},{c!r}" for (a, b, c), t in zip(X.tolist(), y.tolist(), strict=True)]
        check(write(tmp_path / "d.csv", "\n".join([f"a,{name},b,c", *rows])))


def test_csv_as_other_programs_write_it(tmp_path: Path) -> None:
    rows = csv_text(header=None).splitlines()
    named = [f"{i},{row}" for i, row in enumerate(rows)]
    check(write(tmp_path / "pandas.csv", "\n".join([",a,b,c,y", *named])))
    check(write(tmp_path / "pandas_default.csv", "\n".join([",0,1,2,3", *named])))
    quoted = [f'"row {i}",{row}' for i, row in enumerate(rows)]
    check(write(tmp_path / "r.csv", "\n".join(['"","a","b","c","y"', *quoted])))
    check(write(tmp_path / "r_table.csv", "\n".join(['"a","b","c","y"', *quoted])))
    check(write(tmp_path / "bom.csv", "\ufeff" + csv_text()))
    check(write(tmp_path / "crlf.csv", csv_text().replace("\n", "\r\n")))
    check(write(tmp_path / "blank_lines.csv", "\n" + csv_text().replace("\n", "\n\n")))
    check(write(tmp_path / "spaces.csv", csv_text().replace(",", " ,  ")))
    np.savetxt(tmp_path / "numpy.csv", np.column_stack([X, y]), delimiter=",", header="a,b,c,y", fmt="%.17g")
    check(tmp_path / "numpy.csv")
    np.savetxt(tmp_path / "plain.csv", np.column_stack([X, y]), fmt="%.17g")
    check(tmp_path / "plain.csv")


def test_a_file_of_one_row(tmp_path: Path) -> None:
    check(write(tmp_path / "d.csv", "1,2,3\n"), np.array([[1.0, 2.0]]), np.array([3.0]))
    check(write(tmp_path / "d.svm", "3 1:1 2:2\n"), sp.csc_array([[1.0, 2.0]]), np.array([3.0]))


@pytest.mark.parametrize("suffix", [".svm", ".libsvm", ".svm.gz"])
@pytest.mark.parametrize("first", [0, 1])
def test_svm(tmp_path: Path, suffix: str, first: int) -> None:
    check(write(tmp_path / f"d{suffix}", svm_text(first)), A)


def test_svm_with_comments_empty_rows_and_indices_out_of_order(tmp_path: Path) -> None:
    text = "# of mine\n+1 3:2 1:1  # a row\n-1\n\n1e0 2:.5\n"
    check(
        write(tmp_path / "d.svm", text),
        sp.csc_array([[1, 0, 2], [0, 0, 0], [0, 0.5, 0]]),
        np.array([1.0, -1.0, 1.0]),
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_dense(tmp_path: Path, dtype: type, order: str) -> None:
    np.savez_compressed(tmp_path / "d.npz", X=np.asarray(X, dtype=dtype, order=order), y=y)
    check(tmp_path / "d.npz", X.astype(dtype).astype(float))
    np.savez(tmp_path / "e.npz", x=X, target=y[:, None])
    check(tmp_path / "e.npz")


@pytest.mark.parametrize("make", [sp.csc_array, sp.csr_array, sp.coo_array, sp.csc_matrix])
def test_npz_as_scipy_saves_it_with_y_added(tmp_path: Path, make: type) -> None:
    path = tmp_path / "d.npz"
    sp.save_npz(path, make(A))
    with np.load(path) as file:
        np.savez(path, **dict(file), y=y)
    check(path, A)


@pytest.mark.parametrize("make", [sp.csc_array, sp.csr_array])
@pytest.mark.parametrize("declared", [False, True])
def test_npz_sparse_without_a_format(tmp_path: Path, make: type, declared: bool) -> None:
    B = make(A)
    extra = {"format": np.array(B.format)} if declared else {}
    parts = {"data": B.data, "indices": B.indices, "indptr": B.indptr.astype(np.int64), "shape": B.shape}
    np.savez(tmp_path / "d.npz", **parts, y=y, **extra)
    check(tmp_path / "d.npz", A)


@pytest.mark.parametrize("suffix", [".mtx", ".mtx.gz"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("where", ["last", "_y", "_b", "target", "csv"])
def test_mtx(tmp_path: Path, suffix: str, sparse: bool, where: str) -> None:
    def save(path: Path, matrix: object) -> Path:
        plain = path.with_name(path.name.removesuffix(".gz"))
        scipy.io.mmwrite(str(plain), matrix, precision=17)
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(plain.read_bytes()))
            plain.unlink()
        return path

    here = A if sparse else X
    path = tmp_path / f"d{suffix}"
    if where == "last":
        save(path, sp.coo_array(sp.hstack([A, y[:, None]])) if sparse else np.column_stack([X, y]))
        check(path, here)
        return
    save(path, here)
    if where in ("_y", "_b"):
        save(tmp_path / f"d{where}{suffix}", y[:, None])
        check(path, here)
        return
    other = tmp_path / "elsewhere.csv" if where == "csv" else save(tmp_path / "elsewhere.mtx", y[:, None])
    if where == "csv":
        np.savetxt(other, y)
    got, t = load(path, target=other)
    np.testing.assert_array_equal(got.toarray() if sparse else got, here.toarray() if sparse else here)
    np.testing.assert_array_equal(t, y)


@pytest.mark.parametrize("dtype", [float, np.float32, np.int8])
def test_npy_has_y_in_its_last_column(tmp_path: Path, dtype: type) -> None:
    table = np.column_stack([X, y]).astype(dtype)
    np.save(tmp_path / "d.npy", table)
    found, target = load(tmp_path / "d.npy")
    np.testing.assert_array_equal(found, table[:, :-1].astype(float))
    np.testing.assert_array_equal(target, table[:, -1].astype(float))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.arange(5.0), "two columns at least"),
        (np.ones((3, 3, 3)), "two columns at least"),
        (np.ones((4, 2), dtype=complex), "store real numbers"),
        (np.array([[1, "a"], [2, "b"]], dtype=object), "save a plain array"),
        (np.array([[1.0, np.nan], [1.0, 2.0]]), "remove or impute that row"),
    ],
)
def test_npy_that_is_no_table_of_numbers_is_refused(tmp_path: Path, array: Any, words: str) -> None:
    np.save(tmp_path / "d.npy", array, allow_pickle=array.dtype == object)
    with pytest.raises(DataError, match=words):
        load(tmp_path / "d.npy")


def test_npz_takes_y_from_another_file(tmp_path: Path) -> None:
    sp.save_npz(tmp_path / "d.npz", A)
    np.savetxt(tmp_path / "y.csv", y, header="y")
    got, t = load(tmp_path / "d.npz", target=tmp_path / "y.csv")
    assert (got != A).nnz == 0
    np.testing.assert_array_equal(t, y)


def test_a_sparse_file_is_never_densified(tmp_path: Path) -> None:
    """Dense, these would take 8 TB."""
    write(tmp_path / "d.svm", "1 1:1 10000000:2\n" + "0\n" * 99_999)
    got, _ = load(tmp_path / "d.svm")
    assert got.shape == (100_000, 10_000_000)
    write(
        tmp_path / "d.mtx",
        "%%MatrixMarket matrix coordinate real general\n1000000 1000001 2\n1 1 2\n3 1000001 5\n",
    )
    got, t = load(tmp_path / "d.mtx")
    assert (got.shape, got.nnz, t[2]) == ((10**6, 10**6), 1, 5.0)


# --- what is broken

MTX = "%%MatrixMarket matrix coordinate real general\n"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("d.csv", "", "holds no rows of numbers"),
        ("d.csv", "\n \n", "holds no rows of numbers"),
        ("d.csv", "a,b,y\n", "holds no rows of numbers"),
        ("d.csv", "y\n1\n2\n", "has one column"),
        ("d.csv", "a,b,y\n1,2,3\n4,x,6\n", r"line 3, column 2 \(b\): 'x' is not a number; drop the column"),
        ("d.csv", "1,2,3\n4,5\n", "line 2: has 2 cells, 3 expected"),
        ("d.csv", "a,b,y\n1,2,3,4,5\n", "line 2: has 5 cells, 3 expected"),
        ("d.csv", "a,b,y\n1,2,3\n\n4,,6\n", r"line 4, column 2 \(b\): the value is missing \(''\)"),
        ("d.csv", "a,b,y\n1,2,3\n4,NA,6\n", r"line 3, column 2 \(b\): the value is missing \('NA'\)"),
        ("d.csv", "a,b,y\n1,2,3\n4,nan,6\n", r"line 3, column 2 \(b\): the value is missing"),
        ("d.csv", "1,NA,3\n4,5,6\n", "line 1, column 2: the value is missing"),
        ("d.csv", ",2,3\n4,5,6\n", "line 1, column 1: the value is missing"),
        ("d.csv", "a,b,y\n1,inf,3\n", r"column 2 \(b\): inf is not finite"),
        ("d.csv", "a,b,y\n1,1e999,3\n", "1e999 is not finite"),
        ("d.csv", "a;b;y\n1;2,5;3\n", r"'2,5' has a decimal comma; write 2\.5"),
        ("d.csv", "y,a,Target\n1,2,3\n", "columns 1 and 3 are both named as y"),
        ("d.svm", "", "holds no index:value pair"),
        ("d.svm", "1\n2\n", "holds no index:value pair"),
        ("d.svm", "1 1:2\n\nx 1:2\n", "line 3: 'x' is no value of y"),
        ("d.svm", "1 1:2\n2 7\n", "line 2: '7' is not index:value"),
        ("d.svm", "1 1:2:3\n", "line 1: '1:2:3' is not index:value"),
        ("d.svm", "1 1:2:3 4\n", "line 1: '1:2:3' is not index:value"),
        ("d.svm", "1 1 :2\n", "line 1: '1' is not index:value"),
        ("d.svm", "1 a:2\n", "line 1: 'a:2' is not index:value"),
        ("d.svm", "1 1.5:2\n", r"'1\.5:2' is not index:value"),
        ("d.svm", "1 1:\n", "line 1: '1:' is not index:value"),
        ("d.svm", "1 qid:3 1:2\n", "line 1: 'qid:3' is a query of a ranking problem"),
        ("d.svm", "1 1:2\n1 -1:2\n", "line 2: index -1 is outside"),
        ("d.svm", "1 1:2\n\n1 99999999999:2\n", "line 3: index 99999999999 is outside"),
        ("d.svm", "1 99999999999999999999:2\n", "line 1: '99999999999999999999:2' is not index:value"),
        ("d.svm", "# c\n1 1:2 3:4 1:5\n", "line 2: index 1 occurs twice"),
        ("d.svm", "1 1:2\n1 2:nan\n", r"X\[1, 1\] is nan"),
        ("d.svm", "inf 1:2\n", r"y\[0\] is inf"),
        ("d.svm", "1,2 3:4\n", "'1,2' is no value of y"),
        ("d.mtx", "", "is not Matrix Market, or is cut short"),
        ("d.mtx", "1 2 3\n", "is not Matrix Market"),
        ("d.mtx", MTX + "3 2 2\n1 1 1.5\n", "is cut short: Truncated"),
        ("d.mtx", MTX + "3 2 1\n4 1 1.5\n", "Line 3: Row index out of bounds"),
        ("d.mtx", MTX + "3 2 1\n1 1 x\n", "Line 3"),
        ("d.mtx", MTX + "3 2 1\n1 1 nan\n", r"X\[0, 0\] is nan"),
        ("d.mtx", MTX + "3 1 1\n1 1 2\n", "has one column and no d_y.mtx beside it"),
        ("d.mtx", MTX.replace("real", "complex") + "3 2 1\n1 1 1 2\n", "complex128"),
        ("d.mtx", MTX + "0 2 0\n", r"X has shape \(0, 1\)"),
    ],
)
def test_a_broken_text_file_is_said_with_its_place(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(DataError, match=re.escape(str(path)) + ".*" + words):
        load(path)
    zipped = write(tmp_path / f"{name}.gz", text)
    with pytest.raises(DataError, match=words):
        load(zipped)


PARTS = {"data": A.data, "indices": A.indices, "indptr": A.indptr, "shape": np.array(A.shape)}
WITH_NAN = np.where(np.arange(12).reshape(4, 3) == 5, np.nan, X)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({}, "holds nothing and no y"),
        ({"X": X}, "holds x and no y; add it"),
        ({"y": y}, "holds y; it needs X, or data, indices"),
        ({"X": X, "y": y[:3]}, r"y has shape \(3,\) and X \(4, 3\)"),
        ({"X": X, "y": np.ones((2, 2))}, r"y has shape \(2, 2\)"),
        ({"X": y, "y": y}, r"X has shape \(4,\); it needs two dimensions"),
        ({"X": np.ones((4, 0)), "y": y}, r"X has shape \(4, 0\)"),
        ({"X": WITH_NAN, "y": y}, r"X\[1, 2\] is nan; remove or impute"),
        ({"X": X, "y": [1, 2, np.inf, 4]}, r"y\[2\] is inf"),
        ({"X": X * 1j, "y": y}, "X has dtype complex128"),
        ({"X": X, "y": ["a"] * 4}, "y has dtype <U1"),
        ({"X": np.array([[{}]]), "y": y}, "cannot be read .*allow_pickle"),
        (PARTS, "no y; add it"),
        ({**PARTS, "y": y, "indptr": A.indptr[:-1]}, r"neither surely CSC nor surely CSR"),
        ({**PARTS, "y": y, "format": "bsr"}, "format 'bsr' is neither surely CSC nor surely CSR"),
        ({**PARTS, "y": y, "indices": A.indices + 4}, "is no sparse matrix"),
        ({**PARTS, "y": y, "indices": A.indices - 4}, "is no sparse matrix"),
        ({**PARTS, "y": y, "indices": A.indices[:-1]}, "is no sparse matrix"),
        ({**PARTS, "y": y, "indptr": A.indptr[::-1]}, "is no sparse matrix"),
        ({**PARTS, "y": y, "indices": A.indices + 0.5}, "indices is float64"),
        ({**PARTS, "y": y, "shape": np.array([4])}, r"shape is \(4,\)"),
        ({**PARTS, "y": y, "shape": np.array([-4, 3])}, "is no sparse matrix"),
        ({**PARTS, "y": y, "data": np.full(A.nnz, np.nan)}, r"X\[\d, \d\] is nan"),
        ({**PARTS, "y": y, "data": A.data.astype(str)}, "data has dtype <U"),
        ({"data": [1.0], "row": [9], "col": [0], "shape": [4, 3], "y": y}, "is no sparse matrix"),
    ],
)
def test_a_broken_npz_is_said_with_its_key(tmp_path: Path, arrays: dict[str, object], words: str) -> None:
    path = tmp_path / "d.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=words):
        load(path)


def test_a_square_sparse_npz_must_say_its_format(tmp_path: Path) -> None:
    """CSC and CSR look the same: a guess could transpose the matrix without a word."""
    B = sp.csr_array([[1.0, 2.0], [0.0, 3.0]])
    parts = {"data": B.data, "indices": B.indices, "indptr": B.indptr, "shape": B.shape, "y": y[:2]}
    np.savez(tmp_path / "d.npz", **parts)
    with pytest.raises(DataError, match="add format='csc' or format='csr'"):
        load(tmp_path / "d.npz")
    np.savez(tmp_path / "d.npz", **parts, format="csr")
    check(tmp_path / "d.npz", B, y[:2])


@pytest.mark.parametrize("name", ["d.npz", "d.csv.gz", "d.svm.gz", "d.mtx.gz"])
def test_a_truncated_file_is_said_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "d.npz":
        np.savez_compressed(path, X=X, y=y)
    else:
        text = {"d.csv.gz": csv_text(), "d.svm.gz": svm_text(), "d.mtx.gz": MTX + "1 2 1\n1 1 2\n"}[name]
        write(path, text)
    whole = path.read_bytes()
    for size in (0, 1, 10, len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=re.escape(name)):
            load(path)


def test_a_damaged_npz_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez_compressed(path, X=X, y=y)
    whole = bytearray(path.read_bytes())
    middle = whole.find(b"X.npy") + 40
    whole[middle : middle + 20] = bytes(20)
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"d\.npz: cannot be read"):
        load(path)


def test_text_that_is_not_utf_8_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("naïve,y\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not readable text .*UTF-8"):
        load(tmp_path / "d.csv")
    (tmp_path / "d.csv.gz").write_bytes(b"a,y\n1,2\n")
    with pytest.raises(DataError, match=r"is not readable text .*[Gg]zip"):
        load(tmp_path / "d.csv.gz")


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for name, words in (
        ("none.csv", "is not there"),
        (
            "d.xlsx",
            r"no format is known by '\.xlsx'; give one of \.csv, \.svm, \.libsvm, \.npy, \.npz, \.mtx",
        ),
        ("plain", "no format is known by 'no suffix'"),
        ("d.npz.gz", "no format is known by"),
    ):
        with pytest.raises(DataError, match=words):
            load(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        load(tmp_path / "folder.csv")


def test_a_target_is_one_column_and_only_where_y_is_not_held(tmp_path: Path) -> None:
    csv = write(tmp_path / "d.csv", csv_text())
    with pytest.raises(DataError, match=r"holds y itself, as every \.csv file"):
        load(csv, target=csv)
    npz = tmp_path / "d.npz"
    np.savez(npz, X=X)
    with pytest.raises(DataError, match=r"d\.csv: has shape \(4, 4\); y is one column"):
        load(npz, target=csv)
    with pytest.raises(DataError, match=r"y is read from \.csv or \.mtx"):
        load(npz, target=npz)
    with pytest.raises(DataError, match=r"none\.csv: is not there"):
        load(npz, target=tmp_path / "none.csv")
    short = write(tmp_path / "short.csv", "1\n2\n")
    with pytest.raises(DataError, match=r"y has shape \(2,\) and X \(4, 3\)"):
        load(npz, target=short)
