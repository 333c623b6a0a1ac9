"""What an error shows of the text it is about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import MOST_SHOWN, Caret


def test_the_carets_stand_under_what_they_mean() -> None:
    caret = Caret("SELECT a\nFROM visits, patients\nWHERE b", 13 + 1, 13 + 7)
    assert caret.lines() == ["FROM visits, patients", "     ^^^^^^"]


def test_a_caret_at_the_end_is_one_sign_wide() -> None:
    assert Caret("SELECT", 6, 6).lines() == ["SELECT", "      ^"]


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 5_000))
def test_of_a_long_line_what_stands_around_is_shown(before: int, inside: int, after: int) -> None:
    """A text of a megabyte is not sent back whole."""
    text = "a" * before + "X" * inside + "b" * after
    line, carets = Caret(text, before, before + inside).lines()
    assert len(line) <= MOST_SHOWN + 2
    assert len(carets) <= len(line) + 1
    meant = line[carets.find("^") :][: carets.count("^")]
    assert set(meant) <= {"X"} or inside == 0
    assert (len(text) <= MOST_SHOWN) == (line == text)
