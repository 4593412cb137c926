"""Distance, mean squared error, and the factor 1/2."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Problem, conventions
from verification.problems.generated import rng_for, toeplitz

from . import Finding, Text, Verdict, certified, claim
from ._draw import GREY, L1, L2, three

Say = Callable[[str, str], str]
Vector = NDArray[np.float64]

ACTUAL, PREDICTED = np.array([3.0, 4.0]), np.array([1.0, 1.0])


@claim(
    "The distance between (3, 4) and (1, 1) is the root of 13, its square 13",
    "(3, 4) 與 (1, 1) 的距離是 √13，平方是 13",
)
def distance_of_two_points() -> Finding:
    """Pythagoras."""
    square = float(np.sum((ACTUAL - PREDICTED) ** 2))
    distance = math.dist(ACTUAL, PREDICTED)

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        axes.plot([1, 3, 3, 1], [1, 1, 4, 1], color=GREY, linewidth=1)
        axes.plot([1, 3], [1, 4], color=L1)
        axes.plot(*ACTUAL, "o", color="black")
        axes.plot(*PREDICTED, "o", color=L2)
        axes.annotate(
            say("actual (3, 4)", "實際值 (3, 4)"), (3, 4), textcoords="offset points", xytext=(8, -3)
        )
        axes.annotate(
            say("predicted (1, 1)", "預測值 (1, 1)"), (1, 1), textcoords="offset points", xytext=(-92, -4)
        )
        axes.annotate("2", (2, 0.72))
        axes.annotate("3", (3.1, 2.4))
        axes.annotate(f"√13 = {distance:.3f}", (0.55, 2.65))
        axes.set(xlim=(-1.6, 5.2), ylim=(0.4, 4.5), aspect="equal")

    return Finding(
        Verdict.HOLDS,
        Text("", ""),
        Text(
            f"""The differences are 2 and 3; 4 + 9 = {three(square)}; its root is {distance:.4f}. The *squared* distance is the sum of squared errors, and it is what
least squares and L2 are made of; the sum of *absolute* differences, 2 + 3 = {three(float(np.abs(ACTUAL - PREDICTED).sum()))}, is the L1 distance.""",
            f"""兩個座標的差是 2 與 3；4 + 9 = {three(square)}；開根號是 {distance:.4f}。距離的**平方**就是誤差的平方和，最小平方法與 L2 用的都是它；
差的**絕對值**之和 2 + 3 = {three(float(np.abs(ACTUAL - PREDICTED).sum()))} 則是 L1 距離。""",
        ),
        {"the square is 13": square == 13.0, "the distance is its root": abs(distance**2 - 13) < 1e-12},
        draw,
        (5.0, 2.8),
    )


@claim(
    "With one data point the mean squared error must not be divided by 2",
    "只有一個資料點時，均方誤差（MSE）不應該除以 2",
)
def dividing_by_two() -> Finding:
    """13 for one point in the plane, 6.5 for two predicted numbers: both are means."""
    errors = (ACTUAL - PREDICTED) ** 2
    by_point, by_number = float(errors.sum()) / 1, float(errors.mean())
    many = np.vstack([np.tile(ACTUAL, (5, 1)), np.tile(PREDICTED + 1, (3, 1))])
    guess = np.ones_like(many)
    ratio = float(((many - guess) ** 2).sum() / len(many) / ((many - guess) ** 2).mean())

    def draw(figure: Any, say: Say) -> None:
        axes = figure.subplots()
        names = [
            say("sum of squares", "平方和"),
            say("n = 1 point", "n = 1 個點"),
            say("n = 2 numbers", "n = 2 個數值"),
        ]
        axes.barh(names[::-1], [by_number, by_point, float(errors.sum())], color=[L2, L1, GREY])
        for k, x in enumerate([by_number, by_point, float(errors.sum())]):
            axes.annotate(f"{x:g}", (x, k), textcoords="offset points", xytext=(4, -4))
        axes.set_xlim(0, 15)
        axes.set_xlabel(say("squared error", "平方誤差"))
        axes.grid(visible=False, axis="y")

    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "n counts points; if it counts predicted numbers, of which this point has two, dividing by 2 is right",
            "n 數的是「點」；若 n 數的是「預測的數值」（這個點有兩個），除以 2 反而是對的",
        ),
        Text(
            f"""A mean is a sum over a count, and the question is what one counts. As one point in the plane: 13 / 1 = {three(by_point)}. As two predicted numbers,
