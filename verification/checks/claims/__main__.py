"""`python -m verification.checks.claims`: print docs/claims.md and docs/claims.zh-TW.md from data.

Exit code 1 if the data refute a verdict of the page.
"""

from __future__ import annotations

from . import Verdict, claims
from .page import print_pages, verdict

findings = print_pages()
for name, finding in findings.items():
    print(f"{claims()[name].says.en}: {verdict(finding, 'en').replace('**', '')}")
refuted = [name for name, finding in findings.items() if finding.stands is Verdict.REFUTED]
print(
    f"exit 1: refuted: {', '.join(refuted)}"
    if refuted
    else f"exit 0: all well: {len(findings)} claims tested"
)
raise SystemExit(1 if refuted else 0)
