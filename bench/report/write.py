"""The report in a folder of its own: report.html, report.md, figures/*.svg, numbers/*.csv."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.report import html, markdown, plots
from bench.report.model import Report
from bench.report.numbers import write_numbers
from bench.report.sections import Section, sections

__all__ = ["LARGEST", "PUBLISHED", "Written", "publish", "write"]

LARGEST = 8_000_000  # bytes of the page
PUBLISHED = 6_000_000  # of a page that is committed


@dataclass(frozen=True)
class Written:
    """What was written."""

    html: Path
    markdown: Path


def write(report: Report, folder: Path) -> Written:
    """Write a report.

    Parameters
    ----------
    report : Report
    folder : path
        Made anew: what an earlier report of the same run left there is removed.
    """
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "figures").mkdir(parents=True)
    told = sections(report)
    figures = _figures(report, told, folder)
    written = Written(folder / "report.html", folder / "report.md")
    written.html.write_text(html.page(report, told), encoding="utf-8")
    written.markdown.write_text(markdown.text(report, told, figures), encoding="utf-8")
    write_numbers(report, told, folder / "numbers")
    return written


def _figures(report: Report, told: list[Section], folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Draw; return the title and file of each figure by the key of its section."""
    found: dict[str, list[tuple[str, str]]] = {}
    overview = plots.distances(report)
    if overview is not None:
        plots.save(overview, folder / "figures" / "distances.svg")
        found["verdict"] = [("Time over that of the fastest, by solver and cell", "figures/distances.svg")]
    for section in told:
        for group, charts in section.charts.items():
            if charts:
                file = f"figures/{plots.slug('-'.join(filter(None, (section.key, group))))}.svg"
                title = group or section.title
                plots.save(plots.panels(report, title, charts), folder / file)
                found.setdefault(section.key, []).append((f"{section.title}: {title}", file))
    return found


def publish(written: Written, folder: Path) -> str:
    """Copy a report into a folder that is to be committed; return words on what of it was left out.

    The page goes with it only if it is small enough; the numbers, which the record gives at any time, do not.
    """
    size = written.html.stat().st_size
    left_out = ["numbers"] if size <= PUBLISHED else ["numbers", written.html.name]
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(written.html.parent, folder, ignore=shutil.ignore_patterns(*left_out))
    more = "" if size <= PUBLISHED else f": it has {size / 1e6:.1f} MB, and {PUBLISHED / 1e6:g} are the limit"
    return f"published: {folder}, without {' and '.join(left_out)}{more}"
