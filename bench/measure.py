"""One measurement: time a run, certify what came back, put the row on record."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accept import MESSAGE_KEPT
from bench.best import BestAnswers
from bench.certify_jobs import Known, certified
from bench.client import Client, Handle
from bench.past import Past
from bench.rounds import Budget, Ladder
from solvers import Status
from verification import Judge

__all__ = ["CERTIFIED", "Append", "Measurer", "Pair", "describe"]

Append = Callable[[dict[str, Any]], None]  # takes a row, and returns when it is safe

ENTRIES_KEPT = 60_000_000  # of X, in all judges together: half a gigabyte

MEASURED = (
    "status", "message", "n_iter", "claimed_gap", "setup_seconds", "run_seconds", "seconds",
    "memory_before", "memory_peak",
)  # fmt: skip
# Of an answer: certified, or said otherwise.
UNWRITTEN = ("coef", "coefs", "intercept", "intercepts", "kind", "warm", "again")
# What a row keeps of a certificate.
CERTIFIED = (
    "primal", "dual", "gap", "gap_rel", "radius", "scale", "primal_null", "kkt", "support", "alpha",
    "implied_l1", "implied_l2", "implied_off", "implied_gain", "false_features",
)  # fmt: skip


@dataclass
class Pair:
    """One solver in one configuration on one cell, and what has come of it."""

    client: Client
    configuration: str
    cell: Any
    handle: Handle
    about: dict[str, Any]  # the columns that all its rows share
    ladder: Ladder
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def group(self) -> tuple[str, str, str, str, bool]:
        """Where a setting of a solver is likely to fare alike: a job on a case, with l1 or without."""
        job = self.handle.task.job
        return self.client.solver, self.configuration, self.cell.case, job, self.handle.problem.l1 > 0

    @property
    def steps(self) -> int:
        """Rungs that may still run."""
        return 0 if self.ladder.next is None else len(self.ladder.tols) - self.ladder.next

    @property
    def words(self) -> str:
        """Who and where, for people."""
        extra = "" if self.configuration == "default" else f" ({self.configuration})"
        return f"{self.client.solver}{extra} on {self.cell.name}"


class Measurer:
    """Takes measurements and appends their rows.

    Attributes
    ----------
    certifying : float
        Seconds spent on certificates so far.
    beside : dict
        Seconds of certificates and of bookkeeping while a worker took its next problem.
    live : bool
        Whether everything that was on record has been taken from there, and measuring goes on.
    """

    def __init__(
        self, append: Append, budget: Budget, past: Past, between: Callable[[], None] = lambda: None
    ) -> None:
        self._append = append
        self._between = between  # called before a measurement
        self._budget = budget
        self._past = past
        self._began = monotonic()
        self.live = False
        self.measured = past.measured  # rows so far
        self.certifying = 0.0
        self.beside = {"certifying": 0.0, "bookkeeping": 0.0}
        self._ahead: tuple[Client, float] | None = None  # who was sent ahead, and `certifying` at that time
        self._judges: OrderedDict[str, Judge] = OrderedDict()  # by problem digest, least recently used first
        self._best = BestAnswers()
        self._owed: dict[str, tuple[float, Pair, dict[str, Any]]] = {}  # by problem digest
        self._folds: dict[str, Known] = defaultdict(dict)  # by problem digest
        self._certified: dict[tuple[str, str], dict[str, Any]] = {}  # by digests of problem and coefficients

    def measure(
        self, pair: Pair, phase: str, rung: int, turn: int, limit: float, then: Pair | None = None
    ) -> dict[str, Any]:
        """Time one run, certify it, and put it on record, unless it is there already.

        tol is None where the pair has no ladder. While the answer is certified, the worker of the pair that
        is likely to come `then` takes its problem: nothing is being timed.
        """
        self._settle()
        tol = pair.ladder.tols[rung] if pair.ladder.tols else None
        row = {**pair.about, "phase": phase, "rung": rung, "tol": tol, "round": turn, "limit": limit}
        if known := self._known(pair, row):
            return known
        self._between()
        before = pair.client.spent
        outcome = self._attempt(pair, row, limit)
        if outcome.get("again"):
            # Killed from outside, by the kernel for want of memory or by somebody; or it may have written
            # into its input. Once is not held against it.
            said = f"{pair.words}: {outcome['message']}; it was run again"
            self._append({"kind": "note", "run": pair.about["run"], "message": said})
            outcome = self._attempt(pair, row, limit)
        if then is not None:
            then.client.ahead(then.handle)
            self._ahead = then.client, self.certifying
        row = self._row(pair, row, outcome) | {"cost": pair.client.spent - before}
        self._put(row)
        pair.rows.append(row)
        return row

    def _settle(self) -> None:
        """Wait for the worker that was sent ahead; what was done meanwhile has cost no time of its own."""
        if self._ahead is None:
            return
        (client, certifying), self._ahead = self._ahead, None
        beside = client.settle()
        of_certificates = min(beside, self.certifying - certifying)
        self.beside["certifying"] += of_certificates
        self.beside["bookkeeping"] += beside - of_certificates

    def decline(
        self, pair: Pair, why: str, phase: str = "ladder", status: str = Status.TIME_LIMIT.name
    ) -> None:
        """Put on record that a cell was not run, and why."""
        tol = pair.ladder.tols[0] if pair.ladder.tols else None
        row = {**pair.about, "phase": phase, "rung": 0, "tol": tol, "round": 0}
        if self._known(pair, row):
            return
        row = self._row(pair, row, {"status": status, "message": why}) | {"cost": 0.0}
        self._put(row)
        pair.rows.append(row)

    def take_over(self, row: dict[str, Any], record: str) -> None:
        """Put a row of another record on this one's, marked, unless it is there already."""
        was = row.get("was", row["at"])
        record = row.get("reused", record)
        if (record, was) not in self._past.reused:
            self._put({**row, "reused": record, "was": was})

    def _known(self, pair: Pair, row: dict[str, Any]) -> dict[str, Any] | None:
        """Take a measurement from the record, with the clock as it was: what follows is decided alike.

        The first that is not there starts the clock where the record ends, later by what starting took.
        """
        known = self._past.find(row)
        if known is not None:
            if not self.live:
                self._budget.set(known["elapsed"])
            pair.client.spent += known["cost"]
            pair.rows.append(known)
            self._remember(pair, known)
        elif not self.live:
            self.live = True
            self._budget.set(self._past.elapsed + monotonic() - self._began)
        return known

    def _remember(self, pair: Pair, row: dict[str, Any]) -> None:
        """Note who has the best answer to a problem on record, for its coefficients are not."""
        if row.get("gap") is None or row.get("radius") is None or "points" in row:
            return
        digest, proven = row["digest"], row["gap"] + row["radius"]
        if digest not in self._owed or proven < self._owed[digest][0]:
            self._owed[digest] = proven, pair, row

    def _recall(self, digest: str) -> None:
        """Ask once more for the best answer on record, where an earlier start of the run had it."""
        proven, pair, row = self._owed.pop(digest, (math.inf, None, {}))
        if pair is not None and proven < self._best.proven(digest):
            handle, configuration = pair.handle, pair.configuration
            prepare, run = pair.client.prepare, pair.client.run
            outcome = prepare(handle) or run(handle, configuration, row["tol"], row["limit"])
            if "coef" in outcome:
                self._certificate(handle, outcome["coef"], outcome["intercept"])

    def _put(self, row: dict[str, Any]) -> None:
        self.measured += 1
        self._append(row | {"at": self.measured, "elapsed": self._budget.elapsed})

    def _attempt(self, pair: Pair, row: dict[str, Any], limit: float) -> dict[str, Any]:
        """Load, warm up and run, as far as that goes; return the answer that ends the matter."""
        prepare, handle = pair.client.prepare, pair.handle
        # A warm-up that fails may take the process with it.
        return (
            prepare(handle) or self._first_call(pair, row) or prepare(handle) or self._timed(pair, row, limit)
        )

    def _first_call(self, pair: Pair, row: dict[str, Any]) -> dict[str, Any] | None:
        """Warm up if need be; return an answer only where that ends the matter."""
        first = pair.client.warm_up(pair.handle, pair.configuration)
        if first is not None and first.get("again"):
            return first
        if first is not None and (first.get("compiled", True) or pair.client.calls == 1):
            decoyed = {**row, "phase": "first_call", "tol": None, "rung": None, "decoy": first.get("kind")}
            self._put(self._row(pair, decoyed, first))
        return None

    def _timed(self, pair: Pair, row: dict[str, Any], limit: float) -> dict[str, Any]:
        outcome = pair.client.run(pair.handle, pair.configuration, row["tol"], limit)
        if outcome.get("compiled"):
            # The decoy missed a branch: this was a first call, and the run is done again.
            self._put(self._row(pair, {**row, "phase": "first_call"}, outcome))
            outcome = pair.client.run(pair.handle, pair.configuration, row["tol"], limit)
        return outcome

    def _row(self, pair: Pair, row: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
        row = dict.fromkeys((*MEASURED, *CERTIFIED)) | row | {"process": pair.client.process}
        coef = outcome.get("coef")
        row |= {key: value for key, value in outcome.items() if key not in UNWRITTEN}
        row["message"] = row["message"] and row["message"][:MESSAGE_KEPT]
        if row["setup_seconds"] is not None:
            row["seconds"] = row["setup_seconds"] + row["run_seconds"]
        if coef is not None:
            # The column `intercept` says whether the problem has one.
            row["fitted_intercept"] = outcome["intercept"]
            row |= self._certificate(pair.handle, coef, outcome["intercept"])
            return row | self._features(pair.handle, coef) if row["phase"] == "defaults" else row
        return row | self._certificates(pair.handle, outcome) if "coefs" in outcome else row

    def _certificate(self, handle: Handle, coef: NDArray[np.float64], intercept: float) -> dict[str, Any]:
        """Certify; the same coefficients have the same certificate, so it is computed once."""
        used = np.flatnonzero(coef)
        parts = (used, coef[used], np.float64(intercept))
        answer = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]
        key = (handle.digest, answer)
        if key not in self._certified:
            start = monotonic()
            found = self._judge(handle).certify(coef, intercept)
            self._best.offer(handle.digest, coef, intercept, found)
            certificate = found.to_dict()
            self.certifying += monotonic() - start
            kept = {name: certificate.get(name) for name in CERTIFIED}
            self._certified[key] = {**kept, "certificate": certificate["kind"], "answer": answer}
        return self._certified[key]

    def _features(self, handle: Handle, coef: NDArray[np.float64]) -> dict[str, Any]:
        """Count false and missed features against what the best answer so far proves of the support."""
        if handle.problem.l1 == 0:
            return {"false_features": None, "missed_features": None}  # nothing is selected
        self._recall(handle.digest)
        start = monotonic()
        features = self._best.features(handle.digest, lambda: self._judge(handle))
        self.certifying += monotonic() - start
        if features is None:
            return {"missed_features": None}
        return {"false_features": features.false(coef), "missed_features": features.missed(coef)}

    def _certificates(self, handle: Handle, outcome: dict[str, Any]) -> dict[str, Any]:
        """Certify every point of a path or of a cross-validation, once for the same coefficients."""
        coefs, b = outcome["coefs"], outcome["intercepts"]
        parts = (coefs.data, coefs.indices, coefs.indptr, b)
        answer = hashlib.sha256(b"|".join(part.tobytes() for part in parts)).hexdigest()[:16]
        key = (f"{handle.digest}/{handle.task.job}", answer)
        if key in self._certified:
            return self._certified[key]  # without its points: they are in the row that had this answer first
        start = monotonic()
        judge = self._judge(handle) if handle.task.job == "path" else None
        known = self._folds[handle.digest]
        columns = certified(handle.problem, handle.task, coefs, b, judge, known) | {"answer": answer}
        self._certified[key] = columns | {"points": None}
        self.certifying += monotonic() - start
        return columns

    def _judge(self, handle: Handle) -> Judge:
        """Return the judge of a problem: what depends on it alone is computed once, while room lasts."""
        if handle.digest not in self._judges:
            self._judges[handle.digest] = Judge(handle.problem)
            while len(self._judges) > 1 and sum(map(_entries, self._judges.values())) > ENTRIES_KEPT:
                self._judges.popitem(last=False)
        self._judges.move_to_end(handle.digest)
        return self._judges[handle.digest]


def _entries(judge: Judge) -> int:
    X = judge.problem.X
    return int(X.nnz) if judge.problem.is_sparse else int(X.size)


def describe(cell: Any, handle: Handle) -> dict[str, Any]:
    """Return the columns that name a cell and its problem."""
    problem = handle.problem
    return {
        "cell": cell.name,
        "case": cell.case,
        "regime": cell.regime,
        "penalty": cell.penalty,
        "job": handle.task.job,
        "digest": handle.digest,
        "n": problem.n,
        "p": problem.p,
        "nnz": int(problem.X.nnz) if problem.is_sparse else int(problem.X.size),
        "l1": problem.l1,
        "l2": problem.l2,
        "l1_ratio": cell.l1_ratio,
        "l2_ratio": cell.l2_ratio,
        "intercept": problem.intercept,
        "positive": problem.positive,
        "weighted": problem.sample_weight is not None or problem.penalty_weights is not None,
        "dtype": str(problem.X.dtype),
        "layout": problem.layout,
    }
