"""The judge: what is proven about an answer, whoever computed it."""

from __future__ import annotations

from .certificate import Certificate
from .judge import Judge, certify

__all__ = ["Certificate", "Judge", "certify"]
