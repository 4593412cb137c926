"""Provenance: what a time or a digit depends on besides the code under test."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_info

__all__ = [
    "PINNED", "PORTABLE", "REMOVED", "blas", "cores_allowed", "cpu_model", "file_digest",
    "pinned_environment", "portable_environment", "provenance", "versions",
]  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent

# Read by the numerical libraries when they are loaded, so they must stand in the environment of a process
# before it starts.
PINNED = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# They choose another BLAS kernel than the machine's own, and thereby other times and other last digits.
REMOVED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# They choose the same one on every x86-64 machine with AVX2, whoever made its processor. Of MKL it is the
# branch that its makers promise to give the same bits on all compatible processors.
PORTABLE = {"OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "COMPATIBLE"}

_CORE = ("numpy", "scipy", "numba", "llvmlite", "cvxpy", "clarabel", "threadpoolctl")


def pinned_environment(threads: int = 1, **extra: str) -> dict[str, str]:
    """Return the environment for a process that measures: a fixed number of threads, the BLAS left alone.

    Parameters
    ----------
    threads : int
        Threads that each numerical library may use, >= 1.
    **extra : str
        More variables.
    """
    environment = {key: value for key, value in os.environ.items() if key not in REMOVED}
    environment.update(dict.fromkeys(PINNED, str(threads)))
    environment["PYTHONHASHSEED"] = "0"
    environment.update(extra)
    return environment


def portable_environment() -> dict[str, str]:
    """Return the variables under which the last digits are the same on every x86-64 machine with AVX2.

    One kernel of OpenBLAS and of MKL, and numpy's loops without what it chooses by the processor. Times mean
    nothing under them.
    """
    chosen = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return PORTABLE | {"NPY_DISABLE_CPU_FEATURES": " ".join(chosen)}


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Return the installed version of each distribution, None where it is not installed."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def file_digest(path: str | os.PathLike[str]) -> str:
    """Return the sha256 (hex) of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # no git, or a source archive: the record then says commit null
    return done.stdout.strip() if done.returncode == 0 else None


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.lower().startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def cores_allowed() -> int:
    """Return how many cores this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def blas() -> list[dict[str, Any]]:
    """Return the BLAS and OpenMP libraries that this process has loaded, with their threads.

    Others may register too: scipy.io does once it has read a file, with a function for its version.
    """
    keys = ("user_api", "internal_api", "version", "architecture", "num_threads")
    pools = [pool for pool in threadpool_info() if pool["user_api"] in ("blas", "openmp")]
    return [{key: pool.get(key) for key in keys} for pool in pools]


def provenance(packages: Iterable[str] = ()) -> dict[str, Any]:
    """Describe this machine, this Python, its libraries and this checkout.

    Parameters
    ----------
    packages : iterable of str
        Distributions whose versions are wanted beside the core ones (numpy, scipy, numba, cvxpy ...).

    Returns
    -------
    dict
        JSON-able: python, implementation, os, cpu, cores (physical, logical, allowed), memory_gb, load
        (one-minute average before the run), packages, blas (library, version, architecture and threads as
        loaded here), commit and dirty (None outside a git checkout), argv.
    """
    wanted = list(dict.fromkeys([*_CORE, *packages]))
    status = _git("status", "--porcelain")
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_model(),
        "cores_physical": psutil.cpu_count(logical=False),
        "cores_logical": psutil.cpu_count(),
        "cores_allowed": cores_allowed(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load": round(os.getloadavg()[0], 2),
        "packages": versions(wanted),
        "blas": blas(),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None if status is None else bool(status),
        "argv": sys.argv[1:],
    }
