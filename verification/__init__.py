"""Is it right? The cases, the judge and the verdicts. Imports solvers' types, never its arithmetic."""

from __future__ import annotations

from .proofs import Certificate, Features, Judge, certified_features, certify, certify_path, held_out_reach
from .verdict import Judgement, Outcome, judge

__all__ = [
    "Certificate",
    "Features",
    "Judge",
    "Judgement",
    "Outcome",
    "certified_features",
    "certify",
    "certify_path",
    "held_out_reach",
    "judge",
]
