"""What a solver may do to its process, and what must come of it: a status, and nothing for anybody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from bench.accept import MESSAGE_KEPT, NotASolution, checked
from bench.client import Client, Limits, Store
from bench.jobs import packed, unpacked, unpacked_one
from solvers import Problem
from solvers.solution import Solution, Status
from verification import certify

# One solver that misbehaves by the value of l1, which no decoy has; otherwise it is honest.
PLANTED = '''
import os, signal, subprocess, sys, threading, time
import numpy as np

def honest(X, y, l1):
    G, c, w = X.T @ X / len(y), X.T @ y / len(y), np.zeros(X.shape[1])
    for _ in range(2000):
        for j in range(w.size):
            t = c[j] - G[j] @ w + G[j, j] * w[j]
            w[j] = np.sign(t) * max(abs(t) - l1, 0.0) / G[j, j]
    return w

class Mute(Exception):
    def __str__(self): raise ValueError("not even words")

def protocol():
    """Descriptors that are pipes: the protocol's among them."""
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"): yield fd
        except OSError: pass

def scribble(junk):
    for fd in protocol():
        try: os.write(fd, junk)
        except OSError: pass

def junk(w): scribble(b"\\x00\\xff junk\\n"); return w
def brackets(w): scribble(b"[" * 60000 + b"\\n"); return w
def number(w): scribble(b"42\\n"); return w
def forged(w): scribble(b'{"id": 0, "status": "SPLENDID"}\\n'); return w
def promises(w): scribble(b'{"id": 0, "bytes": -1}\\n'); return w
def swallows(w): scribble(b'{"id": 0, "bytes": 100}\\n'); return w
def child(w):
    if os.fork() == 0:
        while True: time.sleep(0.01)
    return w
def daemon(w):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    os._exit(0)
def heir(w):
    if os.fork() == 0: time.sleep(60)  # it holds the protocol open
    os._exit(0)
def hermit(w):
    """An orphan that has left the session and has no environment, in which to look for anything."""
    if os.fork() == 0:
        sleeps = [sys.executable, "-c", "import time; time.sleep(60)", f"left by {os.getppid()}"]
        subprocess.Popen(sleeps, start_new_session=True, env={})
        os._exit(0)
    os.wait()
    return w
def hermits(w): hermit(w); os._exit(0)
def twice(w): os.fork(); return w
def verbose(w): raise ValueError("x" * 3_000_000)
def mute(w): raise Mute
def moves(w):
    os.chdir("/"); os.umask(0o777); os.environ.clear()
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD): signal.signal(s, signal.SIG_IGN)
    sys.stdout = sys.stderr = sys.stdin = None
    return w
def closes_output(w): os.close(0); os.close(1); os.close(2); return w
def closes_all(w): os.closerange(0, 256); return w
def uses_up(w):
    try:
        while True: os.open(os.devnull, os.O_RDONLY)
    except OSError: return w
class Sub(np.ndarray): pass
def subclass(w): return w.view(Sub)
def complexly(w): return w.astype(complex)
def objects(w): return w.astype(object)
def leaves(w): sys.exit(0)
def leaves_at_once(w): os._exit(0)
def deep(w): return deep(w)
def threads(w):
    def spin():
        while True: pass
    threading.Thread(target=spin, daemon=True).start()
    return w
def allocates(w):
    held = []
    while True:
        held.append(np.ones(1_000_000)); time.sleep(0.005)

def solve(X, y, l1, l2, tol):
    w = honest(X, y, l1)
    return NAMES[l1](w) if l1 in NAMES else w

NAMES = {(k + 1) / 4096: f for k, f in enumerate([
    junk, brackets, number, forged, child, daemon, heir, twice, verbose, mute, moves, closes_output,
    closes_all, uses_up, subclass, complexly, objects, leaves, leaves_at_once, deep, threads, allocates,
    hermit, hermits, promises, swallows])}
