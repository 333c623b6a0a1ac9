"""Every example of the language's page compiles, and both surfaces ask one question."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from privlab.query.canonical import question_id
from privlab.query.compile import compile_question
from tests.query.conftest import CATALOG, PUBLIC

PAGE = Path(__file__).parents[2] / "docs/language.md"
ROW = re.compile(r"^\|(?: [^`|]* \|)? (`.*`) \| ?(`.*`)? ?\|$", re.MULTILINE)
TEXT = PAGE.read_text("utf-8")
SPELLED = re.search(r"^## Other spellings$(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
assert SPELLED is not None
EXAMPLES = [
    tuple(cell.replace("\\|", "|").strip("`") for cell in row if cell)
    for row in ROW.findall(TEXT.replace(SPELLED[1], ""))
]
SPELLINGS = [
    tuple(cell.replace("\\|", "|") for cell in re.findall(r"`([^`]+)`", line))
    for line in SPELLED[1].splitlines()
    if line.startswith("| `")
]


def question(text: str, surface: int) -> str:
    """A whole question: the example itself, or a count of it."""
    if text.startswith(("SELECT ", "WITH ", "visits.", "labs.", "patients.", "pl.concat(")):
        return text
    return (
        f"SELECT COUNT({text}) AS n FROM visits"
        if surface == 0
        else f"visits.select(n=({text}).count())"
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one[0][:50])
def test_an_example_is_one_question_in_both_surfaces(example: tuple[str, ...]) -> None:
    ids = {
        question_id(compile_question(question(text, surface), {}, CATALOG, PUBLIC))
        for surface, text in enumerate(example)
    }
    assert len(ids) == 1


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda one: one[0][:50])
def test_other_spellings_are_one_question(spellings: tuple[str, ...]) -> None:
    asked = [question(text, int("pl." in text)) for text in spellings]
    assert len(asked) >= 2
    assert len({question_id(compile_question(text, {}, CATALOG, PUBLIC)) for text in asked}) == 1


def test_every_row_of_the_page_was_found() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    titles = [line for line in rows if line.startswith(("| what |", "| SQL |", "| spelled here |"))]
    assert len(EXAMPLES) + len(SPELLINGS) == len(rows) - len(titles)
    assert len(EXAMPLES) >= 80
