"""The diamond and the circle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem

from . import Finding, Text, Verdict, certified, claim
from ._draw import GREY, L1, L2, percent, three

Say = Callable[[str, str], str]
Vector = NDArray[np.float64]


def two_features(rho: float, best: Vector, spread: float = 1.0) -> Problem:
    """Return a problem of two features, sds 1 and `spread`, correlation rho, best fitted by `best` without penalty."""
    a = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    X = np.asfortranarray(
        np.column_stack([a[:, 0], spread * (rho * a[:, 0] + np.sqrt(1 - rho**2) * a[:, 1])])
    )
    return Problem(X, X @ best)


def with_budget(problem: Problem, penalty: str, budget: float) -> tuple[Vector, float]:
    """Return the optimum whose norm (L1 or L2) is `budget`, and its penalty: by bisection on lambda."""
    order = 1 if penalty == "l1" else 2
    low, high = 0.0, 100.0
    for _ in range(50):
        middle = (low + high) / 2
        w = certified(problem.replace(**{penalty: middle})).coef
        low, high = (middle, high) if np.linalg.norm(w, order) > budget else (low, middle)
    return w, middle


def _draw_ball(axes: Any, problem: Problem, best: Vector, w: Vector, order: int) -> None:
    axis = np.linspace(-0.75, 1.65, 160)
    A, B = np.meshgrid(axis, axis)
    H = problem.X.T @ problem.X / problem.n
    da, db = A - best[0], B - best[1]
    loss = (H[0, 0] * da * da + 2 * H[0, 1] * da * db + H[1, 1] * db * db) / 2
    touch = float((w - best) @ H @ (w - best)) / 2
    axes.contour(
        A,
        B,
        loss,
        levels=touch * np.array([0.1, 0.4, 1.0, 2.2]),
        colors=GREY,
        linewidths=(0.7, 0.7, 1.4, 0.7),
    )
    size = np.linalg.norm(w, order)
    if order == 1:
        ball, colour = size * np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]]), L1
    else:
        turn = np.linspace(0, 2 * np.pi, 120)
        ball, colour = size * np.column_stack([np.cos(turn), np.sin(turn)]), L2
    axes.fill(*ball.T, color=colour, alpha=0.25)
    axes.plot(*ball.T, color=colour)
    axes.plot(*best, "x", color="black")
    axes.plot(*w, "o", color=colour, markersize=7, markeredgecolor="black")
    axes.axhline(0, color="black", linewidth=0.6)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_aspect("equal")
    axes.set(xlim=(-0.75, 1.65), ylim=(-0.75, 1.65), xlabel="w1", ylabel="w2")
    axes.grid(visible=False)


@claim(
    "L1's contour is a diamond and the optimum tends to its corners, where weights are zero; L2's is a circle",
    "L1 的等值線是菱形，最佳解會落在尖角（權重為 0 處）；L2 的等值線是圓形，不會",
)
def corners_of_the_diamond() -> Finding:
    """Where the loss's contours touch the diamond, and how often that is a corner."""
    best = np.array([1.0, 0.75])
    budget = 0.6
    upright, tilted = two_features(0.0, best), two_features(0.6, best, 0.35)
    edge, _ = with_budget(upright, "l1", budget)
    corner, _ = with_budget(tilted, "l1", budget)
    circle, _ = with_budget(tilted, "l2", budget)
    shares: dict[str, dict[float, float]] = {"l1": {}, "l2": {}}
    correlations = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
    turns = np.linspace(0, 2 * np.pi, 36, endpoint=False) + 0.01
    for rho in correlations:
        corners, none = [], []
        for turn in turns:
            problem = two_features(rho, np.array([np.cos(turn), np.sin(turn)]))
            corners.append(certified(problem.replace(l1=problem.l1_max() / 2)).zeros == 1)
            none.append(certified(problem.replace(l2=1.0)).zeros > 0)
        shares["l1"][rho], shares["l2"][rho] = float(np.mean(corners)), float(np.mean(none))
    share = shares["l1"][0.0]

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.1))
        _draw_ball(axes[0], tilted, best, corner, 1)
        axes[0].set_title(say("L1, contours tilted:\na corner, w2 = 0", "L1，等值線傾斜：\n落在尖角，w2 = 0"))
        _draw_ball(axes[1], upright, best, edge, 1)
        axes[1].set_title(
            say("L1, the same best fit (x):\nan edge, no zero", "L1，同一個無懲罰解 (x):\n落在邊上，沒有 0")
        )
        _draw_ball(axes[2], tilted, best, circle, 2)
        axes[2].set_title(say("L2, contours tilted:\nno zero", "L2，等值線傾斜：\n沒有 0"))
        for penalty, colour in (("l1", L1), ("l2", L2)):
            axes[3].plot(
                correlations,
                [100 * shares[penalty][rho] for rho in correlations],
                "o-",
                color=colour,
                label=penalty.upper(),
            )
        axes[3].set_xlabel(say("correlation of the features", "兩特徵的相關係數"))
        axes[3].set_title(say("a zero weight, % of\nall directions", "出現 0 的方向\n所占百分比"))
        axes[3].set_ylim(-4, 104)
        axes[3].legend(loc=(0.3, 0.15))

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "the picture includes the loss's contours: their shape and tilt decide between a corner and an edge",
            "把誤差的等值線也畫進來：它們的形狀與傾斜決定落在尖角還是邊上",
        ),
        Text(
            f"""Grey: sets of weights that fit equally well, the best fit at x. Coloured: what the budget allows. The optimum is where they
first touch. In the first two pictures the best fit, (1, 0.75), and the budget, `|w1| + |w2| = {budget}`, are the same; only the
shape of the contours differs (features of spread 1 and 0.35 that correlate 0.6; features of equal spread, uncorrelated). Once the diamond is touched at a corner, `({three(corner[0])}, {three(corner[1])})`, once on an edge,
`({three(edge[0])}, {three(edge[1])})`. The circle has no corners: `({three(circle[0])}, {three(circle[1])})`.

Tried in {len(turns)} directions each (right, with half of `l1_max`): without correlation {percent(share)} end in a corner, the others on an edge; at a correlation of 0.9 it is {percent(shares["l1"][0.9])}.
Corners are likely, not certain; for L2 it is {percent(max(shares["l2"].values()))} always. In many dimensions the diamond has faces of every dimension: on
all but the largest some weights are zero, and the corner is only the extreme. (With unequal prices for the weights L2's circle becomes
an ellipse, which has no corners either.)""",
            f"""灰線：配適程度相同的權重組合，x 是無懲罰的最佳解。彩色區域：預算允許的範圍。最佳解就是兩者最先相碰的地方。前兩張圖的
無懲罰解 (1, 0.75) 與預算 `|w1| + |w2| = {budget}` 完全相同，只有等值線的形狀不同（一次是標準差 1 與 0.35、相關係數 0.6 的特徵，一次是標準差相同、互不相關的特徵）。結果一次碰在尖角
`({three(corner[0])}, {three(corner[1])})`，一次碰在邊上 `({three(edge[0])}, {three(edge[1])})`。圓形沒有尖角：`({three(circle[0])}, {three(circle[1])})`。

每種相關係數各試 {len(turns)} 個方向（右圖，`l1` 取 `l1_max` 的一半）：不相關時有 {percent(share)} 落在尖角，其餘落在邊上；相關係數 0.9 時則是 {percent(shares["l1"][0.9])}。落在尖角很常見，
但並非必然；L2 則永遠是 {percent(max(shares["l2"].values()))}。在高維度中，菱形有各種維度的邊與面，除了最大的面以外，每一種上面都有某些權重為 0，尖角只是最極端的情形。
（若各權重的代價不同，L2 的圓會變成橢圓，同樣沒有尖角。）""",
        ),
        {
            "the tilted one is a corner": corner[1] == 0 != corner[0],
            "the other is an edge": bool(np.all(edge != 0)),
            "the budgets are equal": abs(np.abs(edge).sum() - np.abs(corner).sum()) < 1e-6,
            "corners are frequent, not certain": 0.2 < share < 1,
            "tilt changes their share": float(np.ptp(list(shares["l1"].values()))) > 0.05,
            "the circle has none": max(shares["l2"].values()) == 0,
        },
        draw,
        (10.4, 3.1),
    )
