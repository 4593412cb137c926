"""Where each penalty is at home: few effects among many features, or many small ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem
from verification.problems.generated import rng_for, toeplitz

from . import Finding, Text, Verdict, certified, claim, data
from ._draw import BAD, GOOD, L1, L2, percent, three

Say = Callable[[str, str], str]
Vector = NDArray[np.float64]

MANY = 10
ROWS, TRIALS = 80, 10
WIDTHS = (20, 50, 100, 200, 400, 800)


def _recovered(p: int, k: int, trap: bool, trial: int) -> bool:
    """Whether some lambda finds exactly the k true features, with their signs, among p."""
    rng = rng_for(f"claims_recovery_{p}_{k}_{trap}_{trial}")
    X = rng.standard_normal((ROWS, p))
    if trap:  # one useless feature resembles the sum of the true ones: the irrepresentable condition fails
        X[:, -1] = X[:, :k].sum(axis=1) / np.sqrt(k) * 0.9 + 0.43 * X[:, -1]
    signs = np.zeros(p)
    signs[:k] = 1.0
    y = X @ signs + 0.25 * rng.standard_normal(ROWS)
    base = Problem(np.asfortranarray(X), y)
    top = base.l1_max()
    return any(
        bool(np.array_equal(np.sign(certified(base.replace(l1=top / ratio)).coef), signs))
        for ratio in (2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 32.0)
    )


@cache
def _recovery(k: int, trap: bool) -> tuple[float, ...]:
    return tuple(float(np.mean([_recovered(p, k, trap, t) for t in range(TRIALS)])) for p in WIDTHS)


@claim("L1 suits feature selection in high dimensions", "L1 適合高維資料的特徵選擇")
def l1_suits_high_dimension() -> Finding:
    """Recovery of the true support against the number of features, with and without its conditions."""
    few, many, trapped = _recovery(4, False), _recovery(MANY, False), _recovery(4, True)

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        for shares, colour, marker, label in (
            (few, GOOD, "o", say("4 true features", "4 個真正的特徵")),
            (many, L2, "s", say(f"{MANY} true features", f"{MANY} 個真正的特徵")),
            (trapped, BAD, "^", say("4, and a look-alike of their sum", "4 個，外加一個與其總和相似的特徵")),
        ):
            axes.plot(WIDTHS, [100 * s for s in shares], marker + "-", color=colour, label=label)
        axes.axvline(ROWS, color="black", linewidth=0.6, linestyle=":")
        axes.set_xscale("log")
        axes.set_xticks(WIDTHS, [str(p) for p in WIDTHS])
        axes.minorticks_off()
        axes.set_xlabel(say(f"number of features (rows: {ROWS})", f"特徵數（資料筆數：{ROWS}）"))
        axes.set_ylabel(say("exactly the true ones, %", "恰好找到真正特徵，%"))
        axes.set_ylim(-4, 104)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "few features matter, there are enough rows, and no useless feature imitates the useful ones",
            "真正重要的特徵很少、資料筆數夠多，而且沒有無用的特徵模仿有用的特徵",
        ),
        Text(
            f"""{ROWS} rows of random data, {TRIALS} trials each; found means that some lambda of seven gives exactly the true features. With 4 true features
out of {WIDTHS[-1]}, ten times as many features as rows, L1 finds them in {percent(few[-1])} of the trials (out of {WIDTHS[0]}: {percent(few[0])}). With {MANY} true features it finds
them in {percent(many[0])} of the trials out of {WIDTHS[0]}, and {percent(many[-1])} out of {WIDTHS[-1]}: the number of rows needed grows like `k log p` (Wainwright 2009). And with a single
useless feature that resembles the sum of the true ones, in {percent(max(trapped))} at best: that one enters first, in whatever dimension (the
"irrepresentable condition" of Zhao and Yu, 2006).""",
            f"""{ROWS} 筆隨機資料，每種情形試 {TRIALS} 次；「找到」是指七個 λ 之中有一個恰好選出真正的特徵。從 {WIDTHS[-1]} 個特徵中找 4 個
