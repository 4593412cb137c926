"""Zeros: who makes them, and who does not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem
from verification.problems._homotopy import Kink, fraction

from ..published_lars import exact_path
from . import Finding, Text, Verdict, certified, claim, data
from ._draw import BAD, CYCLE, GOOD, L1, L2, penalty_axis, three
from .definitions import FEATURES

Say = Callable[[str, str], str]
Vector = NDArray[np.float64]


@cache
def diabetes_kinks() -> tuple[Kink, ...]:
    """Return the exact lasso path of the diabetes data; lam = n l1."""
    d = data("diabetes")
    return tuple(exact_path(d.X, d.y))


def path(base: Problem, grid: Vector, penalty: str) -> Vector:
    """Return the certified weights (k, p) along a grid of one penalty."""
    return np.array([certified(base.replace(**{penalty: float(t)})).coef for t in grid])


def draw_path(axes: Any, grid: Vector, weights: Vector, label: str) -> None:
    """Draw a line for each weight over lambda, with the feature's name at its left end."""
    for j, name in enumerate(FEATURES):
        axes.plot(grid, weights[:, j], color=CYCLE[j], linewidth=1.3, label=name)
    axes.axhline(0, color="black", linewidth=0.6)
    penalty_axis(axes, label)


@claim(
    "L1 sets some weights exactly to zero, and so selects features", "L1 會讓一些權重變成 0，因而達到特徵選擇"
)
def l1_makes_exact_zeros() -> Finding:
    """Zeros along the lasso path on the diabetes data, each of them proven."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    top = base.l1_max()
    grid = top / np.logspace(-0.02, 4, 50)
    weights = path(base, grid, "l1")
    tenth = certified(base.replace(l1=top / 10))
    smallest = certified(base.replace(l1=top / 10000))
    proven = int(tenth.certificate.certified_zeros.sum())

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
        draw_path(left, grid, weights, "l1 (λ)")
        left.set_ylabel(say("weight", "權重"))
        left.legend(ncols=2, fontsize=7, loc="lower right", handlelength=1)
        right.step(grid, np.count_nonzero(weights, axis=1), where="mid", color=L1)
        penalty_axis(right, "l1 (λ)")
        right.set_ylabel(say("weights that are not zero", "不為 0 的權重個數"))

    return Finding(
        Verdict.HOLDS_IF,
        Text("lambda is large enough", "λ 夠大"),
        Text(
            f"""Diabetes data, 10 features. With `l1` a tenth of `l1_max` (the value from which on every weight is zero),
{tenth.zeros} weights are `0.0`, not "small"; for {proven} of them there is a proof that they are zero at *every* optimum.
With `l1` ten thousand times smaller than `l1_max`, {smallest.zeros} are zero: a penalty too small selects nothing.""",
            f"""糖尿病資料，10 個特徵。`l1_max` 是「從這裡開始所有權重都是 0」的那個值。當 `l1` 是 `l1_max` 的十分之一時，
