"""Why a larger loss makes smaller weights, and when that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from solvers import Problem

from . import Answer, Finding, Text, Verdict, certified, claim, data
from ._draw import GREY, L1, L2, penalty_axis, three

Say = Callable[[str, str], str]


@claim(
    "Adding |w| only makes the loss larger, so how can it make the weights smaller?",
    "加上絕對值只會讓總和越來越大，為什麼權重反而變小？",
)
def adding_makes_weights_fall() -> Finding:
    """The norm falls and the loss rises along lambda."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    grid = base.l1_max() * np.logspace(-3, 0.02, 40)
    found = [certified(base.replace(l1=float(t))) for t in grid]
    norm = np.array([np.abs(a.coef).sum() for a in found])
    loss = np.array([a.certificate.primal for a in found])
    free = certified(base)
    k = 20
    kept_price = base.objective(free.coef, free.intercept) + grid[k] * np.abs(free.coef).sum()

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2)
        left.plot(grid, norm, color=L1)
        left.set_ylabel(say("sum of |w| at the optimum", "最佳解的 Σ|w|"))
        right.plot(grid, loss, color="black", label=say("best weights", "最佳權重"))
        right.plot(
            grid,
            base.objective(free.coef, free.intercept) + grid * np.abs(free.coef).sum(),
            color=GREY,
            linestyle="--",
            label=say("weights left as they were", "權重維持不變"),
        )
        right.set_ylim(0, 1.6 * loss.max())
        right.set_ylabel(say("loss", "損失"))
        right.legend()
        for axes in (left, right):
            penalty_axis(axes, "l1 (λ)")

    return Finding(
        Verdict.HOLDS,
        Text(
            "the loss does rise, and the weights fall: they are chosen anew to keep the loss down",
            "損失確實變大，權重卻變小：因為權重會重新選擇，好讓損失盡量小",
        ),
        Text(
            f"""The absolute value does turn negative numbers positive, and the loss does become larger. But nobody adds up the weights and
keeps them: they are *chosen* so that the loss is least, and now large weights cost. Diabetes data, `l1 = {three(grid[k])}`: leaving the weights as
they were would cost {three(kept_price)}; choosing them anew costs {three(loss[k])}, and `sum |w|` falls from {three(np.abs(free.coef).sum())} to {three(norm[k])}. A tax on sugar makes
sugar dearer, and for that reason less of it is bought.""",
            f"""絕對值確實把負數變成正數，損失也確實變大了。但權重並不是加總之後就固定不變：它們是**被選出來**讓損失最小的，而現在大的權重
要付出代價。糖尿病資料，`l1 = {three(grid[k])}`：若權重維持不變，損失是 {three(kept_price)}；重新選擇權重後只有 {three(loss[k])}，而 `Σ|w|` 從
{three(np.abs(free.coef).sum())} 降到 {three(norm[k])}。就像對糖課稅：糖變貴了，正因如此，大家買得更少。""",
        ),
        {
            "the sum of |w| falls": bool(np.all(np.diff(norm) <= 1e-9 * norm[0])),
            "the loss rises": bool(np.all(np.diff(loss) >= -1e-12 * loss[-1])),
            "choosing anew is cheaper": float(loss[k]) < kept_price,
        },
        draw,
        (7.2, 2.9),
    )


@claim("L1 and L2 both prevent over-fitting", "L1 與 L2 都能防止模型過擬合")
def both_prevent_overfitting() -> Finding:
    """Error on the rows used and on others, against lambda, on the diabetes data of degree two."""
    d = data("diabetes2")
    few = 100
    order = np.argsort((np.arange(len(d.y)) * 197) % len(d.y))  # 197 is prime to 442: rows in a mixed order
    train, test = order[:few], order[few:]
    base = Problem(np.asfortranarray(d.X[train]), d.y[train], intercept=True)
    grids = {"l1": base.l1_max() / np.logspace(0, 4, 33), "l2": base.l2_ref() * np.logspace(2, -4, 33)}

    def rms(answer: Answer, rows: Any) -> float:
        return float(np.sqrt(np.mean((d.y[rows] - d.X[rows] @ answer.coef - answer.intercept) ** 2)))

    curves: dict[str, Any] = {}
    for penalty, grid in grids.items():
        found = [certified(base.replace(**{penalty: float(1.01 * t)})) for t in grid]
        curves[penalty] = np.array([(rms(a, train), rms(a, test)) for a in found])
    best = {penalty: float(c[:, 1].min()) for penalty, c in curves.items()}
    loose = {penalty: float(c[-1, 1]) for penalty, c in curves.items()}
    strict = {penalty: float(c[0, 1]) for penalty, c in curves.items()}

    def draw(figure: Any, say: Say) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (penalty, curve) in zip(panels, curves.items(), strict=True):
            colour = L1 if penalty == "l1" else L2
            axes.plot(
                grids[penalty], curve[:, 0], "--", color=GREY, label=say("rows used for fitting", "訓練資料")
            )
            axes.plot(grids[penalty], curve[:, 1], color=colour, label=say("other rows", "測試資料"))
            k = int(np.argmin(curve[:, 1]))
            axes.plot(grids[penalty][k], curve[k, 1], "o", color=colour)
            penalty_axis(axes, f"{penalty} (λ)")
            axes.legend(loc="upper left")
        panels[0].set_ylabel(say("root mean squared error", "均方根誤差"))
        panels[0].set_ylim(30, 1.25 * max(loose.values()))

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "lambda is chosen well: too small prevents nothing, too large fits nothing",
            "λ 選得恰當：太小防不了過擬合，太大則什麼都學不到（配適不足）",
        ),
        Text(
            f"""Diabetes data with squares and products, 64 features, fitted to only {few} people and tested on the other {len(test)}. With next to no penalty the
error is {three(float(curves["l2"][-1, 0]))} on the rows used, but {three(loose["l2"])} on the others: over-fitted. The best lambda brings it down to {three(best["l1"])} (L1) and
{three(best["l2"])} (L2). Too much, and it rises again, to {three(strict["l1"])} and {three(strict["l2"])}. On the rows used the error always grows with lambda, so lambda must be
chosen on *other* rows, as in cross-validation.""",
            f"""糖尿病資料加上平方項與交乘項，共 64 個特徵，只用 {few} 人訓練，用其餘 {len(test)} 人測試。幾乎沒有懲罰時，訓練誤差是
{three(float(curves["l2"][-1, 0]))}，測試誤差卻高達 {three(loose["l2"])}：過擬合。選到最好的 λ 時，測試誤差降到 {three(best["l1"])}(L1)與 {three(best["l2"])}(L2)。
懲罰太重，誤差又回升到 {three(strict["l1"])} 與 {three(strict["l2"])}。訓練誤差總是隨 λ 增加，所以必須用**另外**的資料來挑選 λ，例如交叉驗證。""",
        ),
        {
            "both improve the test error": all(best[k] < 0.95 * loose[k] for k in best),
            "too much is worse again": all(best[k] < 0.95 * strict[k] for k in best),
            "the training error grows": all(
                bool(np.all(np.diff(c[:, 0]) < 1e-9 * c[0, 0])) for c in curves.values()
            ),
        },
        draw,
        (7.2, 3.0),
    )
