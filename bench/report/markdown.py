"""The report as Markdown, with its figures beside it: the same sections as the page, without a network."""

from __future__ import annotations

from bench.report import lead, words
from bench.report.model import Report
from bench.report.sections import Section
from bench.report.tables import Table

__all__ = ["escape", "text"]


def escape(text: str) -> str:
    """Return text as it is to be read: what users and libraries name or say must not become markup."""
    return " ".join(_harmless(text).split())


def _harmless(text: str) -> str:
    for letter, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, safe)
    return "".join(f"\\{letter}" if letter in "|*`_[]" else letter for letter in text)


def text(report: Report, sections: list[Section], figures: dict[str, list[tuple[str, str]]]) -> str:
    """Return the report.

    Parameters
    ----------
    report : Report
    sections : list of Section
    figures : dict
        By the key of a section ("verdict" too): (title, file) of each of its figures.
    """
    lines = [f"# {escape(report.head['suite'])}: which solver, at the same proven accuracy?", ""]
    lines += [f"- **{escape(line)}**" for line in words.wrong_first(report)]
    lines += [f"- {escape(line)}" for line in words.calm(report)]
    lines += [
        "",
        f"Fastest where predictions are wanted within {escape(words.wanted(words.WANTED))} of optimal:",
        "",
    ]
    lines += [f"- {escape(found.sentence)}" for found in lead.leads(report)]
    lines += ["", escape(words.HOW_TIMED), ""]
    lines += _figures(figures.get("verdict", []))
    for section in sections:
        lines += [f"## {escape(section.title)}", ""]
        for said in section.says:
            lines += [_says(said), ""]
        lines += _figures(figures.get(section.key, []))
        for table in section.tables:
            lines += _table(table, len(section.tables) > 1)
        lines += [*(f"- {escape(point)}" for point in section.points), *[""] * bool(section.points)]
    return "\n".join(lines)


def _says(said: str) -> str:
    """A sentence; what stands in it between backticks is code, and nothing but code a block of its own."""
    parts = said.split("`")
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return f"    {parts[1]}"
    return "".join(f"`{part}`" if k % 2 else _harmless(part) for k, part in enumerate(parts))


def _figures(figures: list[tuple[str, str]]) -> list[str]:
    return [line for title, file in figures for line in (f"![{escape(title)}]({file})", "")]


def _table(table: Table, titled: bool) -> list[str]:
    lines = [f"### {escape(table.title)}", ""] if titled else []
    lines += [escape(table.caption), ""]
    if not table.rows:
        return [*lines, "None.", ""]
    lines.append("| " + " | ".join(map(escape, table.columns)) + " |")
    lines.append("|" + " --- |" * len(table.columns))
    lines += ["| " + " | ".join(map(escape, row)) + " |" for row in table.rows]
    return [*lines, ""]
