"""A statement becomes a line of TOML, or a comment that says why not."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.dictionaries.lines import literal, stated_lines
from privlab.connector.dictionaries.stated import Said, Stated
from privlab.terms.catalog import Kind


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        (Kind.INT, "12", "12"),
        (Kind.INT, "+12", "12"),
        (Kind.INT, "12.0", "12"),
        (Kind.INT, "1e3", None),
        (Kind.INT, "9223372036854775808", None),
        (Kind.FLOAT, "60.50", "60.50"),
        (Kind.FLOAT, "1e3", "1000"),
        (Kind.FLOAT, "inf", None),
        (Kind.FLOAT, "1e400", None),
        (Kind.DATE, "2024-02-29", "2024-02-29"),
        (Kind.DATE, "2024-02-30", None),
        (Kind.DATETIME, "2024-02-29T12:00:00", "2024-02-29"),
        (Kind.TEXT, "?", None),
        (Kind.TEXT, "a\nb", None),
        (Kind.BOOL, "true", None),
    ],
)
def test_a_value_is_spelled_as_its_type(kind: Kind, text: str, line: str | None) -> None:
    assert literal(kind, text) == line


@given(
    kind=st.sampled_from(list(Kind)),
    texts=st.lists(st.text(), min_size=1, max_size=3),
    where=st.text(),
)
def test_whatever_is_stated_the_lines_are_toml(kind: Kind, texts: list[str], where: str) -> None:
    said = Stated(
        keys=Said(tuple(texts), where),
        low=Said(texts[0], where),
        high=Said(texts[-1], where),
        about=Said(texts[0], where),
        withheld=Said(texts[0], where),
        notes=tuple(texts),
    )

    found = tomllib.loads("\n".join(stated_lines(kind, said)))

    assert set(found) <= {"keys", "range", "step", "about", "withheld"}
    assert found["withheld"] is True
