"""The report as one HTML file: opens anywhere, without a network; plotly.js stands in it once."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from bench.report import lead, words
from bench.report.charts import Chart
from bench.report.embedded import embed
from bench.report.model import Report
from bench.report.sections import Section
from bench.report.tables import Table

__all__ = ["page"]

ASSETS = Path(__file__).parent / "assets"
OPEN = 80  # with more plots than this, the cases are folded
WORDY = 30  # characters from which a cell of a table may be broken into lines

KEY = (
    ("t3", "13", "proven to the tightest accuracy"),
    ("t2", "7", "the middle one"),
    ("t1", "4", "the loosest"),
    ("t0", "2", "less, or no time"),
    ("none", "–", "refused; ∅ not installed"),
    ("bad", "FAILED", "no answer, or late: out of time"),
    ("WRONG", "WRONG", "claims what is disproven"),
)


def page(report: Report, sections: list[Section]) -> str:
    """Return the page."""
    numbered = _Numbered()
    body = "\n".join(_section(section, numbered) for section in sections)
    head = report.head
    title = f"{head['suite']}: which solver, at the same proven accuracy?"
    run = f"{str(head.get('started'))[:10]}, {head.get('cpu')}, threads: {head.get('threads')}"
    plotly = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    return Template(_asset("page.html")).substitute(
        title=escape(title),
        run=escape(run),
        style=_asset("page.css"),
        verdict=_verdict(report),
        sections=body,
        contents="\n".join(f'<li><a href="#{s.key}">{escape(s.title)}</a></li>' for s in sections),
        data=embed(report, numbered.charts),
        plotly=plotly,
        script=f"{_asset('page.js')}\n{_asset('grid.js')}",
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


class _Numbered:
    """The charts in the order in which they stand in the page."""

    def __init__(self) -> None:
        self.charts: list[Chart] = []

    def __call__(self, chart: Chart) -> int:
        self.charts.append(chart)
        return len(self.charts) - 1


def _verdict(report: Report) -> str:
    """Who is WRONG; then who is fastest, for each wanted accuracy."""
    lines = [f'<p class="wrong">{escape(line)}</p>' for line in words.wrong_first(report)]
    lines += [f'<p class="fine">{escape(line)}</p>' for line in words.calm(report)]
    choices = "".join(
        f'<label><input type="radio" name="tier" value="{tier:g}"{" checked" * (tier == words.WANTED)}>'
        f"{words.percent(tier)} <small>({words.number(tier)})</small></label>"
        for tier in report.tiers
    )
    choices += " <span>of optimal</span>"
    lines.append(f'<fieldset class="tiers"><legend>Predictions within</legend>{choices}</fieldset>')
    for tier in report.tiers:
        items = "".join(_lead(found) for found in lead.leads(report, tier))
        shown = " shown" * (tier == words.WANTED)
        lines.append(f'<ul class="leads{shown}" data-tier="{tier:g}">{items}</ul>')
    lines.append(f'<p class="caption">{escape(words.HOW_TIMED)}</p>')
    return f'<section id="verdict">{"".join(lines)}</section>'


def _lead(found: lead.Lead) -> str:
    kind = "peer" if found.kind == "peer wins" else found.kind
    flag = '<span class="flag">a peer wins</span>' if kind == "peer" else ""
    who = f"{flag}<b>{escape(found.who)}</b> {escape(found.says)}"
    return f'<li class="{kind}"><span class="where">{escape(found.where)}</span>{who}</li>'


def _section(section: Section, numbered: _Numbered) -> str:
    parts = [f'<section id="{section.key}"><h2>{escape(section.title)}</h2>']
    parts += [_says(text) for text in section.says]
    if section.key == "solves":
        parts.append(_asset("grid.html").replace("<!-- key -->", _key()))
    if section.key == "again":
        parts.append(_asset("again.html"))
    folded = sum(map(len, section.charts.values())) > OPEN
    if all(len(charts) == 1 for charts in section.charts.values()):
        parts.append(_plots("", [charts[0] for charts in section.charts.values()], numbered, folded))
    else:
        parts += [_plots(title, charts, numbered, folded) for title, charts in section.charts.items()]
    if section.key != "solves":  # the grid says what its table would
        parts += [_table(table, len(section.tables) > 1) for table in section.tables]
    if section.points:
        parts.append(f"<ul>{''.join(f'<li>{escape(point)}</li>' for point in section.points)}</ul>")
    return "".join([*parts, "</section>"])


def _says(text: str) -> str:
    """A sentence; what stands in it between backticks is code, and nothing but code a block of its own."""
    parts = escape(text).split("`")
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return f"<pre><code>{parts[1]}</code></pre>"
    return f"<p>{''.join(f'<code>{part}</code>' if k % 2 else part for k, part in enumerate(parts))}</p>"


def _key() -> str:
    return "".join(f'<span><i class="{kind}">{sign}</i>{words}</span>' for kind, sign, words in KEY)


def _plots(title: str, charts: list[Chart], numbered: _Numbered, folded: bool) -> str:
    figures = "".join(_figure(chart, numbered) for chart in charts)
    plots = f'<div class="plots">{figures}</div>'
    if not title:
        return plots
    opened = "" if folded else " open"
    return f'<details class="case"{opened}><summary>{escape(title)}</summary>{plots}</details>'


def _figure(chart: Chart, numbered: _Numbered) -> str:
    label = escape(f"{chart.title}: {chart.y.label} against {chart.x.label}")
    plot = f'<div class="plot" data-chart="{numbered(chart)}" role="img" aria-label="{label}"></div>'
    return f"<figure><figcaption>{escape(chart.title)}</figcaption>{plot}</figure>"


def _table(table: Table, titled: bool) -> str:
    heading = f"<h3>{escape(table.title)}</h3>" if titled else ""
    caption = f'<p class="caption">{escape(table.caption)}</p>'
    if not table.rows:
        return f"{heading}{caption}<p>None.</p>"
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(f"<tr>{''.join(_cells(table, k))}</tr>" for k in range(len(table.rows)))
    narrow = " narrow" * (len(table.columns) <= 3)
    opened = f'<div class="box{narrow}" tabindex="0" role="region" aria-label="{escape(table.title)}">'
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"{heading}{caption}{opened}{body}</div>"


def _cells(table: Table, row: int) -> Iterator[str]:
    first, *others = table.rows[row]
    yield f'<th scope="row">{escape(first).replace("_", "_<wbr>")}</th>'
    for k, text in enumerate(others, 1):
        kind = "long" if len(text) > WORDY else "num"
        shade = table.shades.get((row, k))
        yield f'<td class="{kind}{f" {shade}" if shade else ""}">{escape(text)}</td>'
