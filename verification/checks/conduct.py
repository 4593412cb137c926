"""How a solver conducts itself, whatever it answers: it survives, keeps time, is quiet, leaves no trace.

What a check cannot see from within (a process that hangs or dies) is seen by whoever runs it in a process of
its own with a hard limit: then the check has not held either.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import psutil

from solvers import Problem, Status, Stop

from ..environment import PINNED
from ..problems import cases
from ..problems.generated import rng_for
from ..proofs.exact import optimum
from ..verdict import CLAIM_MARGIN
from .answers import wrong
from .check import Failure, Subject, check
from .held import ANSWERED, SILENT, TIER, trial

SOFT = 0.5  # seconds that a solver is asked to keep
# It looks at the clock between iterations, and on data this small no iteration of any method takes a second.
HARD = 10 * SOFT
PIPE = 65_536  # bytes that a pipe holds: one who writes more blocks for ever where nobody reads
TIMES = 10  # runs: a slice of the scheduler, or a page from the disk, is waited for in some, not in each
NAP = 0.001  # seconds: less is the rounding of clocks and of the scheduler's figures
ARENAS = 256 * 2**20  # bytes that libraries reserve for themselves: threads' buffers, pools
COPIES = 32  # of X: the data in another layout, scaled, split into signs, in a model, in its factor


def tame(n: int = 32, p: int = 8) -> Problem:
    """An unremarkable lasso at l1_max / 3."""
    rng = rng_for(f"conduct {n} {p}")
    X = np.asfortranarray(rng.standard_normal((p, n)).T)
    y = X[:, :3].sum(axis=1) + rng.standard_normal(n)
    problem = Problem(X, y, name=f"tame {n}x{p}")
    return problem.replace(l1=problem.l1_max() / 3)


@cache
def awkward() -> list[Problem]:
    """The degenerate cases, each as a lasso with an intercept and as an elastic net without."""
    made = []
    for case in cases("degenerate").values():
        data = case.load()
        for ratio, intercept in ((0.0, True), (0.1, False)):
            bare = Problem(data.X, data.y, intercept=intercept, name=case.name)
            l1, l2 = bare.l1_max() / 3 or 0.1, ratio * bare.l2_ref()
            made.append(bare.replace(l1=l1, l2=l2))
    return made


@check("awkward but legal data are answered rightly, or refused aloud", on=awkward)
def awkward_data(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """No exception, no wrong shape, no point that is none of (P), no answer that is WRONG."""
    yield from wrong(subject, problem, arrives=False)  # units of 1e150 are a feat for some methods


@check("it returns: at l1_max, and near its time limit where tol is out of reach")
def returns_in_time(subject: Subject) -> Iterator[Failure]:
    """A hang is killed by whoever runs the check; a run that is merely late is told by the clock."""
    subject.solve(tame())  # compiles what is to be compiled
    edge = tame()
    edge = edge.replace(l1=edge.l1_max())
    collinear = tame(48, 24)
    X = collinear.X[:, :1] + 2.0**-12 * collinear.X
    hopeless = Problem(np.asfortranarray(X), collinear.y, name="nearly collinear")
    hopeless = hopeless.replace(l1=hopeless.l1_max() * 1e-6)
    told = (
        subject.entry.own and ":" not in subject.entry.name
    )  # peers and users' functions take no time limit
    for problem, tol in ((edge, subject.stop.tol), (hopeless, 1e-300))[: 1 + told]:
        hurried = replace(subject, stop=Stop(tol=tol, time_limit=SOFT))
        start = time.perf_counter()
        hurried.solve(problem)
        taken = time.perf_counter() - start
        if taken > HARD:
            yield Failure(problem, f"took {taken:.1f} s, asked for {SOFT} s")


@check("a run that was cut short does not say that it converged")
def says_when_it_stopped_early(subject: Subject) -> Iterator[Failure]:
    """After one iteration either the status says so, or the answer is what a whole run claims."""
    problem = tame(32, 16)
    whole = subject.solve(problem).solution
    claim = (whole.claimed_gap if whole is not None else None) or 0.0
    asked = max(subject.stop.tol, claim) if subject.entry.claims_gap else TIER
    for max_iter in (1, 2):
        found = trial(replace(subject, stop=replace(subject.stop, max_iter=max_iter)), problem)
        if isinstance(found, Failure):
            yield found
        elif found is not None and found.status is Status.CONVERGED:
            off = found.certificate.primal - optimum(problem, np.zeros(problem.p), cached=False).value_low
            if off > CLAIM_MARGIN * (asked * found.certificate.scale + found.radius):
                share = off / found.certificate.scale
                yield Failure(problem, f"says CONVERGED after {max_iter} iterations, {share:.1e} N off")


@check("it computes and does not wait")
def does_not_sleep(subject: Subject) -> Iterator[Failure]:
    """Wall time that is neither CPU time nor waiting for a core is less than the CPU time."""
    problem = tame()
    subject.solve(problem)
    runs = []
    for _ in range(TIMES):
        wall, cpu, queue = time.perf_counter(), _cpu(), _queue()
        subject.solve(problem)
        wall, cpu, queue = time.perf_counter() - wall, _cpu() - cpu, _queue() - queue
        runs.append((wall - cpu - queue, cpu))
    idle, cpu = min(runs)
    if idle > max(cpu, NAP):
        yield Failure(
            problem, f"idle for {1000 * idle:.0f} ms of a run with {1000 * cpu:.1f} ms of computing"
        )


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _queue() -> float:
    """Seconds that this thread was ready to run and waited for a core; 0 where the kernel does not say."""
    path = Path("/proc/thread-self/schedstat")
    return int(path.read_text().split()[1]) / 1e9 if path.exists() else 0.0


@check("a run prints less than a pipe holds")
def output_is_bounded(subject: Subject) -> Iterator[Failure]:
    """What a solver has to say stands in its message."""
    problem = tame(64, 12)
    with tempfile.TemporaryFile() as heard:
        with _redirected(heard.fileno()):
            subject.solve(problem)
        size = os.fstat(heard.fileno()).st_size
    if size >= PIPE:
        yield Failure(problem, f"prints {size} bytes, a pipe holds {PIPE}")


@contextmanager
def _redirected(descriptor: int) -> Iterator[None]:
    """Send what is written to stdout and stderr, by Python or by compiled code, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    try:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)


