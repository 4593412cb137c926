"""One solver in one process, spoken to by JSON lines.

The protocol has descriptors of its own, taken before anything else is imported: whatever a library prints
goes to the log, and can neither break the protocol nor block it.  Threads are pinned by the environment that
the parent (process.py) starts this process with.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    REQUESTS, ANSWERS = os.dup(0), os.dup(1)  # dup: not inherited by processes that a solver may start
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

import ctypes
import gc
import json
import signal
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter
from typing import Any

from bench import payload
from bench.accept import (
    ANSWERED,
    MESSAGE_KEPT,
    NotASolution,
    checked,
    last_line,
    spoils,
)
from bench.decoy import decoy, kind
from bench.jobs import SOLVE, Late, Task, packed, prepare
from bench.pages import Pages
from bench.peak import peak_of_this_process, reset_peak_of_this_process, resident_of_this_process
from bench.twins import parse, prolong
from solvers import Entry, Problem, Solution, SolverMissing, SolverRefused, Status, Stop, entry

Loaded = tuple[dict[str, Any], Pages | None]  # arrays, and where they are if that is guarded

THREADS = "OPENBLAS_NUM_THREADS"  # set by the parent, like its like
DATA_KEPT = 400_000_000  # bytes of arrays that a worker keeps, so that a cell is not read anew for every run


def die_with_parent() -> None:
    """Ask the kernel to end this process when the parent is gone, even in the middle of a run (Linux).

    And to keep below it what its descendants leave behind, so that the parent can tell whose it is.
    """
    if sys.platform == "linux":
        PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
        ask = ctypes.CDLL(None, use_errno=True).prctl
        ask(PR_SET_PDEATHSIG, signal.SIGKILL)
        ask(PR_SET_CHILD_SUBREAPER, 1)


@contextmanager
def compilation() -> Iterator[Callable[[], bool]]:
    """Notice whether numba compiled, or loaded compiled code, inside the block."""
    event = sys.modules.get("numba.core.event")
    if event is None:
        yield lambda: "numba.core.event" in sys.modules  # imported meanwhile: surely a first call
        return
    with event.install_recorder("numba:compiler_lock") as recorder:
        yield lambda: bool(recorder.buffer)


def compiled_files() -> int:
    """Count the files of compiled code that are kept from one process to the next."""
    folder = os.environ.get("NUMBA_CACHE_DIR") or os.path.join(
        os.path.dirname(__file__), "..", ".cache", "numba"
    )
    return sum(name.endswith(".nbc") for _, _, names in os.walk(folder) for name in names)


class Bench:
    """The solver, the problem at hand, and what has been warmed up."""

    def __init__(self, spec: str) -> None:
        asked = parse(spec)
        self.entry: Entry = entry(asked.solver)
        self.slowdown = asked.slowdown  # planted, see twins.py
        self.process = os.getpid()
        self.data: OrderedDict[str, Loaded] = OrderedDict()  # by path, least recently used first
        self.problems: dict[str, tuple[Problem, str]] = {}  # and the path of their arrays; by digest
        self.seals: dict[str, payload.Seal] = {}  # of the arrays, by their path
        self.problem: Problem | None = None
        self.digest = ""
        self.warm: set[tuple[str, str, str]] = set()

    def hello(self) -> dict[str, Any]:
        """Describe the solver."""
        solver = self.entry
        return {
            "name": solver.name,
            "summary": solver.summary,
            "package": solver.package,
            "package_version": solver.version(),
            "own": solver.own,
            "claims_gap": solver.claims_gap,
            "supports": sorted(solver.supports),
            "cites": list(solver.cites),
            "configurations": {name: repr(options) for name, options in solver.configurations.items()},
            "path_configurations": list(solver.path_configurations),
        }

    def load(self, data: str, scalars: dict[str, Any], digest: str, guarded: bool = True) -> dict[str, Any]:
        """Take a problem, from memory if it was loaded before; answer whether the solver refuses it.

        Who writes into guarded arrays ends this process; into others, it is seen after the run.
        """
        start = perf_counter()
        if digest not in self.problems:
            arrays, pages = self._loaded_from(data, guarded)
            problem = payload.problem_of(arrays, scalars)
            if problem.digest != digest:
                self.forget(data)
                raise NotASolution("the problem arrived changed: its digest differs from the orchestrator's")
            self.problems[digest] = (problem, data)
            if data not in self.seals:
                self.seals[data] = payload.Seal(problem, pages)
        self.problem, self.digest = self.problems[digest][0], digest
        refuses = self.entry.refuses(self.problem)
        return {"refuses": refuses, "took": perf_counter() - start}

    def _loaded_from(self, path: str, guarded: bool) -> Loaded:
        if path not in self.data:
            self.data[path] = payload.load(path, guarded)
            while len(self.data) > 1 and self._bytes_kept > DATA_KEPT:
                self.forget(next(iter(self.data)))
        self.data.move_to_end(path)
        return self.data[path]

    @property
    def _bytes_kept(self) -> int:
        return sum(payload.nbytes(arrays) for arrays, _ in self.data.values())

    def forget(self, path: str) -> None:
        """Drop arrays and every problem made of them; they are read again when next asked for."""
        self.data.pop(path, None)
        self.seals.pop(path, None)
        self.problems = {key: kept for key, kept in self.problems.items() if kept[1] != path}

    def release(self) -> dict[str, Any]:
        """Drop all arrays, for there are more workers than room."""
        self.data.clear()
        self.seals.clear()
        self.problems.clear()
        self.problem = None
        return {}

    def warm_up(
        self, configuration: str, time_limit: float | None, task: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Compile on a decoy, once for each kind of problem; the answer is the first call's time, or none."""
        problem, job = self._loaded(), _task(task)
        key = (kind(problem), configuration, job.job)
        if key in self.warm:
            return {"warm": True}
        stand_in = decoy(problem)
        answer: dict[str, Any] = {}
        before = compiled_files()
        for tol in (1e-2, 1e-9):  # the tight one so that every phase of the method is entered
            if answer and "numba" not in sys.modules:
                break  # nothing here compiles
            stop = Stop(tol=tol, time_limit=time_limit)
            timed = self._timed(stand_in, stop, configuration, job.on(stand_in))
            solutions = timed.pop("answers").solutions
            answer = answer or {**timed, "status": checked(solutions[-1], stand_in).status.name}
        self.warm.add(key)
        gc.collect()
        gc.freeze()  # what the libraries hold is not walked through again before every timed call
        return {"warm": False, "kind": key[0], **answer, "compiled_anew": compiled_files() > before}

    def run(
        self,
        tol: float | None,
        time_limit: float | None,
        configuration: str,
        digest: str,
        task: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Time one cold start; the coefficients are its body. tol is None where it plays no part."""
        problem, job = self._loaded(), _task(task)
        if digest != self.digest:
            raise NotASolution("another problem is loaded than the one that was asked for")
        stop = Stop(time_limit=time_limit) if tol is None else Stop(tol=tol, time_limit=time_limit)
        try:
            timed = self._timed(problem, stop, configuration, job)
        finally:
            path = self.problems[self.digest][1]
            changed = self.seals[path].broken(problem)
            if changed:
                self.forget(path)
                self.problem = None
        if changed:
            raise NotASolution("input changed: the solver wrote into X or y")
        answers = timed.pop("answers")
        solutions = [checked(solution, problem) for solution in answers.solutions]
        if job.many:
            return timed | _points(solutions, answers.scores, job)
        solution = solutions[0]
        answer = {
            **timed,
            "status": solution.status.name,
            "message": str(solution.message),
            "n_iter": int(solution.n_iter),
            "claimed_gap": None if solution.claimed_gap is None else float(solution.claimed_gap),
        }
        if solution.status in ANSWERED:
            answer["body"] = packed(solutions)
        return answer

    def environment(self) -> dict[str, Any]:
        """Describe the numerical libraries that this process has loaded by now."""
        from threadpoolctl import (
            threadpool_info,  # late: a solver starts with nothing loaded but numpy and scipy
        )

        keys = ("user_api", "internal_api", "version", "architecture", "num_threads")
        pools = [pool for pool in threadpool_info() if pool["user_api"] in ("blas", "openmp")]
        return {"blas": [{key: pool.get(key) for key in keys} for pool in pools]}

    def floor(self) -> dict[str, Any]:
        """Time what no method can do without: two reads of X, the Gram matrix of the final support."""
        from bench.floors import floor

        problem = self._loaded()
        return floor(problem, self.entry.setup(problem, Stop())().coef)

    def _loaded(self) -> Problem:
        if self.problem is None:
            raise NotASolution("no problem is loaded")
        return self.problem

    def _on_threads(self) -> AbstractContextManager[dict[str, Any]]:
        """Keyword arguments by which a solver that divides its work itself is told of its threads."""
        threads = int(os.environ.get(THREADS) or 1)
        return self.entry.on_threads(threads) if threads > 1 else nullcontext({})

    def _timed(self, problem: Problem, stop: Stop, configuration: str, job: Task) -> dict[str, Any]:
        """One fresh setup, one run: each timed, with the garbage collector out of the way."""
        options = self.entry.configurations.get(configuration, {})
        gc.collect()
        before = resident_of_this_process() if reset_peak_of_this_process() else None
        with self._on_threads() as divided, compilation() as compiled:
            gc.disable()
            try:
                start = perf_counter()
                run = prepare(self.entry, problem, stop, job, **divided, **options)
                ready = perf_counter()
                answers = run()
                end = prolong(start, self.slowdown)
            finally:
                gc.enable()
            fresh = compiled()
        if os.getpid() != self.process:  # a child that the solver forked and let go on
            os._exit(1)
        peak = None if before is None else peak_of_this_process()
        return {
            "setup_seconds": ready - start,
            "run_seconds": end - ready,
            "compiled": fresh,
            "memory_before": before,
            "memory_peak": peak,
            "answers": answers,
        }


def _task(task: dict[str, Any] | None) -> Task:
    return SOLVE if task is None else Task(**task)


def _points(solutions: list[Solution], scores: Any, job: Task) -> dict[str, Any]:
    """Answer for a job of many points: one status and one claim for all, and those of each point."""
    expected = job.answers
    if len(solutions) != expected:
        raise NotASolution(f"returned {len(solutions)} solutions, expected {expected}")
    bad = next((solution for solution in solutions if solution.status not in ANSWERED), None)
    short = [solution for solution in solutions if solution.status is not Status.CONVERGED]
    claims = [solution.claimed_gap for solution in solutions]
    said = dict.fromkeys(str(solution.message) for solution in short if solution.message)
    answer = {
        "status": (bad or (short[0] if short else solutions[0])).status.name,
        "message": "; ".join(
            [f"{len(short)} of {expected} points did not converge", *said][: 2 * len(short)]
        ),
        "n_iter": sum(int(solution.n_iter) for solution in solutions),
        "claimed_gap": None if None in claims else max(map(float, claims)),  # type: ignore[arg-type]
    }
    if bad is None:
        answer["body"] = packed(solutions)
        answer["statuses"] = [solution.status.name for solution in solutions]
        answer["claimed_gaps"] = [None if claim is None else float(claim) for claim in claims]
        answer["scores"] = None if scores is None else scores.mean(axis=0).tolist()
    return answer


def answer(bench: Bench, request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks; an error becomes a status with words.

    SystemExit passes: a solver that leaves the process has crashed, whatever exit code it chose.
    """
    operations: dict[str, Callable[..., dict[str, Any]]] = {
        "hello": bench.hello,
        "load": bench.load,
        "release": bench.release,
        "warm_up": bench.warm_up,
        "run": bench.run,
        "environment": bench.environment,
        "floor": bench.floor,
    }
    try:
        return operations[request.pop("op")](**request)
    except SolverRefused as error:
        return {"status": Status.REFUSED.name, "message": str(error)}
    except SolverMissing as error:
        return {"status": Status.MISSING.name, "message": str(error)}
    except MemoryError as error:
        return {"status": Status.MEMORY.name, "message": last_line(error)}
    except NotASolution as error:
        return {"status": Status.FAILED.name, "message": str(error)}
    except Late as error:
        return {"status": Status.TIME_LIMIT.name, "message": str(error)}
    except Exception as error:  # the boundary to foreign code: whatever it raises is a row
        traceback.print_exc()
        said = {"status": Status.FAILED.name, "message": last_line(error)}
        return said | {"spoilt": True} if spoils(error) else said


def main(spec: str) -> None:
    """Answer requests until the parent closes the pipe."""
    die_with_parent()
    process = os.getpid()
    with os.fdopen(REQUESTS, "rb") as requests, os.fdopen(ANSWERS, "wb") as answers:
        bench: Bench | None = None
        for line in requests:
            request = json.loads(line)
            asked = request.pop("id")
            try:
                bench = bench or Bench(spec)
                reply = answer(bench, request)
            except Exception as error:  # the solver's file cannot even be read
                reply = {"status": Status.FAILED.name, "message": last_line(error)}
            if os.getpid() != process:  # as in Bench._timed, where the solver raised
                os._exit(1)
            if reply.get("message"):
                reply["message"] = reply["message"][:MESSAGE_KEPT]
            body = reply.pop("body", b"")
            said = json.dumps({**reply, "id": asked, "bytes": len(body)})
            answers.write(said.encode() + b"\n" + body)
            answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
