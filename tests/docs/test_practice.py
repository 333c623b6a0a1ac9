"""What the page on practice tells to type runs, and what it says of invented rows is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from IPython.core.magic_arguments import parse_argstring

from privlab.client.practice import Practice
from privlab.client.price import price
from privlab.client.session import Session
from privlab.engine import invented
from privlab.jupyter.magics import PrivateMagics
from privlab.wire.messages import PRACTICE

PAGE = (Path(__file__).parents[2] / "docs/practice.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WORDS = " ".join(PAGE.split())


def test_the_cell_of_the_page_is_answered(session: Session) -> None:
    (cell,) = (block for block in BLOCKS if block.startswith("%%private"))
    line, _, question = cell.partition("\n")
    options = parse_argstring(PrivateMagics.private, line.removeprefix("%%private"))

    practised = session.practise(question, name=options.name, price=price(within=options.within))

    assert options.practice
    assert practised.frame.columns == ["ward", "n", "n_pm", "stay", "stay_pm"]


def test_the_command_of_the_page_is_answered(session: Session) -> None:
    (command,) = (block for block in BLOCKS if block.startswith("privlab"))
    words = shlex.split(command)

    assert words[:3] == ["privlab", "ask", "--practice"]
    assert isinstance(session.practise(words[3]), Practice)


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    low, high = invented.OPEN_RANGE
    first, last = invented.OPEN_DAYS

    assert f"{invented.MOST_ROWS:,} at most" in WORDS
    assert f"about one row of {invented.ONE_NULL_IN}." in WORDS
    assert f"numbers from −{-low} to {high}" in WORDS
    assert f"days from {first.year} to {last.year}" in WORDS
    assert f"`{invented.OPEN_TEXTS[1]}` to `{invented.OPEN_TEXTS[-1]}`" in WORDS
    assert f'"{PRACTICE}"' in WORDS
