"""What the two penalties are, and what is added to what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from solvers import Problem
from verification.problems.generated import rng_for

from . import Finding, Text, Verdict, certified, claim, data
from ._draw import GREY, L1, L2, bars, penalty_axis, three

Say = Callable[[str, str], str]
SAME, TURNED = 1e-8, 1e-6  # largest differences of weights that a claim of equality allows
FEATURES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]  # of the diabetes data


def _added(l1: float, l2: float, w: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Return what the penalties add to the objective at w: with them less without them."""
    d = data("diabetes")
    plain = Problem(d.X, d.y - d.y.mean())
    return plain.replace(l1=l1, l2=l2).objective(w) - plain.objective(w)


@claim("The L1 penalty is lambda times the sum of the absolute weights", "L1 懲罰項 = λ × 權重絕對值的總和")
def l1_is_the_sum_of_absolute_weights() -> Finding:
    """Definition, read off the objective that the solvers minimise."""
    rng = rng_for("claims_definitions")
    trials = [(float(rng.uniform(0, 5)), rng.normal(0, 30, 10)) for _ in range(50)]
    error = max(abs(_added(lam, 0.0, w) / (lam * np.abs(w).sum()) - 1) for lam, w in trials)
    one = np.eye(10)[2]
    grid = np.linspace(-2, 2, 17)
    measured = np.array([_added(1.0, 0.0, t * one) for t in grid])

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        axes.plot(grid, np.abs(grid), color=L1, label="|w|")
        axes.plot(grid, measured, "o", color=L1, label=say("measured", "實際算出"))
        axes.set_xlabel(say("one weight w", "單一權重 w"))
        axes.set_ylabel(say("penalty for lambda = 1", "λ = 1 時的懲罰"))
        axes.legend(loc="upper center")

    return Finding(
        Verdict.HOLDS,
        Text("it is the definition", "這就是定義"),
        Text(
            f"""We asked the objective itself: its value with the penalty less its value without, at 50 random sets of
weights and lambdas, is `lambda * sum |w|` up to rounding. The larger a weight, whatever its sign, the higher its
price: 2 costs twice as much as 1. The constant `b` is not part of the sum.

With ten weights, `w = (3, -4, 0, ...)` costs `lambda * {three(_added(1.0, 0.0, np.eye(10)[0] * 3 - np.eye(10)[1] * 4))}`.""",
            f"""我們直接問目標函數：在 50 組隨機的權重與 λ 上，「有懲罰項」減去「沒有懲罰項」的值，正好是 `λ × Σ|w|`
（只差捨入誤差）。權重越大，不論正負，代價越高：2 的代價是 1 的兩倍。常數項 `b` 不計入總和。

例子裡有 10 個權重，因此 `w = (3, -4, 0, ...)` 的代價是 `λ × {three(_added(1.0, 0.0, np.eye(10)[0] * 3 - np.eye(10)[1] * 4))}`。""",
        ),
        {
            "the difference is lambda sum |w|": error < 1e-9,
            "a larger weight costs more": bool(np.all(np.diff(measured[8:]) > 0)),
        },
        draw,
    )


@claim("The L2 penalty is lambda times the sum of the squared weights", "L2 懲罰項 = λ × 權重平方的總和")
def l2_is_the_sum_of_squared_weights() -> Finding:
    """Definition, but for the factor 1/2 that most programs write."""
    rng = rng_for("claims_definitions")
    trials = [(float(rng.uniform(0, 5)), rng.normal(0, 30, 10)) for _ in range(50)]
    error = max(abs(_added(0.0, lam, w) / (lam / 2 * (w @ w)) - 1) for lam, w in trials)
    d = data("diabetes")
    lam, n = 0.05, d.X.shape[0]
    y = d.y - d.y.mean()
    # the note's own ridge: (1/2n) ||y - Xw||^2 + lam sum w^2, solved from its normal equations
    note = np.linalg.solve(d.X.T @ d.X / n + 2 * lam * np.eye(10), d.X.T @ y / n)
    ours = certified(Problem(d.X, y, l2=2 * lam)).coef
    literal = certified(Problem(d.X, y, l2=lam)).coef
    same = float(np.max(np.abs(ours - note)))
    apart = float(np.linalg.norm(literal - note) / np.linalg.norm(note))
    grid = np.linspace(-2, 2, 81)

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2)
        left.plot(grid, grid**2, color=L2, label=say("w², as in the note", "w²，筆記的寫法"))
        left.plot(grid, grid**2 / 2, "--", color=L2, label=say("w²/2, as here", "w²/2，本專案的寫法"))
        left.plot(grid, np.abs(grid), color=L1, label=say("|w|, for comparison", "|w|，供比較"))
        left.set_xlabel(say("one weight w", "單一權重 w"))
        left.set_ylabel(say("penalty", "懲罰"))
        left.set_ylim(0, 6)
        left.legend(loc="upper center")
        place = np.arange(10)
        right.bar(place - 0.27, note, 0.27, color=GREY, label=say("note, λ", "筆記，λ"))
        right.bar(place, ours, 0.27, color=L2, label="l2 = 2λ")
        right.bar(place + 0.27, literal, 0.27, color=L1, label="l2 = λ")
        right.set_xticks(place, FEATURES, rotation=45, ha="right", rotation_mode="anchor")
        right.set_ylabel(say("weight", "權重"))
        right.legend()

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "you check whether the program writes w² or w²/2, and convert lambda",
            "先確認程式寫的是 w² 還是 w²/2，並換算 λ",
        ),
        Text(
            f"""Most programs, this one included, write `l2/2 * sum w^2`: the 1/2 cancels when one differentiates. Measured as above,
that is what our objective adds. The note's `lambda * sum w^2` is therefore our `l2 = 2 lambda`: solved both ways on
the diabetes data the weights agree to better than {SAME:.0e}. Taken literally (`l2 = lambda`) they are off by {three(100 * apart)} %.""",
            f"""包括本專案在內，大多數程式寫的是 `l2/2 × Σw²`：求導時 1/2 會消掉。用同樣方法測量，我們的目標函數加上的正是這一項。
因此筆記的 `λ × Σw²` 就是我們的 `l2 = 2λ`：在糖尿病資料上用兩種方法求解，權重相差不到 {SAME:.0e}。
若照字面代入（`l2 = λ`），權重會差 {three(100 * apart)} %。""",
        ),
        {
            "the difference is l2/2 sum w^2": bool(error < 1e-9),
            "l2 = 2 lambda is the note's": same < SAME,
            "l2 = lambda is not": apart > 1e-3,
        },
        draw,
        (7.2, 2.9),
    )