x and y: 13 / 2 = {three(by_number)}, which is what `mean((actual - predicted)**2)` gives, and scikit-learn's `mean_squared_error` for two outputs.
Neither is wrong; they differ by the fixed factor {three(ratio)} whatever the data, so the same predictions are best. The note's
reason stands apart from that: the 1/2 in a *loss* is there for the derivative (next claim), not to take a mean.""",
            f"""平均就是總和除以個數，問題在於數的是什麼。當成平面上的一個點：13 / 1 = {three(by_point)}。當成 x、y 兩個預測值：13 / 2 = {three(by_number)}，
`mean((actual - predicted)**2)` 以及 scikit-learn 的 `mean_squared_error`（兩個輸出時）算的就是這個。兩者都沒有錯；不論資料為何，
都只差固定的 {three(ratio)} 倍，所以最好的預測是同一個。至於筆記說的理由是另一回事：**損失函數**裡的 1/2 是為了求導方便（見下一則），
並不是在取平均。""",
        ),
        {
            "13 as one point": by_point == 13.0,
            "6.5 as two numbers": by_number == 6.5,
            "a fixed factor": abs(ratio - 2) < 1e-12,
        },
        draw,
        (5.6, 2.0),
    )


Objective = Callable[[Vector, Vector, Vector], float]  # (X, y, w) -> loss as the library writes it


def _elastic(alpha: float, ratio: float) -> Objective:
    def value(X: Vector, y: Vector, w: Vector) -> float:
        penalty = alpha * (ratio * np.abs(w).sum() + (1 - ratio) / 2 * (w @ w))
        return float(np.sum((y - X @ w) ** 2) / (2 * len(y)) + penalty)

    return value


def _plain(loss: float, l1: float, l2: float) -> Objective:
    """Loss times the sum of squares, plus l1 sum |w| plus l2 sum w^2."""
    return lambda X, y, w: float(loss * np.sum((y - X @ w) ** 2) + l1 * np.abs(w).sum() + l2 * (w @ w))


def _glmnet(lam: float, alpha: float, sd: float) -> Objective:
    """Everything in units of y's sd, lambda too: what glmnet minimises inside."""

    def value(X: Vector, y: Vector, w: Vector) -> float:
        return _elastic(lam / sd, alpha)(X, y / sd, w / sd)

    return value


def written_by_others(l1: float, l2: float, y: Vector) -> dict[str, tuple[str, Objective]]:
    """Return, by the conversion's name, how each library writes the loss for these penalties of (P).

    Lasso-only conventions ignore l2, ridge-only ones l1.
    """
    c, n = conventions, len(y)
    sd = c.glmnet_y_sd(y, np.ones(n))
    found: dict[str, tuple[str, Objective]] = {
        "sklearn_elastic_net": ("scikit-learn ElasticNet", _elastic(*c.to_sklearn_elastic_net(l1, l2))),
        "celer": ("celer", _elastic(*c.to_celer(l1, l2))),
        "skglm": ("skglm", _elastic(*c.to_skglm(l1, l2))),
        "adelie": ("adelie", _elastic(*c.to_adelie(l1, l2))),
        "statsmodels": ("statsmodels", _elastic(*c.to_statsmodels(l1, l2))),
        "glmnet": ("glmnet", _glmnet(*c.to_glmnet(l1, l2, sd), sd)),
        "sklearn_ridge": ("scikit-learn Ridge", _plain(1.0, 0.0, c.to_sklearn_ridge(l2, n))),
        "benchopt_lasso": ("benchopt lasso", _plain(0.5, c.to_benchopt_lasso(l1, n), 0.0)),
        "lars": ("R lars", _plain(0.5, c.to_lars(l1, n), 0.0)),
    }
    return found


CONSTANT = 1e-10  # relative; rounding of sums of 50 squares is far below
LASSO_ONLY, RIDGE_ONLY = {"benchopt_lasso", "lars"}, {"sklearn_ridge"}


def _spread(objective: Objective, problem: Problem) -> float:
    """Return how far objective / P is from constant over random weights: 0 if both have one minimiser for sure."""
    rng = rng_for("claims_conventions_weights")
    trials = [rng.normal(0, 2, problem.p) for _ in range(30)]
    ratios = np.array([objective(problem.X, problem.y, w) / problem.objective(w) for w in trials])
    return float(np.ptp(ratios) / ratios.mean())


