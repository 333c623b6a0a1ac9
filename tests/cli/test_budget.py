"""The shares that budgets are handed out in are percentages."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.cli.budget import share_of
from privlab.errors import BadQuery


@pytest.mark.parametrize(
    ("text", "part"), [("10%", Fraction(1, 10)), (" 2.5 % ", Fraction(1, 40)), ("100", Fraction(1))]
)
def test_a_share_is_a_percentage(text: str, part: Fraction) -> None:
    assert share_of(text) == part


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1%",
        "101%",
        "nan",
        "inf",
        "",
        "ten",
        "1/0",
        "1e99999999",
        "1e-99999999%",
        "9" * 5000,
        "0." + "1" * 61,
        "1e3",
        "1e-31",
    ],
)
def test_what_is_not_a_share_is_refused(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        share_of(text)
    assert caught.value.code == "PL108"
