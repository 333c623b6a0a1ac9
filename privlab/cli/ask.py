"""``privlab ask``: one question from a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from privlab.cli import terminal
from privlab.errors import BadQuery


def ask(
    question: Annotated[
        str, typer.Argument(help="SQL or Polars syntax; - reads it from standard input.")
    ],
    share: Annotated[
        str | None, typer.Option(help="Percent of your grant to spend. Default: 1%.")
    ] = None,
    within: Annotated[
        str | None, typer.Option(help="Half-widths wanted: 25, or n=25,stay=0.5.")
    ] = None,
    epsilon: Annotated[
        str | None, typer.Option(help="Spend what this epsilon alone would be.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUE for :NAME. The same NAME again makes a list: "
            "--param w=A --param w=B for IN :w (for a list of one, its value twice)."
        ),
    ] = None,
    public: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE: a small table of your own, .csv or .parquet."),
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="Recorded with the question, and judged.")
    ] = "exploration",
    confidence: Annotated[str, typer.Option(help="Percent, for the intervals.")] = "95",
    simultaneous: Annotated[
        bool, typer.Option("--simultaneous", help="All intervals hold at once, not each.")
    ] = False,
    only_price: Annotated[
        bool, typer.Option("--explain", help="Show the price; spend nothing.")
    ] = False,
    practice: Annotated[
        bool, typer.Option("--practice", help="Answer about invented rows; free, and no release.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the answer as CSV.")] = False,
    save: Annotated[Path | None, typer.Option(help="Save the signed release here.")] = None,
) -> None:
    """Ask a question and print the answer with its error.

    Example: privlab ask "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward" --share 1%
    """
    from privlab.client import show
    from privlab.client.price import price
    from privlab.client.session import Session

    if practice and (only_price or save is not None):
        other = "--explain" if only_price else "--save"
        raise BadQuery(
            f"--practice and {other} do not go together",
            code="PL112",
            hint="keep --practice: it shows the price, and there is no release to save",
        )
    text = sys.stdin.read() if question == "-" else question
    asked: dict[str, Any] = {
        "price": price(share=share, within=within, epsilon=epsilon),
        "parameters": parameters(param or ()),
        "public": tables(public or ()),
        "purpose": purpose,
        "confidence": confidence,
        "simultaneous": simultaneous,
    }
    session = Session.connect()
    if only_price:
        shown = session.explain(text, **asked)
        terminal.say(shown.plan)
        terminal.shown(show.price_table(shown, confidence))
        return
    with terminal.err.status("asking") as status:
        put = (
            session.practise
            if practice
            else partial(session.ask, on_phase=lambda phase: status.update(phase.words))
        )
        release = put(text, **asked)
    if csv:
        terminal.say(release.to_csv().rstrip("\n"))
    else:
        terminal.say(repr(release))
    if save is not None:
        terminal.note(f"saved: {release.save(save)}")


def parameters(given: Iterable[str]) -> dict[str, object]:
    """Values by name; a name given more than once has the list of its values, in order.

    :raises BadQuery: PL110, something is not NAME=VALUE.
    """
    found: dict[str, list[object]] = {}
    for text in given:
        name, value = _parameter(text)
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def tables(given: Iterable[str]) -> dict[str, object]:
    """``wards=wards.csv``: tables of files by their names in the question.

    :raises BadQuery: PL114, something is not NAME=FILE, a name is given twice, or a file
        cannot be read.
    """
    found: dict[str, object] = {}
    for text in given:
        name, sign, file = text.partition("=")
        if not sign or not name.isidentifier() or not file:
            raise BadQuery(
                f"{text!r} is not NAME=FILE",
                code="PL114",
                hint="for example: --public wards=wards.csv",
            )
        if name in found:
            raise BadQuery(
                f"--public names {name} twice", code="PL114", hint="give each its own name"
            )
        from privlab.client.frames import table_file
        from privlab.wire.messages import MAX_LIST

        found[name] = table_file(Path(file), MAX_LIST)
    return found


def _parameter(given: str) -> tuple[str, object]:
    """``limit=65`` as a name and a value: an integer, a decimal, true or false, a date, else text."""
    from datetime import date
    from decimal import Decimal, InvalidOperation

    name, sign, text = given.partition("=")
    if not sign or not name.isidentifier():
        raise BadQuery(
            f"{given!r} is not NAME=VALUE", code="PL110", hint="for example: --param limit=65"
        )
    if text in ("true", "false"):
        return name, text == "true"
    for read in (int, Decimal, date.fromisoformat):
        try:
            return name, read(text)
        except (ValueError, InvalidOperation):
            continue
    return name, text
