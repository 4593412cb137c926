"""Is it right? The cases, the judge and the verdicts. Imports solvers' types, never its arithmetic."""

from __future__ import annotations

from .proofs import Certificate, Judge, certify, certify_path
from .verdict import Judgement, Outcome, judge

__all__ = ["Certificate", "Judge", "Judgement", "Outcome", "certify", "certify_path", "judge"]
