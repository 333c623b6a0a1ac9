"""A text is measured before it is parsed."""

from __future__ import annotations

import time

import pytest

from privlab.errors import BadQuery
from privlab.query.ask import Source, Surface
from privlab.query.passes.limit_text import (
    MAX_NAMES,
    MAX_OPEN,
    MAX_SELECTS,
    MAX_SIGNS,
    MAX_SUFFIXES,
    MAX_WORDS,
    limit_text,
)


def measured(text: str) -> None:
    limit_text(Source(text, Surface.SQL))


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MAX_OPEN + 1),
        "[" * (MAX_OPEN + 1),
        "CASE " * (MAX_OPEN + 1),
        "SELECT " * (MAX_SELECTS + 1),
        "a " * (MAX_NAMES + 1),
        "1 " * (MAX_WORDS + 1),
        "'a'," * (MAX_WORDS + 1),
        "::int" * (MAX_SUFFIXES + 1),
        ";" * (MAX_SIGNS + 1),
        ".a" * (MAX_SIGNS + 1),
        ")" * (MAX_OPEN + 1),
        '`"`' + "a " * (MAX_NAMES + 1) + '`"`',
    ],
)
def test_what_is_too_long_or_too_deep_is_refused(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        measured(text)
    assert caught.value.code == "PL106"
    assert caught.value.caret is not None


@pytest.mark.parametrize(
    "text",
    [
        "()" * 500,
        "CASE END " * 250,
        "'" + "(" * 500 + "'",
        "`" + "(" * 500 + "`",
        "-- " + "(" * 500,
        "a, " * MAX_NAMES,
        "1, " * MAX_WORDS,
    ],
)
def test_what_closes_again_or_is_quoted_does_not_count(text: str) -> None:
    measured(text)


def test_an_open_quote_takes_no_time() -> None:
    begin = time.perf_counter()
    for text in ("'" + "\\'" * 20_000, "/*" * 20_000):
        with pytest.raises(BadQuery):
            measured(text)
    measured("/*" + " *" * 20_000)
    assert time.perf_counter() - begin < 1
