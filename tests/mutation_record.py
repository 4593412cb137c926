"""results/mutation/: the outcomes, why survivors survive, and the page that is printed from both."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from mutation_sites import Mutant, modules, mutants

RESULTS = Path(__file__).resolve().parent.parent / "results" / "mutation"
SAMPLE, SEED = 300, 20_240_601
WANTED = 0.9  # share of killed mutants
FIELDS = ("module", "within", "before", "after", "outcome")
SURVIVED = "survived"
Key = tuple[str, ...]

HEAD = """# Mutation testing of verification/proofs/

Printed by `make mutation`. One thing is changed in the code of the proofs: a comparison, a sign, a constant,
a term dropped, a condition turned round, a rounding forgotten. A mutant is killed when a test fails or does
not end.
"""


def every() -> list[Mutant]:
    """Return every mutant of every module."""
    return [mutant for module in modules() for mutant in mutants(module)]


def sample() -> list[Mutant]:
    """Return the sample that goes on record: those whose digests with the seed are the least.

    So a change of the code changes the sample there, and leaves it as it was elsewhere.
    """

    def place(mutant: Mutant) -> str:
        return hashlib.sha256("\0".join((str(SEED), *mutant.key)).encode()).hexdigest()

    return sorted(sorted(every(), key=place)[:SAMPLE], key=lambda mutant: (mutant.module, mutant.site))


def on_record() -> dict[Key, str]:
    """Return the outcomes on record by key."""
    return {tuple(row[:4]): row[4] for row in table("mutants.csv")}


def reasons() -> dict[Key, str]:
    """Return why survivors survive, by key."""
    return {tuple(row[:4]): row[4] for row in table("reasons.csv")}


def table(name: str) -> list[list[str]]:
    """Read a file of results/mutation without its head; empty if there is none."""
    path = RESULTS / name
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:  # a cell may hold several lines
        return list(csv.reader(file))[1:]


def write(outcomes: dict[Key, str]) -> None:
    """Write the outcomes of the sample, in its order."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with open(RESULTS / "mutants.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows([*key, outcome] for key, outcome in outcomes.items())


def interval(killed: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, killed, of - killed + 1)) if killed else 0.0
    return low, float(beta.ppf(1 - tail, killed + 1, of - killed)) if killed < of else 1.0


def summary(outcomes: dict[Key, str]) -> str:
    """Return results/mutation/README.md."""
    why = reasons()
    survivors = [key for key, outcome in outcomes.items() if outcome == SURVIVED]
    killed, of = len(outcomes) - len(survivors), len(outcomes)
    low, high = interval(killed, of)
    share = f"{100 * killed / of:.1f} % of those tried"
    if of == SAMPLE:  # what has been tried before is no sample: module by module, in the order of their names
        share = f"{100 * killed / of:.1f} % (95 % Clopper-Pearson: {100 * low:.1f} to {100 * high:.1f} %)"
    lines = [
        HEAD,
        f"- mutants in all: {len(every())}; of a sample of {SAMPLE}, by seed {SEED}, {of} have been tried"
        + ("" if of == SAMPLE else "; `make mutation` goes on"),
        f"- killed: {killed}, {share}",
        f"- survivors: {len(survivors)}, of which {sum(key in why for key in survivors)} have a reason",
        "",
        "| module | within | was | became | why no test fails |",
        "|---|---|---|---|---|",
    ]
    for key in survivors:
        cells = [cell.replace("|", "\\|").replace("\n", " ") for cell in key]
        lines.append(
            f"| `{cells[0]}` | `{cells[1]}` | `{cells[2]}` | `{cells[3]}` | {why.get(key, '**unknown**')} |"
        )
    return "\n".join(lines) + "\n"


def write_page(outcomes: dict[Key, str]) -> None:
    """Write results/mutation/README.md."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "README.md").write_text(summary(outcomes), encoding="utf-8")


def conclude(outcomes: dict[Key, str]) -> tuple[int, str]:
    """Return an exit code and what it means."""
    survivors = [key for key, outcome in outcomes.items() if outcome == SURVIVED]
    why = reasons()
    unknown = sum(key not in why for key in survivors)
    share = 1 - len(survivors) / len(outcomes)
    words = f"{100 * share:.1f} % killed, {unknown} survivors without a reason"
    return int(unknown > 0 or share < WANTED), words
