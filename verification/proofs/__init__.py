"""The judge: what is proven about an answer, whoever computed it."""

from __future__ import annotations

from .certificate import Certificate
from .features import Features, certified_features
from .held_out import held_out_reach
from .judge import Judge, certify
from .path import certify_path

__all__ = [
    "Certificate",
    "Features",
    "Judge",
    "certified_features",
    "certify",
    "certify_path",
    "held_out_reach",
]