有 {tenth.zeros} 個權重恰好是 `0.0`，不是「很小」；其中 {proven} 個有證明：在**任何**最佳解中都是 0。
當 `l1` 只有 `l1_max` 的萬分之一時，為 0 的有 {smallest.zeros} 個：懲罰太小就不會選擇特徵。""",
        ),
        {
            "some are exactly zero": tenth.zeros > 0,
            "some are not": tenth.zeros < 10,
            "the zeros are proven": proven >= tenth.zeros - 1,
            "none at a tiny lambda": smallest.zeros == 0,
            "all above l1_max": not weights[0].any(),
        },
        draw,
        (7.2, 3.2),
    )


@claim(
    "L2 makes all weights small but none zero: it keeps every feature",
    "L2 讓所有權重變小但不會變成 0，因此保留所有特徵",
)
def l2_makes_no_zeros() -> Finding:
    """Zeros along the ridge path: none, but for a coincidence."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    grid = base.l2_ref() * np.logspace(3, -4, 50)
    weights = path(base, grid, "l2")
    # a feature without any relation to y and to the others: 0 is then its best weight, for ridge too
    blind = Problem(
        np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]),
        np.array([2.0, 2.0, -2.0, -2.0]),
        l2=0.5,
    )
    by_chance = certified(blind).coef
    least = float(np.abs(weights[0]).min() / np.abs(weights[0]).max())

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
        draw_path(left, grid, weights, "l2 (λ)")
        left.set_ylabel(say("weight", "權重"))
        left.legend(ncols=2, fontsize=7, loc="lower right", handlelength=1)
        right.loglog(grid, np.abs(weights), color=L2, linewidth=1)
        right.set_xlabel("l2 (λ)")
        right.set_ylabel(say("|weight|, logarithmic", "|權重|，對數刻度"))

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "you leave coincidences aside, such as a feature without any relation to y and the others",
            "不計巧合，例如某個特徵恰好與 y、與其他特徵都毫無關係",
        ),
        Text(
            f"""Same data, 50 values of `l2` over seven powers of ten: {weights.size} weights, of which {int(np.sum(weights == 0))} are zero. Even at the
largest `l2` the smallest weight is {three(100 * least)} % of the largest: small, not gone. (A weight can cross zero on its way
from one sign to the other, at one single lambda.) The coincidence: in the four rows `x2 = (1, -1, 1, -1)`, `y = (2, 2, -2, -2)`
ridge gives the useless `x2` the weight {three(by_chance[1])}.""",
            f"""同一份資料，`l2` 跨七個數量級取 50 個值：共 {weights.size} 個權重，其中為 0 的有 {int(np.sum(weights == 0))} 個。即使在最大的 `l2`，
最小的權重仍有最大者的 {three(100 * least)} %：很小，但沒有消失。（權重由正變負時，會在某一個 λ 恰好穿過 0。）所謂巧合：
在 `x2 = (1, -1, 1, -1)`、`y = (2, 2, -2, -2)` 這四筆資料中，ridge 給毫無用處的 `x2` 的權重就是 {three(by_chance[1])}。""",
        ),
        {
            "no zero on the path": not np.any(weights == 0),
            "a useless feature gets zero": by_chance[1] == 0 != by_chance[0],
        },
        draw,
        (7.2, 3.2),
    )


@claim("The larger lambda, the more weights are zero", "λ 越大，懲罰越強，權重會被壓縮到 0")
def more_lambda_more_zeros() -> Finding:
    """True in the end, not at every step: on the diabetes path a feature leaves and returns."""
    kinks = diabetes_kinks()
    d = data("diabetes")
    n = len(d.y)
    base = Problem(d.X, d.y, intercept=True)
    middles = [(fraction(a.lam) + fraction(b.lam)) / 2 for a, b in pairwise(kinks)]
    counts = [int(np.count_nonzero(certified(base.replace(l1=float(m) / n)).coef)) for m in middles]
    leaving = next(k for k in kinks if k.move < 0)
    returning = next(k for k in kinks[kinks.index(leaving) + 1 :] if k.move == -leaving.move)
    who = FEATURES[-leaving.move - 1]
    high, low = (float(fraction(k.lam)) / n for k in (leaving, returning))
    edges = [float(fraction(k.lam)) / n for k in kinks]

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        floor = edges[-2] / 3
        axes.stairs(counts[::-1], [floor, *edges[-2::-1]], baseline=None, color=L1, linewidth=1.8)
        axes.axvspan(
            low,
            high,
            color=BAD,
            alpha=0.35,
            linewidth=0,
            label=say(f"{who} is zero again", f"{who} 又變回 0"),
        )
        axes.set_xscale("log")
        axes.set_xlabel("l1 (λ)")
        axes.set_ylabel(say("weights that are not zero", "不為 0 的權重個數"))
        axes.legend(loc="upper right")

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "it is meant of the whole way to l1_max; step by step a zero may come back to life",
            "是指一路到 l1_max 的整體趨勢；逐步來看，已經是 0 的權重可能又變回不為 0",
        ),
        Text(
            f"""From `l1_max = {three(edges[0])}` on every weight is zero. On the way there the number of zeros need not grow: on the diabetes
data, coming from small lambda, `{who}` is in use, is dropped at `l1 = {three(low)}`, and *returns* at {three(high)} with the
opposite sign, though lambda has become larger. The places were computed in exact fractions, so this is no rounding.""",
            f"""從 `l1_max = {three(edges[0])}` 開始，所有權重都是 0。但在途中，0 的個數不一定一路增加：在糖尿病資料上，從小的 λ 出發，
`{who}` 原本不為 0，到 `l1 = {three(low)}` 時變成 0，到 {three(high)} 時卻又**回來**了，而且正負號相反，儘管 λ 變大了。
這些位置是用分數精確算出來的，不是捨入誤差。""",
        ),
        {
            "the count is not monotone": any(b < a for a, b in pairwise(counts)),
            "all are zero at the end": kinks[0].coef.count(kinks[0].coef[0]) == 10
            and fraction(kinks[0].coef[0]) == Fraction(0),
        },
        draw,
    )