@claim(
    "The factor 1/2 is only there to make the derivative tidy",
    "除以 2 只是為了簡化導數計算",
)
def the_half_is_a_convenience() -> Finding:
    """Every convention of conventions.py has our minimiser once lambda is converted, and another if it is not."""
    rng = rng_for("claims_conventions")
    X = toeplitz(rng, 50, 6, 0.5)
    y = X @ np.array([3.0, -2.0, 0.0, 1.0, 0.0, 0.5]) + 0.5 * rng.standard_normal(50)
    y = 2.5 * (y - y.mean())
    base = Problem(X, y)
    n, lam = len(y), 0.5
    sd = conventions.glmnet_y_sd(y, np.ones(n))
    spreads: dict[str, float] = {}
    for name in written_by_others(1.0, 1.0, y):
        l1, l2 = (0.0 if name in RIDGE_ONLY else 0.4), (0.0 if name in LASSO_ONLY else 0.3)
        label, objective = written_by_others(l1, l2, y)[name]
        spreads[label] = _spread(objective, base.replace(l1=l1, l2=l2))
    spreads["MSE + λ Σ|w|"] = _spread(_plain(1 / n, 2 * 0.4, 0.0), base.replace(l1=0.4))
    spreads["MSE + λ Σw²"] = _spread(_plain(1 / n, 0.0, 0.3), base.replace(l2=0.3))
    worst = max(spreads.values())
    free = certified(base).coef
    literal = {  # one and the same number lambda, written into each formula: which (P) is then solved
        "1/(2n), λ Σ|w|": {"l1": lam},
        "MSE, λ Σ|w|": {"l1": lam / 2},
        "1/2, λ Σ|w|": {"l1": conventions.from_benchopt_lasso(lam, n)},
        "1/(2n), λ/2 Σw²": {"l2": lam},
        "glmnet, λ/2 Σw²": {"l2": conventions.from_glmnet(lam, 0.0, sd)[1]},
        "1, λ Σw²": {"l2": conventions.from_sklearn_ridge(lam, n)},
    }
    sizes = {
        name: float(np.linalg.norm(certified(base.replace(**q)).coef - free) / np.linalg.norm(free))
        for name, q in literal.items()
    }
    lasso = list(sizes.values())[:3]

    def draw(figure: Any, say: Say) -> None:
        left, right = figure.subplots(1, 2)
        z = np.linspace(-2, 2, 81)
        left.plot(z, z**2, color=GREY, label=say("error²; slope 2·error", "誤差²；斜率 2·誤差"))
        left.plot(z, z**2 / 2, color=L1, label=say("error²/2; slope error", "誤差²/2；斜率 誤差"))
        left.plot(0, 0, "o", color="black")
        left.set_xlabel(say("error", "誤差"))
        left.set_ylim(-0.2, 5.5)
        left.legend(loc="upper center")
        names = list(sizes)[::-1]
        right.barh(
            names,
            [100 * sizes[name] for name in names],
            color=[L1 if "|w|" in name else L2 for name in names],
        )
        right.set_xlabel(
            say("λ = 0.5 taken literally: weights move by, %", "λ = 0.5 照字面代入：權重改變，%")
        )
        right.grid(visible=False, axis="y")

    listed = ", ".join(name for name in spreads)
    return Finding(
        Verdict.HOLDS_IF,
        Text(
            "lambda is converted with it; taken over literally, the same number asks for another model",
            "λ 也跟著換算；若直接照抄數字，得到的是另一個模型",
        ),
        Text(
            f"""The derivative of `error^2 / 2` is `error`, that of `error^2` is `2 error`: half the loss has its minimum in the same place. But the penalty is
weighed *against* the loss, so halving the loss alone doubles lambda in effect. We wrote down the loss of every library we convert for
({listed}) with the converted lambda, and divided it by ours at 30 random sets of weights: the quotient is constant to better than {CONSTANT:.0e}, so the minimiser
is the same. For the mean squared error of the note: `l1 = lambda / 2`, `l2 = lambda`.

Not converted, the one number 0.5 moves the weights of a lasso by {three(100 * lasso[0])} %, {three(100 * lasso[1])} % or {three(100 * lasso[2])} %, depending on whose formula it is put into (right).""",
            f"""`誤差²/2` 的導數是 `誤差`，`誤差²` 的導數是 `2 × 誤差`：損失減半，最小值的位置不變。但懲罰是拿來與誤差**相比**的，只把其中一個
減半，實際上等於把 λ 加倍。我們把每個有換算公式的套件({listed})的損失都照原樣寫下來，代入換算後的 λ，在 30 組隨機權重上除以我們的損失：
商是常數（相對差異小於 {CONSTANT:.0e}），所以最佳解相同。以筆記的均方誤差來說：`l1 = λ / 2`，`l2 = λ`。

若不換算，同樣是 0.5 這個數字，代進不同的公式，lasso 的權重會改變 {three(100 * lasso[0])} %、{three(100 * lasso[1])} % 或 {three(100 * lasso[2])} %（右圖）。""",
        ),
        {
            "the quotients are constant": worst < CONSTANT,
            "literal numbers differ": max(lasso) > 2 * min(lasso),
        },
        draw,
        (8.4, 2.9),
    )
