"""The one place that prints, and the exit statuses.

Answers go to standard output, everything else to standard error, so that a
command can stand in a pipe.  An error is its own text and nothing more: no
frames, no locals.

Exit statuses: 0 done; 1 refused; 2 wrong usage; 3 nobody to answer; 4 something
stored was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from privlab.errors import BadContract, PrivlabError

if TYPE_CHECKING:
    from privlab.client.show import Table as Drawing

DONE, REFUSED, USAGE, UNREACHABLE, CHANGED = range(5)

PIPE_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, which has no width of its own."""

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def status_of(error: PrivlabError) -> int:
    """The exit status an error ends with."""
    match error.code[:3]:
        case "PL3":
            return UNREACHABLE
        case "PL4":
            return CHANGED
        case _:
            return REFUSED


def say(words: str) -> None:
    """One line, or several, on standard output, exactly as given."""
    out.print(Text(words))


def note(words: str) -> None:
    """One line on standard error: progress and advice, not the answer."""
    err.print(Text(words), style="dim")


def problem(error: PrivlabError) -> None:
    """The error's own text, on standard error."""
    err.print(Text(str(error)))


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int] = (),
    title: str = "",
) -> None:
    """A table; ``right`` numbers the columns that are set flush right."""
    drawn = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for index, head in enumerate(heads):
        drawn.add_column(Text(head), justify="right" if index in right else "left")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console = out if out.is_terminal else Console(width=PIPE_WIDTH, highlight=False)
    console.print(drawn)


def shown(drawing: Drawing) -> None:
    """A table as notebooks show it too: its title, its cells, its notes below.

    What would not show is spelled out: the words may be somebody else's.
    """
    from privlab.client.show import printable

    rows = [[printable(cell) for cell in row] for row in drawing.rows]
    right = [index for index, side in enumerate(drawing.right) if side]
    table(drawing.heads, rows, right=right, title=printable(drawing.title))
    for words in drawing.notes:
        say(printable(words))


@contextmanager
def curator_part() -> Iterator[None]:
    """Around imports that only ``privlab[curator]`` brings.

    :raises BadContract: PL152, it is not installed in this environment.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] == "privlab":
            raise
        raise BadContract(
            f"this command needs the curator's part of privlab ({missing.name} is not installed)",
            code="PL152",
            hint='install it here with: pip install "privlab[curator]"',
        ) from None