@claim("Gradient steps push small weights straight to zero", "優化時依梯度調整，L1 會把小權重直接推到 0")
def gradient_steps_reach_zero() -> Finding:
    """Plain subgradient steps against proximal steps: the optimum has zeros, the plain steps never land on them."""
    d = data("diabetes")
    y, n = d.y - d.y.mean(), len(d.y)
    problem = Problem(d.X, y, l1=float(np.max(np.abs(d.X.T @ y))) / n / 10)
    best = certified(problem)
    step = n / float(np.linalg.norm(d.X, 2)) ** 2
    plain, prox = np.full(10, 5.0), np.full(10, 5.0)
    tracks: list[tuple[Vector, Vector]] = [(plain, prox)]
    for _ in range(400):
        plain = plain - step * (d.X.T @ (d.X @ plain - y) / n + problem.l1 * np.sign(plain))
        z = prox - step * (d.X.T @ (d.X @ prox - y)) / n
        prox = np.sign(z) * np.maximum(np.abs(z) - step * problem.l1, 0)
        tracks.append((plain, prox))
    ends = (int(np.sum(plain == 0)), int(np.sum(prox == 0)))
    j = int(np.flatnonzero(best.coef == 0)[0])
    line = np.array([(a[j], b[j]) for a, b in tracks])
    swing = float(np.abs(line[-50:, 0]).max())

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        axes.plot(
            line[:60, 0],
            color=BAD,
            label=say("plain gradient steps: to and fro", "單純的梯度步：在 0 附近來回擺盪"),
        )
        axes.plot(
            line[:60, 1],
            color=GOOD,
            label=say("with soft-thresholding: lands on 0", "加上軟門檻：恰好落在 0"),
        )
        axes.axhline(0, color="black", linewidth=0.6)
        axes.set_xlabel(say("step", "步數"))
        axes.set_ylabel(say(f"weight of {FEATURES[j]}", f"{FEATURES[j]} 的權重"))
        axes.legend()

    return Finding(
        Verdict.MISLEADING,
        Text(
            "the best weights contain exact zeros, but plain gradient steps never land on them",
            "最佳解裡確實有精確的 0，但單純的梯度步永遠不會恰好落在 0 上",
        ),
        Text(
            f"""The proven optimum has {best.zeros} zeros. We walked towards it in 400 steps, twice. Following the gradient, with `+lambda`
or `-lambda` according to the sign, a small weight jumps over zero and back: {ends[0]} zeros at the end, and `{FEATURES[j]}` still swings by
{three(swing)}. The step that solvers take subtracts lambda *but stops at zero* ("soft-thresholding"): {ends[1]} zeros. So it is
the corner of |w| at zero that makes zeros, and an algorithm must know about it.""",
            f"""經過證明的最佳解有 {best.zeros} 個 0。我們用兩種方式各走 400 步。依梯度走、按正負號加減 λ 時，小權重會跳過 0 再跳回來：
最後有 {ends[0]} 個 0，`{FEATURES[j]}` 仍以 {three(swing)} 的幅度擺盪。真正的求解器走的步是「減去 λ，**但到 0 為止**」
（軟門檻，soft-thresholding）：最後有 {ends[1]} 個 0。所以，造成 0 的是 |w| 在 0 處的尖角，而演算法必須知道這個尖角。""",
        ),
        {
            "the optimum has zeros": best.zeros > 0,
            "plain steps have none": ends[0] == 0,
            "proximal steps have them": ends[1] == best.zeros,
        },
        draw,
    )
