"""The judge: what is proven about an answer, whoever computed it."""

from __future__ import annotations

from .certificate import Certificate
from .judge import Judge, certify
from .path import certify_path

__all__ = ["Certificate", "Judge", "certify", "certify_path"]
