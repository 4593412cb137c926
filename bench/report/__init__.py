"""A report is printed from a record: the verdict first, in words, then what it rests on.

The forms it takes (terminal.py, markdown.py) are imported where they are wanted: one of them draws.
"""

from __future__ import annotations

from bench.report.build import build, read_report
from bench.report.model import Report

__all__ = ["Report", "build", "read_report"]
