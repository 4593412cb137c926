"""What the seconds of a run went into."""

from __future__ import annotations

from bench.report.model import Report
from bench.report.tables import Table

__all__ = ["budget_table"]

WORDS = {
    "certifying": "certification",
    "bookkeeping": "bookkeeping",
    "starting": "starting workers",
    "loading": "loading problems",
}


def budget_table(report: Report) -> Table:
    """Shares of the elapsed time; no rows if the run was cut short."""
    rows: list[list[str]] = []
    if report.end is not None:
        elapsed = float(report.end["elapsed"])
        spent = {"timed": 0.0, "first": 0.0}
        for result in report.judgement.results:
            if result.row.get("reused"):
                continue  # it took the time of another run
            kind = "first" if result.row["phase"] == "first_call" else "timed"
            spent[kind] += result.row["seconds"] or 0.0
        parts = {
            "timed runs": spent["timed"],
            "first calls: late imports and compilation": spent["first"],
            **{words: float(report.end[key]) for key, words in WORDS.items() if key in report.end},
        }
        parts["the rest: starting workers, loading problems, runs that were killed, bookkeeping"] = max(
            0.0, elapsed - sum(parts.values())
        )
        rows = [[what, f"{part:.1f} s", f"{100 * part / elapsed:.1f} %"] for what, part in parts.items()]
    return Table(
        "Where the time went",
        "Of the seconds between the start of the run and its end.",
        ["what", "time", "share"],
        rows,
    )
