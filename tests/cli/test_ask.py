"""Values on the command line become typed values, never text in a question."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from privlab.cli.ask import _parameter, parameters
from privlab.errors import BadQuery


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("limit=65", 65),
        ("x=-0.5", Decimal("-0.5")),
        ("on=true", True),
        ("day=2024-03-01", date(2024, 3, 1)),
        ("ward=Old Town", "Old Town"),
        ("ward='; DROP", "'; DROP"),
        ("eq=a=b", "a=b"),
        ("empty=", ""),
    ],
)
def test_a_value_gets_the_type_it_looks_like(given: str, value: object) -> None:
    name, read = _parameter(given)
    assert name == given.partition("=")[0]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("given", ["limit", "=65", "a b=1", "1x=2"])
def test_what_is_not_name_and_value_is_refused(given: str) -> None:
    with pytest.raises(BadQuery) as caught:
        _parameter(given)
    assert caught.value.code == "PL110"


def test_a_name_given_again_makes_a_list_in_its_order() -> None:
    given = ("w=B", "limit=65", "w=A", "w=B")
    assert parameters(given) == {"w": ["B", "A", "B"], "limit": 65}


def test_two_prices_are_refused_before_anybody_is_asked(privlab, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(tmp_path))
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits", "--share", "1%", "--epsilon", "1")
    assert ended.status == 1
    assert ended.err.startswith("PL108 ")


def test_without_a_workspace_nobody_can_be_asked(privlab, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("PRIVLAB_URL", raising=False)
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(tmp_path / "none"))
    ended = privlab("ask", "SELECT COUNT(*) AS n FROM visits")
    assert ended.status == 1
    assert ended.err.startswith("PL152 ")
    assert "privlab init" in ended.err
