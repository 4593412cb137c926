"""What the seconds of a run went into."""

from __future__ import annotations

from bench.report.model import Report
from bench.report.tables import Table

__all__ = ["budget_table"]

WORDS = {
    "timed": "timed runs",
    "lost": "runs without a time: killed, crashed, failed",
    "floors": "the floor under each cell",
    "starting": "starting workers",
    "warming": "first calls: late imports and compilation, on decoys",
    "loading": "making and loading problems",
    "certifying": "certification",
    "bookkeeping": "bookkeeping",
    "since": "before the run was continued",
}


def budget_table(report: Report) -> Table:
    """Shares of the elapsed time; no rows if the run was cut short, or its record is older than they are."""
    rows: list[list[str]] = []
    if report.end is not None and "timed" in report.end:
        elapsed = float(report.end["elapsed"])
        parts = {words: float(report.end[key]) for key, words in WORDS.items()}
        rows = [
            [what, f"{part:.1f} s", f"{100 * part / elapsed:.1f} %"]
            for what, part in parts.items()
            if part > 0.05
        ]
    beside = 0.0 if report.end is None else float(report.end.get("beside", 0.0))
    more = f" Further {beside:.1f} s of certification and bookkeeping took place while a worker was loading."
    return Table(
        "Where the time went",
        "Of the seconds between the start of the run and its end; the parts add up to them."
        + (more if beside else ""),
        ["what", "time", "share"],
        rows,
    )
