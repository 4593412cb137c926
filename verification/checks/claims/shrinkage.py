"""Shrinkage: how hard each penalty pulls, and whether every weight shrinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from solvers import Problem

from . import Finding, Text, Verdict, certified, claim, data
from ._draw import CYCLE, GREY, L1, L2, penalty_axis, percent, three
from .definitions import FEATURES
from .zeros import path

Say = Callable[[str, str], str]


@claim(
    "L1 pulls with the same force whatever a weight's size; L2's pull fades as the weight gets small",
    "L1 的梯度是固定的，不管權重大小；L2 的拉力則隨權重變小而減弱",
)
def l1_pulls_constantly() -> Finding:
    """One feature, one weight: how far each penalty moves it from where the data want it."""
    wanted = np.linspace(-3, 3, 61)
    one = Problem(np.ones((1, 1)), np.ones(1))
    lasso = np.array([certified(one.replace(y=np.array([z]), l1=1.0)).coef[0] for z in wanted])
    ridge = np.array([certified(one.replace(y=np.array([z]), l2=1.0)).coef[0] for z in wanted])
    z = wanted
    kept = np.abs(z) > 1.001
    force = float(np.ptp(np.abs(z - lasso)[kept]))
    some = z != 0
    share = float(np.ptp((z[some] - ridge[some]) / z[some]))

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2)
        left.plot(z, z, color=GREY, linewidth=1, label=say("no penalty", "無懲罰"))
        left.plot(z, lasso, color=L1, label="L1, λ = 1")
        left.plot(z, ridge, color=L2, label="L2, λ = 1")
        left.set_xlabel(say("weight the data want", "資料想要的權重"))
        left.set_ylabel(say("weight it becomes", "實際得到的權重"))
        left.legend()
        right.plot(z, np.abs(z - lasso), color=L1)
        right.plot(z, np.abs(z - ridge), color=L2)
        right.set_xlabel(say("weight the data want", "資料想要的權重"))
        right.set_ylabel(say("how far it is pulled", "被拉動的距離"))

    big, small = -1, int(np.argmin(np.abs(z - 0.2)))
    return Finding(
        Verdict.HOLDS,
        Text(
            "and that is why L1 can finish the job and L2 cannot", "這正是 L1 能把權重拉到 0、L2 不能的原因"
        ),
        Text(
            f"""One feature, both lambdas 1. Where the data want 3, L1 gives {three(lasso[big])} and L2 {three(ridge[big])}. Where they want 0.2, L1 gives
{three(lasso[small])} and L2 {three(ridge[small])}. L1 takes off 1 from every weight that survives, and what is smaller than 1 is gone; L2 takes
off half of whatever there is, and half of a little is still something. (The note says the force "does not depend on the size"
*and* "is strong on small weights": that is one fact, seen twice.)""",
            f"""只有一個特徵，兩種 λ 都是 1。資料想要 3 時，L1 得到 {three(lasso[big])}，L2 得到 {three(ridge[big])}；資料想要 0.2 時，
