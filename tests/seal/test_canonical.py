"""Canonical JSON: one text per value, and no numbers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.seal.canonical import canonical

values = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(value=values)
def test_canonical_text_reads_back_and_is_stable(value: object) -> None:
    """Encoding what was decoded gives the same bytes."""
    encoded = canonical(value)  # type: ignore[arg-type]

    assert json.loads(encoded) == value
    assert canonical(json.loads(encoded)) == encoded


def test_members_are_sorted_as_rfc_8785_says() -> None:
    """By UTF-16 code units: section 3.2.3, its own example."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]

    encoded = canonical(dict.fromkeys(names, ""))

    assert list(json.loads(encoded)) == [
        "\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [1, 1.0, [0], {"a": 2}, {"a": {"b": [None, 0]}}, b"x", {1: "a"}])
def test_numbers_and_other_things_are_refused(value: object) -> None:
    """A number would lose digits in some reader."""
    with pytest.raises(TypeError):
        canonical(value)  # type: ignore[arg-type]


def test_text_that_is_not_unicode_is_refused() -> None:
    """A lone surrogate has no UTF-8."""
    with pytest.raises(ValueError, match="canonical"):
        canonical("\ud800")