（特徵數是資料筆數的十倍），L1 有 {percent(few[-1])} 的機會找到（{WIDTHS[0]} 個特徵時是 {percent(few[0])}）。若真正的特徵有 {MANY} 個，
{WIDTHS[0]} 個特徵時是 {percent(many[0])}，{WIDTHS[-1]} 個時是 {percent(many[-1])}：所需的資料筆數大約隨 `k log p` 增加（Wainwright 2009）。
只要有一個無用的特徵與真正特徵的總和相似，最多只有 {percent(max(trapped))}：無論維度高低，它都會先進入模型
（即 Zhao 與 Yu 2006 的 irrepresentable condition 不成立）。""",
        ),
        {
            "few are found in high dimension": few[-1] > 0.8,
            "many are not": many[-1] < 0.2,
            "a look-alike prevents it": max(trapped) < 0.2,
        },
        draw,
        (7.6, 2.9),
    )


COUNTS = (2, 5, 10, 25, 100)


@cache
def _test_errors(k: int) -> tuple[float, float]:
    """Return the mean test error of lasso and ridge, each at the lambda best on rows held out, k true effects."""
    errors = []
    for trial in range(4):
        rng = rng_for(f"claims_many_small_{k}_{trial}")
        X = toeplitz(rng, 80 + 80 + 400, 100, 0.8)
        w = np.zeros(100)
        w[rng.permutation(100)[:k]] = rng.choice([-1.0, 1.0], k) if k < 100 else 1.0
        z = X @ w
        y = z / z.std() * 2 + rng.standard_normal(len(z))
        fit, hold, test = slice(0, 80), slice(80, 160), slice(160, None)
        base = Problem(np.asfortranarray(X[fit]), y[fit], intercept=True)
        grids = {
            "l1": base.l1_max() / np.logspace(0.05, 2.5, 10),
            "l2": base.l2_ref() * np.logspace(2, -2.5, 10),
        }
        row = []
        for penalty, grid in grids.items():
            found = [certified(base.replace(**{penalty: float(t)})) for t in grid]
            chosen = min(found, key=lambda a: float(np.mean((y[hold] - X[hold] @ a.coef - a.intercept) ** 2)))
            row.append(float(np.mean((y[test] - X[test] @ chosen.coef - chosen.intercept) ** 2)))
        errors.append(row)
    lasso, ridge = np.mean(errors, axis=0)
    return float(lasso), float(ridge)


@claim("L2 suits data where every feature matters a little", "L2 適合保留所有特徵、控制權重大小的情形")
def l2_suits_many_small_effects() -> Finding:
    """Test error of lasso and ridge against the number of true effects, features correlated."""
    results = np.array([_test_errors(k) for k in COUNTS])

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        for column, colour, label in ((0, L1, "L1 (lasso)"), (1, L2, "L2 (ridge)")):
            axes.plot(COUNTS, results[:, column], "o-", color=colour, label=label)
        axes.axhline(1, color="black", linewidth=0.6, linestyle=":")
        axes.set_xscale("log")
        axes.set_xticks(COUNTS, [str(k) for k in COUNTS])
        axes.minorticks_off()
        axes.set_xlabel(say("features with an effect, of 100", "100 個特徵中有影響者的個數"))
        axes.set_ylabel(say("test error (1 = noise alone)", "測試誤差（1 = 只剩雜訊）"))
        axes.legend()

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "the effects are many, small and shared by correlated features; with few strong ones L1 predicts better",
            "影響多而小，且特徵彼此相關；若只有少數幾個強的影響，L1 預測得較好",
        ),
        Text(
            f"""100 correlated features (neighbours 0.8), 80 rows, the same signal spread over 2 to 100 of them; lambda chosen on other rows, error
measured on a third set. All 100 active, all with one sign: ridge {three(results[-1, 1])}, lasso {three(results[-1, 0])}. Two active: ridge {three(results[0, 1])}, lasso {three(results[0, 0])}. (Noise alone: 1.)""",
            f"""100 個彼此相關的特徵（相鄰者相關 0.8）、80 筆資料，同樣強度的訊號分散在其中 2 到 100 個；λ 用另一批資料挑選，誤差再用第三批
資料測量。100 個都有影響且同號時：ridge {three(results[-1, 1])}，lasso {three(results[-1, 0])}。只有 2 個有影響時：ridge {three(results[0, 1])}，
lasso {three(results[0, 0])}。（只剩雜訊時是 1。）""",
        ),
        {
            "ridge wins with many": results[-1, 1] < 0.97 * results[-1, 0],
            "lasso wins with few": results[0, 0] < 0.97 * results[0, 1],
        },
        draw,
        (6.4, 2.9),
    )


@claim("L2 makes the model smoother", "L2 使模型更加平滑")
def l2_is_smoother() -> Finding:
    """Weights along a spectrum: ridge's follow one another, the lasso's are spikes."""
    d = data("spectra")
    base = Problem(d.X, d.y, intercept=True)
    ridge = certified(base.replace(l2=0.01 * base.l2_ref())).coef
    lasso = certified(base.replace(l1=base.l1_max() / 100)).coef
    shuffled = toeplitz(rng_for("claims_smooth"), 60, 700, 0.0)
    plain = Problem(shuffled, d.y, intercept=True)
    apart = certified(plain.replace(l2=0.01 * plain.l2_ref())).coef

    def roughness(w: Vector) -> float:
        return float(np.abs(np.diff(w)).sum() / np.abs(w).sum())

    def draw(figure: Any, say: Say) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True)
        top.plot(lasso, color=L1, linewidth=1)
        top.set_title("L1 (lasso)")
        bottom.plot(ridge, color=L2)
        bottom.set_title("L2 (ridge)")
        bottom.set_xlabel(say("wavelength (number of the feature)", "波長（特徵編號）"))
        for axes in (top, bottom):
            axes.set_ylabel(say("weight", "權重"))

    return Finding(
        Verdict.HOLDS_IF,
        Text("neighbouring features are alike, as in a spectrum", "相鄰的特徵彼此相似，例如光譜"),
        Text(
            f"""Spectra of 700 wavelengths. From one wavelength to the next ridge's weights change by {three(100 * roughness(ridge))} % of their size on average, the
lasso's by {three(100 * roughness(lasso))} %: it uses {int(np.count_nonzero(lasso))} wavelengths and leaves the rest at zero. The smoothness comes from the data: on 700 unrelated features
ridge's weights jump by {three(100 * roughness(apart))} %.""",
            f"""700 個波長的光譜。從一個波長到下一個，ridge 的權重平均只改變其大小的 {three(100 * roughness(ridge))} %，lasso 則是
{three(100 * roughness(lasso))} %：它只用 {int(np.count_nonzero(lasso))} 個波長，其餘都是 0。這份平滑來自資料本身：換成 700 個互不相關的特徵，
ridge 的權重會跳動 {three(100 * roughness(apart))} %。""",
        ),
        {
            "ridge is smooth on spectra": roughness(ridge) < 0.2,
            "the lasso is not": roughness(lasso) > 5 * roughness(ridge),
            "nor is ridge on unrelated features": roughness(apart) > 0.5,
        },
        draw,
        (6.4, 3.4),
    )
