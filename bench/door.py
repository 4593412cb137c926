"""What every command of `python -m bench` shares: the app, the last line, the exit codes.

0 all well; 1 a verdict against one of our solvers, or something that became worse; 2 could not run, an
uncaught exception included.  The last line says which, in words.
"""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

import typer
from rich.console import Console

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="How fast, at the same proven accuracy?",
)
_said = False  # whether the last line has been printed


class CannotRun(Exception):
    """Nothing to be traced back: the words say it all."""


def end(code: int, words: str) -> NoReturn:
    """Print the last line and leave."""
    global _said
    _said = True
    print(f"exit {code}: {words}", flush=True)
    raise typer.Exit(code)


def console_of_stdout() -> Console:
    """Return a console as wide as the terminal; in a file, wide enough for the tables."""
    return Console(width=None if sys.stdout.isatty() else 150, emoji=False)


def main() -> None:
    """Run a command; whatever goes wrong is said in words on the last line."""
    try:
        app()
    except CannotRun as error:
        _last(f"exit 2: could not run: {error}")
    except OSError as error:  # an unwritable folder, a full disk
        _last(f"exit 2: could not run: {error}")
    except Exception as error:
        traceback.print_exc()
        _last(f"exit 2: could not run: {type(error).__name__}: {error}")
    except SystemExit as stop:
        if stop.code == 2 and not _said:
            _last("exit 2: could not run: see the usage above")
        sys.exit(stop.code)
    sys.exit(2)


def _last(line: str) -> None:
    sys.stderr.flush()
    print(line, flush=True)
