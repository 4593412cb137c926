"""A report is printed from a record: the verdict first, in words, then what it rests on."""

from __future__ import annotations

from bench.report.build import build, read_report
from bench.report.markdown import write
from bench.report.model import Report
from bench.report.terminal import show

__all__ = ["Report", "build", "read_report", "show", "write"]
