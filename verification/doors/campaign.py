"""The command `campaign`: long trials of the proofs."""

from __future__ import annotations

from typing import Annotated

import typer

from ..door import CannotRun, app, end


@app.command()
def campaign(
    name: Annotated[str | None, typer.Argument(help="Which one [default: list them].")] = None,
    parts: Annotated[str, typer.Option(help="Some of its parts, e.g. 0-3 or 7 [default: all].")] = "",
    print_only: Annotated[bool, typer.Option("--print", help="Run nothing, print the record.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print what is on record for docs/verification.md.")
    ] = False,
) -> None:
    """Put the proofs to long trials; exit 1 if any fails or the bar is missed."""
    from ..campaigns import Tally, campaigns, keep, kept
    from ..environment import versions
    from ..printing import console, text_table

    known = campaigns()
    screen = console()
    if markdown:
        print(on_record())
        end(0, "all well: printed", quiet=True)
    if name is None:
        rows = [(c.name, str(c.parts), c.summary) for c in known.values()]
        screen.print(text_table("Campaigns", ("campaign", "parts", "what"), rows))
        end(0, "all well: listed")
    if name not in known:
        raise CannotRun(f"no campaign {name!r}; there are: {', '.join(known)}")
    of = known[name]
    done = kept(name)
    for part in [] if print_only else _parts(parts, of.parts):
        done[part] = of.run(part)
        keep(of, done, versions(("numpy", "scipy", "numba", "python-flint")))
        counted = ", ".join(f"{n} {what}" for what, n in done[part].counts.items())
        print(f"part {part}: {counted}; {len(done[part].failures)} failures", flush=True)
    total = Tally()
    for tally in done.values():
        total.add(tally)
    screen.print(text_table(f"{name}: {of.bar}", ("what", "figure"), _figures(total)))
    for failure in total.failures:
        screen.print(failure, markup=False, emoji=False, highlight=False, soft_wrap=True)
    missing = sorted(set(range(of.parts)) - set(done))
    if missing:
        end(
            1 if total.failures else 0,
            f"{len(done)} of {of.parts} parts done, {len(total.failures)} failures",
        )
    short = [*(f"{len(total.failures)} failures" for _ in total.failures[:1]), *of.short(total)]
    if short:
        end(1, "; ".join(short))
    end(0, f"all well: {of.bar}")


def on_record() -> str:
    """Return what every campaign has shown so far, as a table."""
    from ..campaigns import Tally, campaigns, kept

    lines = ["| campaign | parts | what it showed | failures |", "|---|---|---|---|"]
    for _, of in sorted(campaigns().items()):  # not in the order in which somebody imported them
        total, done = Tally(), kept(of.name)
        for tally in done.values():
            total.add(tally)
        showed = [f"{n} {what}" for what, n in total.counts.items() if not what.startswith("false by")]
        showed += [f"{what}: {value:.2g} at most" for what, value in total.worst.items()]
        figures = "; ".join(showed) or "not run"
        lines.append(f"| `{of.name}` | {len(done)} of {of.parts} | {figures} | {len(total.failures)} |")
    return "\n".join(lines)


def _figures(total: object) -> list[tuple[str, str]]:
    from ..campaigns import Tally

    assert isinstance(total, Tally)
    figures = [(what, str(n)) for what, n in total.counts.items()]
    figures += [(what, f"{value:.3g}") for what, value in total.worst.items()]
    return figures + list(total.lines.items())


def _parts(chosen: str, parts: int) -> list[int]:
    if not chosen:
        return list(range(parts))
    first, _, last = chosen.partition("-")
    try:
        return list(range(int(first), min(int(last or first) + 1, parts)))
    except ValueError as error:
        raise CannotRun(f"parts is {chosen!r}: a number, or two with a dash") from error
