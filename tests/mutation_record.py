"""results/mutation/: the outcomes, why survivors survive, and the page that is printed from both."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from mutation_sites import Mutant, modules, mutants

RESULTS = Path(__file__).resolve().parent.parent / "results" / "mutation"
WANTED = 0.9  # share of killed mutants
FIELDS = ("module", "within", "before", "after", "outcome")
SURVIVED = "survived"
Key = tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """Mutants that go on record: how many, by which seed, in which file, and what the tests knew of them."""

    size: int
    seed: int
    file: str
    about: str


SAMPLES = (
    Sample(300, 20_240_601, "mutants.csv", "tests have been written since with its survivors in view"),
    Sample(200, 20_261_127, "second.csv", "drawn after those tests, and not tried again since"),
    Sample(150, 31_415_926, "third.csv", "drawn after tests for the classes that survived in the second"),
    Sample(150, 27_182_818, "fourth.csv", "drawn after tests for what survived in the first three"),
)

HEAD = """# Mutation testing of verification/proofs/

Printed by `make mutation`. One thing is changed in the code of the proofs: a comparison, a sign, a constant,
a term dropped, a condition turned round, a rounding forgotten. A mutant is killed when a test fails or does
not end.
"""


def every() -> list[Mutant]:
    """Return every mutant of every module."""
    return [mutant for module in modules() for mutant in mutants(module)]


def sample(which: Sample) -> list[Mutant]:
    """Return the mutants of a sample: those whose digests with its seed are the least.

    So a change of the code changes the sample there, and leaves it as it was elsewhere.
    """

    def place(mutant: Mutant) -> str:
        return hashlib.sha256("\0".join((str(which.seed), *mutant.key)).encode()).hexdigest()

    return sorted(sorted(every(), key=place)[: which.size], key=lambda mutant: (mutant.module, mutant.site))


def on_record(which: Sample) -> dict[Key, str]:
    """Return the outcomes on record by key."""
    return {tuple(row[:4]): row[4] for row in table(which.file)}


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


def write(which: Sample, outcomes: dict[Key, str]) -> None:
    """Write the outcomes of a sample, in its order."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with open(RESULTS / which.file, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows([*key, outcome] for key, outcome in outcomes.items())


def interval(killed: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, killed, of - killed + 1)) if killed else 0.0
    return low, float(beta.ppf(1 - tail, killed + 1, of - killed)) if killed < of else 1.0


def summary() -> str:
    """Return results/mutation/README.md, of what is on record."""
    lines = [HEAD, f"Mutants in all: {len(every())}. Samples of them, each by its own seed:", ""]
    known = {which: on_record(which) for which in SAMPLES}
    lines += [f"- {figures(which, outcomes)}" for which, outcomes in known.items() if outcomes]
    for which, outcomes in known.items():
        if outcomes:
            lines += ["", f"## Survivors of the sample by seed {which.seed}", "", *survivors(outcomes)]
    return "\n".join(lines) + "\n"


def figures(which: Sample, outcomes: dict[Key, str]) -> str:
    """How many were tried and killed, with an interval; and how many survivors have a reason."""
    left = [key for key, outcome in outcomes.items() if outcome == SURVIVED]
    killed, of = len(outcomes) - len(left), len(outcomes)
    low, high = interval(killed, of)
    told = f"**{killed} killed, {100 * killed / of:.1f} %**"
    if (
        of == which.size
    ):  # what has been tried before is no sample: module by module, in the order of their names
        told += f" (95 % Clopper-Pearson: {100 * low:.1f} to {100 * high:.1f} %)"
    going = "" if of == which.size else f" of {which.size}, `make mutation` goes on"
    why = reasons()
    explained = f"{len(left)} survivors, {sum(key in why for key in left)} with a reason"
    return f"seed {which.seed}, {which.about}: {of} tried{going}; {told}; {explained}"


def survivors(outcomes: dict[Key, str]) -> list[str]:
    """Return the rows of the table of survivors."""
    why = reasons()
    rows = ["| module | within | was | became | why no test fails |", "|---|---|---|---|---|"]
    for key, outcome in outcomes.items():
        if outcome == SURVIVED:
            module, *cells = (f"`{cell}`".replace("|", "\\|").replace("\n", " ") for cell in key)
            rows.append(f"| {module} | {' | '.join(cells)} | {why.get(key, '**unknown**')} |")
    return rows


def write_page() -> None:
    """Write results/mutation/README.md."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "README.md").write_text(summary(), encoding="utf-8")


def conclude(outcomes: dict[Key, str]) -> tuple[int, str]:
    """Return an exit code and what it means."""
    survivors = [key for key, outcome in outcomes.items() if outcome == SURVIVED]
    why = reasons()
    unknown = sum(key not in why for key in survivors)
    share = 1 - len(survivors) / len(outcomes)
    words = f"{100 * share:.1f} % killed, {unknown} survivors without a reason"
    return int(unknown > 0 or share < WANTED), words
