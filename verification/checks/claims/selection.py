"""Which features L1 dismisses: not those with small weights, and not always the unimportant ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem
from verification.problems._homotopy import fraction

from . import Finding, Text, Verdict, certified, claim, data
from ._draw import GREY, L1, bars, percent, three
from .definitions import FEATURES
from .zeros import diabetes_kinks

Say = Callable[[str, str], str]
Vector = NDArray[np.float64]


@claim(
    "L1 is the strict manager who dismisses the employees with small weights",
    "L1 像嚴厲的經理，會「解雇」權重小的員工",
)
def small_weights_are_fired() -> Finding:
    """Two counter-examples on the diabetes data: another unit, and correlation."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    n = len(d.y)
    free = certified(base).coef
    kinks = diabetes_kinks()
    last = np.array(
        [max(float(fraction(k.lam)) / n for k in kinks if abs(k.move) == j + 1) for j in range(10)]
    )
    by_weight, by_survival = np.argsort(-np.abs(free)), np.argsort(-last)
    biggest = int(by_weight[0])
    place = 1 + int(np.flatnonzero(by_survival == biggest)[0])
    bmi, unit = FEATURES.index("bmi"), 1024.0
    scaled = np.array(d.X, order="F")
    scaled[:, bmi] *= unit
    before, after = base.replace(l1=base.l1_max() / 10), base.replace(X=scaled)
    free_scaled = certified(after).coef
    kept = certified(after.replace(l1=before.l1)).coef
    small_kept = bool(np.argmin(np.abs(free_scaled)) == bmi and kept[bmi] != 0)
    dismissed = [FEATURES[j] for j in np.flatnonzero(kept == 0)]
    half = certified(base.replace(l1=float(last[biggest]) * 1.01)).coef
    smaller = [FEATURES[j] for j in np.flatnonzero(half) if abs(free[j]) < abs(free[biggest])]

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2)
        left.scatter(np.abs(free), last, color=[GREY if j != biggest else "#D55E00" for j in range(10)])
        for j, name in enumerate(FEATURES):
            left.annotate(
                name, (abs(free[j]), last[j]), textcoords="offset points", xytext=(4, 3), fontsize=8
            )
        left.set_yscale("log")
        left.set_xlabel(say("|weight| without penalty", "無懲罰時的 |權重|"))
        left.set_ylabel(say("survives up to l1", "撐到 l1 ="))
        left.set_xlim(0, 1.15 * np.abs(free).max())
        right.bar(range(10), np.abs(free_scaled), color=[L1 if c else "#cccccc" for c in kept])
        right.set_yscale("log")
        right.set_xticks(range(10), FEATURES, rotation=45, ha="right", rotation_mode="anchor")
        right.set_ylabel(say("|weight| without penalty", "無懲罰時的 |權重|"))
        right.set_title(
            say("bmi in a unit 1024 times smaller; blue = kept", "bmi 改用小 1024 倍的單位；藍色 = 保留")
        )

    return Finding(
        Verdict.MISLEADING,
        Text(
            "a feature's scale and its relation to y and to the others decide, not the size of its weight",
            "決定去留的是特徵的尺度，以及它與 y、與其他特徵的關係，而不是權重的大小",
        ),
        Text(
            f"""**The biggest weight is fired.** Diabetes data, all features on one scale. Without penalty `{FEATURES[biggest]}` has the largest weight of all
({three(free[biggest])}). As lambda grows it is nonetheless dismissed early: it survives only up to `l1 = {three(last[biggest])}`, as number {place} of 10, while
{", ".join(f"`{s}`" for s in smaller)}, all with smaller weights, are kept. It was large only because it and its relatives cancelled one another.

**The smallest weight is kept.** Now `bmi` in a unit 1024 times smaller, so that its numbers are 1024 times larger. Its weight without
penalty is now the smallest, {three(abs(free_scaled[bmi]))}, and L1 (at a tenth of the old `l1_max`) keeps it while dismissing
{", ".join(f"`{s}`" for s in dismissed)}. That is why features are put on one scale before L1 or L2 is used.""",
            f"""**權重最大的被解雇。** 糖尿病資料，所有特徵都已標準化。沒有懲罰時，`{FEATURES[biggest]}` 的權重是全部之中最大的
（{three(free[biggest])}）。但 λ 增加時，它很早就被淘汰：只撐到 `l1 = {three(last[biggest])}`，在 10 個特徵中排第 {place}，而權重都比它小的
{"、".join(f"`{s}`" for s in smaller)} 卻留了下來。它的權重之所以大，只是因為它與幾個相關的特徵互相抵消。

**權重最小的被留下。** 接著把 `bmi` 改用小 1024 倍的單位，數字因此大 1024 倍。它在無懲罰時的權重變成最小的
{three(abs(free_scaled[bmi]))}，但 L1（`l1` 為原來 `l1_max` 的十分之一）卻留下它，淘汰了
{"、".join(f"`{s}`" for s in dismissed)}。這就是為什麼使用 L1 或 L2 之前要先把特徵標準化。""",
        ),
        {
            "the largest weight goes before smaller ones": place > 3
            and len(smaller) >= 3
            and half[biggest] == 0,
            "the smallest weight is kept": small_kept,
            "others are dismissed": bool(dismissed),
        },
        draw,
        (8.0, 3.2),
    )


