"""Fields of a section: every reader returns a value or lists one problem."""

from __future__ import annotations

import pytest

from privlab.connector.fields import MAX_TEXT, OPEN, Fields, Problems, is_plain


def test_what_is_absent_open_or_wrong_is_told_apart() -> None:
    problems = Problems()
    fields = Fields("[table]", {"open": OPEN, "wrong": -1}, problems)

    for name in ("absent", "open", "wrong"):
        assert fields.count(name, f"{name} = 8", most=10) is None

    assert problems.found == [
        "[table] needs absent; write: absent = 8",
        "[table] open is still open; write: open = 8",
        "[table] wrong must be a whole number from 1 to 10; write: wrong = 8",
    ]


def test_one_problem_is_one_problem() -> None:
    problems = Problems()
    problems.unknown("colour", ("color", "size"), "[table]")

    error = problems.error()

    assert error.code == "PL150"
    assert error.what == "the contract has 1 problem"
    assert error.facts == {"1": "[table] has no field 'colour' (did you mean 'color'?)"}


def test_a_name_like_nothing_known_lists_what_is_known() -> None:
    problems = Problems()
    Fields("[table]", {"zzz": 1}, problems).only(("color", "size"))

    assert problems.found == ["[table] has no field 'zzz'; known here: color, size"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("é ü", True),
        ("a\nb", False),
        ("a\0", False),
        ("\u202e", False),
        ("x" * (MAX_TEXT + 1), False),
    ],
)
def test_plain_text_has_no_control_characters(text: str, plain: bool) -> None:
    """Nor marks that turn the direction of what follows: contracts are shown to others."""
    assert is_plain(text) is plain
