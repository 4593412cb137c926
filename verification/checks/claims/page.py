"""The page: every claim, its verdict, its numbers and its figure, in one language. Printed, never typed."""

from __future__ import annotations

import re
import warnings
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from . import Claim, Finding, Text, Verdict, claims, count_certified

DOCS = Path(__file__).resolve().parents[3] / "docs"
LANGUAGES = {"en": "claims.md", "zh-TW": "claims.zh-TW.md"}

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: the reader's own fonts draw it, Chinese included
    "svg.hashsalt": "claims",
    "font.family": "sans-serif",
    # the first is what widths are measured with; a browser takes for each character the first that has it
    "font.sans-serif": [
        "DejaVu Sans", "PingFang TC", "Microsoft JhengHei", "Noto Sans TC", "Noto Sans CJK TC", "sans-serif",
    ],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
}  # fmt: skip

HEAD = Text(
    """# What is said about L1 and L2, tested

This page is printed by `make claims`: every number is computed, none is typed, and every set of weights comes
with a proof that it is the best one ([maths](maths.md)). The claims are those of the study note that this
project grew out of. Read it from top to bottom if L1 and L2 are new to you.

**In one minute.** A linear model predicts `y` from features `x1, x2, ...` by `w1 x1 + w2 x2 + ... + b`. Fitting
means choosing the weights `w` so that the prediction error is small. *Regularisation* adds a price for large
weights, and `lambda` says how high that price is:

    loss = prediction error + lambda * penalty          L1: sum of |w|      L2: sum of w^2

L1 regression is called the *lasso*, L2 regression *ridge*. In this project the error is the mean of the squared
errors over two, and the two prices are called `l1` and `l2`.
""",
    """# 關於 L1 與 L2 的說法，逐條用資料檢驗

本頁由 `make claims` 印出：每個數字都是算出來的，沒有一個是手寫的；每一組權重都附有「這就是最佳解」的證明
([數學](maths.md))。這些說法出自催生本專案的那份學習筆記。如果你剛接觸 L1 與 L2，從頭讀到尾即可。

**一分鐘入門。** 線性模型用 `w1 x1 + w2 x2 + ... + b` 由特徵 `x1, x2, ...` 預測 `y`。所謂訓練，就是選擇權重 `w`，
讓預測誤差變小。**正則化**（regularization，也譯作正規化）則替大的權重加上代價，`lambda`(λ)決定代價有多高：

    損失 = 預測誤差 + λ × 懲罰項          L1:|w| 的總和      L2:w² 的總和

L1 迴歸稱為 lasso，L2 迴歸稱為 ridge（脊迴歸）。本專案的預測誤差是「平方誤差的平均再除以 2」，兩種代價分別叫
`l1` 與 `l2`。
""",
)
TABLE = Text("| | The note says | Verdict |\n|---|---|---|", "| | 筆記的說法 | 結論 |\n|---|---|---|")
FOOT = Text(
    "Computed from {count} certified solutions, each proven to a relative gap of 1e-8.",
    "本頁共用到 {count} 組經過證明的最佳解，每一組的相對對偶間隙都不超過 1e-8。",
)
VERDICT = Text("Verdict: ", "結論：")


def figure_name(claim: Claim, language: str) -> str:
    """Return the file name of a claim's figure."""
    return f"claims-{claim.name.replace('_', '-')}.{language}.svg"


def draw(finding: Finding, language: str) -> str:
    """Return the figure as SVG, coordinates rounded to a hundredth of a point."""
    out = StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # measured with a font without Chinese; drawn by the reader's
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        figure = Figure(figsize=finding.size, layout="constrained")
        finding.draw(figure, lambda en, zh: zh if language != "en" else en)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue(), flags=re.DOTALL)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d\d)\d+", r"\1", tag[0]), svg)  # not in the words
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


def verdict(finding: Finding, language: str) -> str:
    """Return the verdict in words."""
    k = 0 if language == "en" else 1
    word = finding.stands.value[k]
    if finding.stands is Verdict.REFUTED:
        failed = ", ".join(name for name, passed in finding.tests.items() if not passed)
        return f"**{word}** ({failed})"
    if not finding.because[k]:
        return f"**{word}**"
    if language == "en":
        return (
            f"**{word}** {finding.because.en}" if word == "holds if" else f"**{word}**: {finding.because.en}"
        )
    return f"**{word}**：{finding.because.zh}"


def page(findings: dict[str, Finding], language: str) -> str:
    """Return the page as Markdown."""
    k = 0 if language == "en" else 1
    other = Text("[繁體中文](claims.zh-TW.md)", "[English](claims.md)")
    lines = [HEAD[k], other[k], "", TABLE[k]]
    listed = claims()
    for number, (name, finding) in enumerate(findings.items(), start=1):
        cells = (str(number), listed[name].says[k], verdict(finding, language))
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    for number, (name, finding) in enumerate(findings.items(), start=1):
        says = listed[name].says[k]
        lines += [
            "",
            f"## {number}. {says}",
            "",
            f"{VERDICT[k]}{verdict(finding, language)}",
        ]
        lines += ["", finding.evidence[k].strip(), ""]
        lines.append(f"![{says}](figures/{figure_name(listed[name], language)})")
    lines += ["", "---", "", FOOT[k].format(count=count_certified())]
    text = "\n".join(lines) + "\n"
    if language != "en":
        text = re.sub(r"(?<=[^\x00-\x7f])\n(?=[^\x00-\x7f])", "", text)  # a browser would show a blank there
    return text


def print_pages(docs: Path = DOCS) -> dict[str, Finding]:
    """Test every claim, write both pages and their figures, and return the findings."""
    findings = {name: claim.test() for name, claim in claims().items()}
    (docs / "figures").mkdir(parents=True, exist_ok=True)
    for language, file in LANGUAGES.items():
        for name, finding in findings.items():
            target = docs / "figures" / figure_name(claims()[name], language)
            target.write_text(draw(finding, language), encoding="utf-8")
        (docs / file).write_text(page(findings, language), encoding="utf-8")
    return findings