'''

rng = np.random.default_rng(0)
X = np.round(rng.standard_normal((20, 4)) * 1024) / 1024
PROBLEM = Problem(X, X @ np.array([1.0, 0.0, -2.0, 0.0]), l1=0.5)
MEMORY = 400_000_000


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("misbehaviour")
    (folder / "misbehaving.py").write_text(PLANTED, encoding="utf-8")
    sys.path.insert(0, str(folder))
    client = Client("misbehaving:solve", folder, Limits(), memory=MEMORY)
    client.hello()
    assert client.dead is None
    yield client
    client.close()
    sys.path.remove(str(folder))


def run(client: Client, problem: Problem, limit: float = 5.0) -> dict[str, Any]:
    """Have a problem solved as a run has it."""
    handle = Store(Path(client.worker._log.name).parent).handle(problem)
    (configuration,) = client.configurations
    return (
        client.prepare(handle)
        or (client.warm_up(handle, configuration) and None)
        or client.prepare(handle)
        or client.run(handle, configuration, 1e-6, limit)
    )


def honest(client: Client) -> None:
    """Require that the solver is judged by its answer, in whatever process it has by now."""
    answer = run(client, PROBLEM)
    assert answer["status"] == "CONVERGED", answer
    gap = certify(PROBLEM, answer["coef"], answer["intercept"]).gap_rel
    assert gap is not None
    assert gap < 1e-12


def behaved(client: Client, name: str, limit: float = 5.0) -> dict[str, Any]:
    l1 = (list(_names()).index(name) + 1) / 4096
    return run(client, PROBLEM.replace(l1=l1), limit)


def _names() -> list[str]:
    listed = PLANTED.partition("enumerate([")[2].partition("])")[0]
    return [name.strip() for name in listed.split(",")]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("junk", "CRASHED", "something else into the protocol"),
        ("brackets", "CRASHED", "something else into the protocol"),
        ("number", "CRASHED", "something else into the protocol"),
        ("promises", "CRASHED", "something else into the protocol"),
        ("swallows", "CRASHED", "something else into the protocol"),
        ("daemon", "CRASHED", "exit code 0"),
        ("heir", "CRASHED", "exit code 0"),
        ("verbose", "FAILED", "ValueError: xxx"),
        ("mute", "FAILED", "Mute"),
        ("closes_all", "CRASHED", ""),
        ("uses_up", "FAILED", "Too many open files"),
        ("complexly", "FAILED", "complex"),
        ("leaves", "CRASHED", "exit code 0"),
        ("leaves_at_once", "CRASHED", "exit code 0"),
        ("deep", "FAILED", "RecursionError"),
        ("allocates", "MEMORY", "GB resident"),
    ],
)
def test_it_ends_as_its_status_and_the_next_run_is_as_ever(
    client: Client, name: str, status: str, words: str
) -> None:
    answer = behaved(client, name)
    assert answer["status"] == status, answer
    assert words in answer["message"]
    assert len(answer["message"]) <= MESSAGE_KEPT
    assert "coef" not in answer
    honest(client)


@pytest.mark.parametrize(
    "name", ["forged", "child", "twice", "moves", "closes_output", "subclass", "objects", "threads"]
)
def test_it_is_judged_by_its_answer_and_the_next_run_is_as_ever(client: Client, name: str) -> None:
    assert behaved(client, name)["status"] == "CONVERGED"
    honest(client)


@pytest.mark.parametrize("name", ["child", "daemon", "heir", "twice"])
def test_nothing_that_it_started_outlives_it(client: Client, name: str) -> None:
    honest(client)
    mark = client.worker._mark
    behaved(client, name)
    client.worker.kill()
    left = [process for process in psutil.process_iter() if _marked(process, mark)]
    assert not left


@pytest.mark.parametrize("name", ["hermit", "hermits"])
def test_nor_what_has_left_its_session_and_its_environment_and_nobody_else_is_ended(
    client: Client, name: str
) -> None:
    client.worker.kill()
    with asleep(start_new_session=True) as before:
        honest(client)
        pid = client.worker.pid
        with asleep() as meanwhile:  # in this session
            dies = behaved(client, name)["status"] == "CRASHED"
            assert dies == (name == "hermits")
            assert bool(_left_by(pid)) != dies, "it is ended with the process and not before"
            client.worker.kill()
            assert not _left_by(pid)
            assert (before.poll(), meanwhile.poll()) == (None, None)


@contextmanager
def asleep(**how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **how) as process:
        try:
            yield process
        finally:
            process.kill()


def _left_by(pid: int | None) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if f"left by {pid}" in (process.info["cmdline"] or ())]


def _marked(process: psutil.Process, mark: str) -> bool:
    try:
        return mark in process.environ().values()
    except psutil.Error:  # another user's, or gone
        return False


def test_threads_that_it_leaves_running_stand_still_while_others_are_timed(client: Client) -> None:
    behaved(client, "threads")
    process = psutil.Process(client.worker.pid)
    deadline = time.monotonic() + 5.0
    while process.status() != psutil.STATUS_STOPPED:  # the signal takes its time
        assert time.monotonic() < deadline
        time.sleep(0.01)
    before = process.cpu_times()
    time.sleep(0.2)
    now = process.cpu_times()
    assert now.user + now.system - before.user - before.system < 0.05  # clock ticks; a running thread: 0.2
    client.worker.kill()


def test_a_process_is_warmed_up_once_for_each_kind_of_problem(client: Client) -> None:
    client.worker.kill()
    honest(client)
    calls, waited = client.calls, client.waited["warm_up"]
    honest(client)
    assert (client.calls, client.waited["warm_up"]) == (calls, waited), "it was asked again"
    client.worker.kill()
    honest(client)
    assert client.calls == 1
    assert client.waited["warm_up"] > waited, "a new process has compiled nothing"


def test_a_problem_taken_ahead_of_time_is_the_one_that_is_solved_and_no_other(client: Client) -> None:
    store = Store(Path(client.worker._log.name).parent)
    other = PROBLEM.replace(l1=0.25)
    for first, then in ((PROBLEM, other), (other, PROBLEM), (other, other)):
        honest(client)  # PROBLEM is loaded
        client.ahead(store.handle(first))
        time.sleep(0.05)
        assert client.settle() >= 0.0
        assert client.settle() == 0.0, "there is nothing more to wait for"
        answer = run(client, then)
        gap = certify(then, answer["coef"], answer["intercept"]).gap_rel
        assert gap is not None
        assert gap < 1e-12
    client.ahead(store.handle(other))
    client.worker.kill()  # whatever it was sent ahead for
    honest(client)
    client.ahead(store.handle(other))
    honest(client)
    honest(client)


@pytest.mark.parametrize("how", ["released", "started anew"])
def test_a_problem_taken_ahead_of_time_and_lost_since_is_taken_again(client: Client, how: str) -> None:
    honest(client)
    other = PROBLEM.replace(l1=0.25)
    client.ahead(Store(Path(client.worker._log.name).parent).handle(other))
    client.settle()
    if how == "released":
        client.release()
    else:
        client.worker.kill()
        client.worker.start()
        client.wake()
    assert run(client, other)["status"] == "CONVERGED"


def test_a_worker_solves_no_other_problem_than_it_is_asked_for(client: Client) -> None:
    honest(client)
    handle = Store(Path(client.worker._log.name).parent).handle(PROBLEM.replace(l1=0.25))
    answer = client.run(handle, *client.configurations, 1e-6, 1.0)
    assert answer["status"] == "FAILED"
    assert "another problem" in answer["message"]
    honest(client)


def test_answers_come_back_as_they_were_packed_and_what_is_none_is_refused() -> None:
    coefs = np.array([[0.0, 1.5, 0.0, -2.0], np.zeros(4), [1e-300, 0.0, 0.0, 0.0]])
    bs = np.array([0.5, -1.0, 0.0])
    answers = [Solution(coef, b, Status.CONVERGED) for coef, b in zip(coefs, bs, strict=True)]
    body = packed(answers)
    found, intercepts = unpacked(body, 3, 4)
    assert np.array_equal(found.toarray(), coefs)
    assert np.array_equal(intercepts, bs)
    for coef, b, one in zip(coefs, bs, answers, strict=True):
        alone, its = unpacked_one(packed([one]), 4)
        assert np.array_equal(alone, coef)
        assert its == b
    with pytest.raises(ValueError, match="coefficients 0 to 3 of 3"):
        unpacked(body, 3, 3)
    for cut in (body[:-8], body + bytes(8), bytes(8), b""):
        with pytest.raises(ValueError, match="words are not 3 answers"):
            unpacked(cut, 3, 4)
    with pytest.raises(ValueError, match="multiple"):
        unpacked(body[:-1], 3, 4)
    less = np.frombuffer(body, dtype=np.int64).copy()
    less[3:6] = 3, -1, 1  # counts
    with pytest.raises(ValueError, match="words are not 3 answers"):
        unpacked(less.tobytes(), 3, 4)


def test_a_worker_that_says_what_none_of_ours_would_is_not_believed(client: Client) -> None:
    honest(client)
    real = client.worker.receive
    for made in ({"status": "SPLENDID"}, {"warm": True}, {}):
        client.worker.receive = lambda limit, made=made: made | {"id": client.worker._asked}  # type: ignore[method-assign]
        try:
            answer = client._ask("run", 1.0)
        finally:
            client.worker.receive = real  # type: ignore[method-assign]
        assert answer["status"] == "CRASHED"
    honest(client)


def test_a_solution_of_another_module_is_none_and_the_words_say_whose() -> None:
    class Foreign:
        coef, intercept, status = np.zeros(4), 0.0, Status.CONVERGED

    Foreign.__qualname__, Foreign.__module__ = "Solution", "elsewhere"
    with pytest.raises(NotASolution, match=r"returned a elsewhere\.Solution, not a solvers\.Solution"):
        checked(Foreign(), PROBLEM)
    assert checked(Solution(np.zeros(4), 0.0, Status.CONVERGED), PROBLEM)


def test_this_process_is_as_it_was() -> None:
    assert Path.cwd() == Path(__file__).parent.parent
    assert os.environ["PATH"]