@claim(
    "L1 finds out by itself which features have little effect, and removes those",
    "L1 會自動識別哪些特徵對結果影響較小，並去除這些特徵",
)
def dismissed_means_unimportant() -> Finding:
    """A feature that predicts nearly as well as the best one by itself, provably dismissed."""
    d = data("breast_cancer")
    base = Problem(d.X, d.y, intercept=True)
    l1 = base.l1_max() / 3
    answer = certified(base.replace(l1=l1))
    y = d.y - d.y.mean()
    alone = (d.X.T @ y) ** 2 / len(y) / float(y @ y)
    zero = (answer.coef == 0) & answer.certificate.certified_zeros
    star = int(np.argmax(np.where(zero, alone, 0)))
    weakest = int(np.argmin(np.where(answer.coef != 0, alone, np.inf)))
    mate = int(np.argmax(np.where(answer.coef != 0, np.abs(d.X.T @ d.X[:, star]), 0)))
    likeness = float(d.X[:, mate] @ d.X[:, star]) / len(y)
    better = int(np.sum(zero & (alone > alone[weakest])))

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        order = np.argsort(-alone)
        colours = [L1 if answer.coef[j] else "#cccccc" for j in order]
        bars(axes, 100 * alone[order], [f"x{j + 1}" for j in order], colours)
        axes.set_ylabel(say("explains by itself, %", "單獨可解釋的比例，%"))
        axes.set_title(say("blue = kept by L1, grey = dismissed", "藍色 = L1 保留，灰色 = 被去除"))

    return Finding(
        Verdict.MISLEADING,
        Text(
            'dismissed means "not needed beside those that were kept", not "without effect"',
            "被去除只表示「有了留下的特徵之後不再需要它」，不表示「沒有影響」",
        ),
        Text(
            f"""Breast cancer data, 30 measurements, `l1 = l1_max / 3`: {30 - answer.zeros} are kept. Feature x{star + 1} is dismissed, provably, though by itself it explains
{percent(alone[star])} of y, and the best single feature {percent(alone.max())}. Its work is done by x{mate + 1}, with which it correlates {three(likeness)}. Number of dismissed features
that explain more by themselves than the kept x{weakest + 1} ({percent(alone[weakest])}): {better}. From a group of look-alikes L1 picks a few; a little noise may change which.""",
            f"""乳癌資料，30 個量測值，`l1 = l1_max / 3`：保留 {30 - answer.zeros} 個。特徵 x{star + 1} 被去除（有證明），但它單獨就能解釋 y 的
{percent(alone[star])}，而最好的單一特徵是 {percent(alone.max())}。它的工作由 x{mate + 1} 代勞，兩者的相關係數是 {three(likeness)}。被去除的特徵中，
有 {better} 個單獨的解釋力比被保留的 x{weakest + 1}（{percent(alone[weakest])}）還強。在一群彼此相似的特徵裡，L1 只挑幾個；稍有雜訊，挑中的就可能不同。""",
        ),
        {
            "a strong feature is dismissed": float(alone[star]) > 0.8 * float(alone.max()),
            "because of a look-alike": likeness > 0.9,
            "weaker ones are kept": better > 0,
        },
        draw,
        (7.2, 2.9),
    )
