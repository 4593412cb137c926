"""docs/faults.md, printed from the kill matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..check import all_checks
from . import faults, matrix
from .defects import DEFECTS
from .matrix import HOLDS, PATIENCE, TOL, Row

__all__ = ["STAYS", "markdown", "missing", "redundant"]

HEAD = """# Planted faults

Printed by `make faults`, which exits with 1 if a fault survives, if the check named for a fault does not
kill it, if a check kills nothing, or if an honest solver raises an alarm. A check that never caught anything
is not known to work.

Each fault is a small realistic bug: in a complete solver (`verification/checks/faults/reference.py` is the
honest one it is planted in), or in the judge, in a process of its own. Every fault meets every check that
could see it, and nothing is cut short; tol is {tol:g}; a run that hangs is killed after {limit:g} s.

The matrix itself is [results/faults/matrix.csv](../results/faults/matrix.csv): `.` the check holds, `x` it
found failures, `hung`, `died`, or `raised`, when the check itself did; nothing where the fault is in a solver
and the check is one of the judge, which looks at none. To run one:

```
python -m verification faults --only l1_times_1_05
python -m verification run --solver verification.checks.faults.penalties:l1_times_1_05
```

A fault is one function in `verification/checks/faults/`, decorated with the name of the check that must kill
it.
"""

# Why a check stays that kills nothing alone and that no fault names: what it alone asks for.
STAYS: dict[str, str] = {
    "right_duplicates": "the one family on which an answer is one of many, and only its fit is asked for",
    "right_each_column": "every column in turn is the one that counts: the failure says which is lost",
    "right_each_row": "every row in turn is the one that counts: the failure says which is lost",
    "right_one_sign": "data of one sign, where a test of |x| and one of x cannot be told apart elsewhere",
    "right_whole_numbers": "ties and exact zeros in the data, which drawn numbers never have",
    "right_units": "scales of 2^+-30, against absolute tolerances",
    "right_every_l2": "l2 over twelve orders of magnitude; other families have two",
    "right_many_rows": "thousands of rows, dense, with several columns in use",
    "right_many_columns": "a thousand columns, with a support of many",
    "right_sparse": "empty rows and columns, and a full column, in a sparse X",
    "right_least_squares": "no penalty at all: the dual point must be orthogonal to every column",
    "no_memory": "says that an earlier problem was answered, where others say that an answer is wrong",
    "ridge_dual_form": "an answer computed in another way, in n unknowns, without a certificate",
    "even_accuracy": "the one check that holds a function without tol to more than its claim of 1e-3",
    "row_permutation": "needs no truth: holds where the optimum is beyond proof",
    "column_signs": "needs no truth: holds where the optimum is beyond proof",
    "design_scale": "needs no truth: holds where the optimum is beyond proof",
    "constant_column": "a column that is zero once centred, but whose mean is rounded",
    "split_signs": "ties the problem with w >= 0 to that without, in both directions",
    "positive_where_free": "ties the problem with w >= 0 to that without, where they agree",
    "left_out_columns": "what a solver gains by leaving columns out must not change its answer",
    "single_precision": "compares a float32 answer with the float64 one to the same exact data",
    "monotone_path": "needs neither truth nor twin: what holds between points of any path",
    "linear_between_kinks": "needs neither truth nor twin: what holds between points of any path",
    "augmented_lasso": "ties the elastic net to the lasso",
    "augmented_least_squares": "ties ridge to least squares",
    "centred_data": "ties an intercept to none, by the data's own means",
    "column_of_ones": "ties an intercept to an unpenalised column",
}


def markdown(found: Mapping[str, Row], honest: Mapping[str, Row]) -> str:
    """Return the page."""
    parts = [HEAD.format(tol=TOL, limit=PATIENCE), *_summary(found, honest), *_faults(found), *_checks(found)]
    return "\n".join([*parts, *_redundant(found), *_honest(honest)]) + "\n"


def _kills(found: Mapping[str, Row], check: str) -> list[str]:
    return [name for name, row in found.items() if row.marks.get(check, HOLDS) != HOLDS]


def _alone(found: Mapping[str, Row], check: str) -> list[str]:
    return [name for name in _kills(found, check) if found[name].killers == [check]]


def redundant(found: Mapping[str, Row]) -> dict[str, str]:
    """Return the checks whose kills others make too, each with the reason why it stays."""
    named: dict[str, list[str]] = {}
    for fault in faults().values():
        named.setdefault(fault.killed_by, []).append(fault.name)
    reasons = {}
    for check in sorted(all_checks()):
        if not _alone(found, check):
            said = f"names the cause of {', '.join(named[check])}" if check in named else ""
            reasons[check] = said or STAYS.get(check, "")
    return reasons


def missing(found: Mapping[str, Row], honest: Mapping[str, Row]) -> dict[str, list[str]]:
    """Return what is not on record: faults, honest solvers, checks of either; nothing of what is complete."""
    rows = [*found.values(), *honest.values()]
    left = {
        "faults": [name for name in faults() if name not in found],
        "honest solvers": [name for name in matrix.honest() if name not in honest],
        "checks": [c for c in sorted(all_checks("solver")) if any(c not in row.marks for row in rows)],
    }
    return {what: names for what, names in left.items() if names}


def _summary(found: Mapping[str, Row], honest: Mapping[str, Row]) -> Iterator[str]:
    planted = [faults()[name] for name in found]
    judge = sum(fault.plant is not None for fault in planted)
    killed = sum(row.marks.get(faults()[name].killed_by, HOLDS) != HOLDS for name, row in found.items())
    runs = sum(row.answers for row in honest.values())
    false = sum(len(matrix.false_alarms(row)) for row in honest.values())
    deserved = sum(len(row.killers) for row in honest.values()) - false
    yield f"- {len(found)} faults: {len(found) - judge} in a solver, {judge} in the judge"
    yield f"- {len(all_checks())} checks"
    yield f"- killed by the check named for them: {killed} of {len(found)}"
    told = f"; {deserved} alarms that are deserved, [below](#honest-solvers)" if deserved else ""
    yield f"- {len(honest)} honest solvers, {runs} runs with an answer: {false} false alarms{told}"
    for what, left in missing(found, honest).items():
        names = ", ".join(f"`{name}`" for name in left)
        yield f"- **not on record yet**, {len(left)} {what}: {names}; `make faults` goes on with them"


def _faults(found: Mapping[str, Row]) -> Iterator[str]:
    yield "\n## Each fault\n"
    yield "| fault | what is wrong | killed by, as named | and by |"
    yield "|---|---|---|---|"
    for name, row in found.items():
        fault = faults()[name]
        others = [check for check in row.killers if check != fault.killed_by]
        also = (
            f"{len(others)} more"
            if len(others) > 4
            else ", ".join(f"`{check}`" for check in others) or "none"
        )
        mark = row.marks.get(fault.killed_by, HOLDS)
        named = f"`{fault.killed_by}`" if mark != HOLDS else f"**not by** `{fault.killed_by}`"
        ended = f" ({mark})" if mark in ("hung", "died", "raised") else ""
        yield f"| `{fault.theme}.{name}` | {fault.summary} | {named}{ended} | {also} |"


def _checks(found: Mapping[str, Row]) -> Iterator[str]:
    yield "\n## Each check\n"
    yield "| check | what it holds to account | about | kills | kills alone |"
    yield "|---|---|---|---|---|"
    for name, check in sorted(all_checks().items()):
        alone = ", ".join(f"`{fault}`" for fault in _alone(found, name)) or ""
        yield f"| `{name}` | {check.summary} | {check.about} | {len(_kills(found, name))} | {alone} |"


def _redundant(found: Mapping[str, Row]) -> Iterator[str]:
    yield "\n## Redundant checks\n"
    yield "What these kill, others kill too. They stay, for a failure is to say what is wrong, not only that"
    yield "something is:\n"
    yield "| check | why it stays |"
    yield "|---|---|"
    for name, why in redundant(found).items():
        yield f"| `{name}` | {why or '**no reason**'} |"


def _honest(honest: Mapping[str, Row]) -> Iterator[str]:
    yield "\n## Honest solvers\n"
    yield "| solver | answers | alarms |"
    yield "|---|---|---|"
    for name, row in honest.items():
        yield f"| `{name}` | {row.answers} | {', '.join(row.killers) or 'none'} |"
    shown = {
        key: why for key, why in DEFECTS.items() if key[0] in honest and key[1] in honest[key[0]].killers
    }
    if shown:
        yield "\nAlarms that are deserved (`python -m verification checks --solvers NAME --only CHECK`):\n"
        yield from (f"- `{solver}`, `{check}`: {why}." for (solver, check), why in shown.items())
