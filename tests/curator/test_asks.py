"""Parameters are typed on this side too, and a request is named by all it says."""

from __future__ import annotations

import pytest

from privlab.curator.asks import body_digest, values
from privlab.errors import BadQuery
from privlab.wire.messages import Ask, Parameter, Price


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "seven"),
        ("int", "1.5"),
        ("float", "nan"),
        ("float", "1e99999"),
        ("bool", "yes"),
        ("date", "2023-13-01"),
        ("datetime", "noon"),
    ],
)
def test_a_text_of_another_kind_is_refused_without_quoting_it(kind: str, text: str) -> None:
    with pytest.raises(BadQuery) as refusal:
        values({"p": Parameter(kind=kind, text=(text,))})  # type: ignore[arg-type]

    assert refusal.value.code == "PL110"


def test_one_value_is_one_value() -> None:
    with pytest.raises(BadQuery):
        values({"p": Parameter(kind="int", text=("1", "2"))})


def test_the_digest_leaves_out_only_the_id() -> None:
    ask = Ask(id="request-one", text="SELECT 1", price=Price(share="1"))

    same = ask.model_copy(update={"id": "request-two"})
    others = [
        ask.model_copy(update=change)
        for change in (
            {"text": "SELECT 2"},
            {"price": Price(share="2")},
            {"purpose": "other"},
            {"confidence": "99"},
            {"simultaneous": True},
            {"name": "x"},
            {"parameters": {"p": Parameter(kind="int", text=("1",))}},
        )
    ]

    assert body_digest(same) == body_digest(ask)
    assert len({body_digest(other) for other in (ask, *others)}) == 8