L1 得到 {three(lasso[small])}，L2 得到 {three(ridge[small])}。凡是留下來的權重，L1 一律減去 1，不到 1 的就歸零；L2 則一律減半，
而「一點點」的一半仍然不是 0。（筆記說這個力「不管權重大小都固定」，又說「對小權重的影響很強」：其實是同一件事的兩種說法。）""",
        ),
        {
            "L1 takes off lambda": force < 1e-6,
            "L2 takes off a fixed share": share < 1e-6,
            "L1 zeroes what is below lambda": not lasso[np.abs(z) < 0.999].any(),
        },
        draw,
        (7.2, 2.9),
    )


@claim("Regularisation shrinks every weight towards zero", "正則化會把所有的權重都縮小、推向原點")
def every_weight_shrinks() -> Finding:
    """Single weights that grow as lambda grows, for ridge and for the lasso."""
    d = data("diabetes")
    base = Problem(d.X, d.y, intercept=True)
    free = certified(base).coef
    grids = {"l1": base.l1_max() / np.logspace(4, 0.02, 50), "l2": base.l2_ref() * np.logspace(-4, 2, 50)}
    paths = {penalty: path(base, grid, penalty) for penalty, grid in grids.items()}
    norms = {"l1": np.abs(paths["l1"]).sum(axis=1), "l2": np.linalg.norm(paths["l2"], axis=1)}
    growth = {penalty: np.abs(w).max(axis=0) / np.abs(free) for penalty, w in paths.items()}
    growers = {penalty: [FEATURES[j] for j in np.flatnonzero(g > 1.05)] for penalty, g in growth.items()}
    star = int(np.argmax(growth["l2"]))

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, penalty in ((left, "l2"), (right, "l1")):
            for j in np.flatnonzero(np.maximum(growth["l1"], growth["l2"]) > 1.05):
                line = np.abs(paths[penalty][:, j]) / abs(free[j])
                axes.plot(grids[penalty], line, color=CYCLE[j], label=FEATURES[j])
            total = {"l1": np.abs(free).sum(), "l2": np.linalg.norm(free)}[penalty]
            axes.plot(
                grids[penalty],
                norms[penalty] / total,
                color="black",
                linestyle="--",
                label=say("all together", "整體"),
            )
            axes.axhline(1, color=GREY, linewidth=0.6)
            penalty_axis(axes, f"{penalty} (λ)")
        left.set_ylabel(say("|weight|, without penalty = 1", "|權重|，無懲罰時 = 1"))
        right.legend()

    return Finding(
        Verdict.MISLEADING,
        Text(
            "the weights shrink together, as a sum; single ones may grow or change sign",
            "縮小的是整體的總和；個別權重可能變大，甚至變號",
        ),
        Text(
            f"""Diabetes data. What the penalty measures, `sum |w|` for L1 and `sum w^2` for L2, falls at every step (dashed). But under L2
{", ".join(f"`{name}`" for name in growers["l2"])} become larger than without any penalty, `{FEATURES[star]}` {three(growth["l2"][star])} times as large; under L1 this
happens to {", ".join(f"`{name}`" for name in growers["l1"])}. The reason is correlation: when one feature gives way, a relative of it takes over the work.
Where features are uncorrelated, every weight does shrink.""",
            f"""糖尿病資料。懲罰所度量的整體（L1 的 `Σ|w|`、L2 的 `Σw²`）每一步都在下降（虛線）。但在 L2 之下，
{"、".join(f"`{name}`" for name in growers["l2"])} 變得比完全沒有懲罰時還大，`{FEATURES[star]}` 甚至是 {three(growth["l2"][star])} 倍；在 L1 之下則有
{"、".join(f"`{name}`" for name in growers["l1"])}。原因是特徵之間的相關：一個特徵退讓時，與它相關的特徵會接手它的工作。
若特徵之間互不相關，每個權重才真的都會縮小。""",
        ),
        {
            "the norms fall": all(bool(np.all(np.diff(v) < 1e-9 * v[0])) for v in norms.values()),
            "under L2 some weight grows": bool(growers["l2"]),
            "under L1 some weight grows": bool(growers["l1"]),
        },
        draw,
        (7.2, 3.0),
    )


@claim("L2 shrinks the weights evenly", "L2 會均勻縮小權重")
def l2_shrinks_evenly() -> Finding:
    """The share that survives, direction by direction: d^2 / (d^2 + n l2)."""
    d = data("diabetes")
    y, n = d.y - d.y.mean(), len(d.y)
    base = Problem(d.X, y)
    l2 = 0.1
    free, shrunk = certified(base).coef, certified(base.replace(l2=l2)).coef
    _, s, directions = np.linalg.svd(d.X, full_matrices=False)
    survives = (directions @ shrunk) / (directions @ free)
    theory = s**2 / (s**2 + n * l2)
    ratios = shrunk / free
    H = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    square = Problem(H, np.array([5.0, 2.0, -1.0, -4.0]))
    even = certified(square.replace(l2=l2)).coef / certified(square).coef

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2)
        left.plot(range(1, 11), theory, color=GREY, label="d² / (d² + nλ)")
        left.plot(range(1, 11), survives, "o", color=L2, label=say("measured", "實際算出"))
        left.set_xlabel(say("direction, most spread first", "方向（變異由大到小）"))
        left.set_ylabel(say("share that survives", "保留的比例"))
        left.set_ylim(0, 1.05)
        left.legend(loc="lower left")
        right.bar(range(10), ratios, color=L2)
        right.axhline(1, color=GREY, linewidth=0.6)
        right.set_xticks(range(10), FEATURES, rotation=45, ha="right", rotation_mode="anchor")
        right.set_ylabel(say("weight / weight without penalty", "權重 / 無懲罰時的權重"))

    return Finding(
        Verdict.MISLEADING,
        Text(
            "it is even only for uncorrelated features of equal spread",
            "只有在特徵互不相關且標準差相同時才是均勻的",
        ),
        Text(
            f"""Diabetes data, `l2 = {l2}`. Looked at along the data's own directions, {percent(survives[0])} of the weight survives where the data vary most
and {percent(survives[-1])} where they hardly vary: L2 economises where the data say least. In terms of single features, the ratio to the
weight without penalty runs from {three(ratios.min())} to {three(ratios.max())}. With two uncorrelated features of equal spread it was
{three(even[0])} for both.""",
            f"""糖尿病資料，`l2 = {l2}`。沿著資料本身的主要方向來看，資料分散最大的方向保留了 {percent(survives[0])}，分散最小的方向只保留
{percent(survives[-1])}：資料提供的資訊越少的方向，L2 縮得越多。以單一特徵來看，與無懲罰時的權重相比，比值從 {three(ratios.min())}
到 {three(ratios.max())} 都有。換成兩個互不相關、標準差相同的特徵，兩者的比值都是 {three(even[0])}。""",
        ),
        {
            "the shares are d^2 / (d^2 + n l2)": float(np.max(np.abs(survives - theory))) < 1e-6,
            "they differ": float(survives[0] - survives[-1]) > 0.3,
            "even where uncorrelated": float(np.ptp(even)) < 1e-9,
        },
        draw,
        (7.2, 2.9),
    )