@claim("loss = prediction error + penalty", "損失 = 預測誤差 + 懲罰項")
def loss_is_error_plus_penalty() -> Finding:
    """The parts of the optimum along lambda, on the diabetes data."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    grid = base.l1_max() / np.logspace(0.005, 3, 25)
    parts = []
    for l1 in grid:
        answer = certified(base.replace(l1=float(l1)))
        error = base.objective(answer.coef, answer.intercept)
        parts.append((error, l1 * np.abs(answer.coef).sum(), answer.certificate.primal))
    error, price, total = np.array(parts).T
    mismatch = float(np.max(np.abs(error + price - total) / total))

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        labels = [say("prediction error", "預測誤差"), say("lambda sum |w|", "λ Σ|w|")]
        axes.stackplot(grid, error, price, labels=labels, colors=["#bbbbbb", L1], alpha=0.8)
        axes.plot(grid, total, color="black", linewidth=1, label=say("loss", "損失"))
        penalty_axis(axes, "l1 (λ)")
        axes.set_ylabel(say("at the optimum", "最佳解處的值"))
        axes.legend(loc="lower left", facecolor="white", frameon=True)

    middle = len(grid) // 2
    return Finding(
        Verdict.HOLDS,
        Text("the best weights are a compromise between the two", "最佳權重就是兩者之間的折衷"),
        Text(
            f"""Diabetes data, lasso. At `l1 = {three(grid[middle])}` the best loss, {three(total[middle])}, is {three(error[middle])} of
prediction error and {three(price[middle])} of penalty. As lambda falls (to the left) the model may fit better and the
price vanishes.""",
            f"""糖尿病資料，lasso。`l1 = {three(grid[middle])}` 時，最小的損失 {three(total[middle])} 由預測誤差 {three(error[middle])}
與懲罰 {three(price[middle])} 組成。λ 越小（往左），模型可以配適得越好，代價也逐漸消失。""",
        ),
        {
            "the parts add up": mismatch < 1e-12,
            "the error falls with lambda": bool(np.all(np.diff(error) < 1e-9)),
        },
        draw,
    )


@claim(
    "The absolute value removes the sign: plus and minus cost the same",
    "取絕對值是為了消除正負號：正負權重代價相同",
)
def the_sign_does_not_matter() -> Finding:
    """Turning a feature round turns its weight round, and changes nothing else."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    turned = np.array([1.0, -1, -1, 1, 1, -1, 1, 1, -1, 1])
    l1 = base.l1_max() / 20
    before = certified(base.replace(l1=l1))
    after = certified(base.replace(X=np.asfortranarray(d.X * turned), l1=l1))
    off = float(np.max(np.abs(before.coef * turned - after.coef)))

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        bars(left, before.coef, FEATURES, L1)
        bars(right, after.coef, FEATURES, [L2 if t < 0 else L1 for t in turned])
        left.set_title(say("as measured", "原始特徵"))
        right.set_title(say("four features turned round (orange)", "四個特徵變號（橘色）"))
        left.set_ylabel(say("weight", "權重"))

    return Finding(
        Verdict.HOLDS,
        Text("so the penalty acts on size alone", "懲罰只看大小"),
        Text(
            f"""We replaced four features by their opposites. Exactly those four weights changed sign; no size changed
(to better than {TURNED:.0e}), nor did the loss. Without the absolute value, `-1000` would be cheaper than `1`.""",
            f"""我們把四個特徵乘上 -1。結果恰好是這四個權重變號，大小都沒有變（差異小於 {TURNED:.0e}），損失也相同。
如果不取絕對值，權重 `-1000` 反而會比 `1` 還便宜。""",
        ),
        {
            "the weights turn with the features": off < TURNED,
            "some of them are not zero": bool(np.any(before.coef[turned < 0])),
        },
        draw,
        (7.2, 2.9),
    )