@check("memory grows with (n + p)^2 and with X, not faster")
def memory_is_bounded(subject: Subject) -> Iterator[Failure]:
    """A Gram matrix of either side and some copies of X are anybody's right; n p^2 is nobody's."""
    subject.solve(tame())
    problem = tame(1000, 300)
    n, p = problem.n, problem.p
    allowed = 8 * ((n + p) ** 2 + COPIES * n * p) + ARENAS
    used = psutil.Process().memory_info().vms
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + allowed, hard))
    try:
        found = subject.solve(problem)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    if found.status not in (*ANSWERED, *SILENT):
        yield Failure(problem, f"{found.status.name} with {allowed / 2**20:.0f} MiB: {found.message}")


@check("the process is as it was: random numbers, floating-point warnings, subnormals, environment, folder")
def process_as_it_was(subject: Subject) -> Iterator[Failure]:
    """Nothing that another library relies on is changed in passing."""
    yield from traces(subject, tame())


def traces(subject: Subject, problem: Problem) -> Iterator[Failure]:
    """Say what one run leaves changed in the process."""
    folder, threads = os.getcwd(), {name: os.environ.get(name) for name in PINNED}
    np.random.seed(12_345)
    random.seed(12_345)
    os.environ.update(dict.fromkeys(PINNED, "1"))  # an earlier run may have left its own there
    kept, drawn, surroundings = _random_state(), random.getstate(), dict(os.environ)
    with np.errstate(divide="warn", over="raise", under="ignore", invalid="warn"), warnings.catch_warnings():
        warnings.simplefilter("always")
        told, filters = np.geterr(), list(warnings.filters)
        with suppress(Exception):  # what it answers is for other checks; `solve` would put the filters back
            subject.entry.setup(problem, subject.stop, **subject.configuration)()
        if np.geterr() != told:
            yield Failure(problem, f"numpy's floating-point warnings are left at {np.geterr()}")
        if list(warnings.filters) != filters:
            yield Failure(problem, "the filters of warnings are left changed")
    if _random_state() != kept:
        yield Failure(problem, "numpy's process-wide random numbers were seeded or drawn")
    if random.getstate() != drawn:
        yield Failure(problem, "Python's process-wide random numbers were seeded or drawn")
    if dict(os.environ) != surroundings:
        yield Failure(problem, "the environment variables of the process were changed")
    os.environ.update({name: value for name, value in threads.items() if value is not None})
    if not gc.isenabled():
        gc.enable()
        yield Failure(problem, "the garbage collector is left switched off")
    if np.float64(2.0**-1060) * np.float64(0.5) == 0:
        yield Failure(problem, "subnormal numbers are flushed to zero")
    if os.getcwd() != folder:
        yield Failure(problem, f"the working folder is left at {os.getcwd()}")


def _random_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tobytes(), int(state["pos"])
