"""A price is one of three, written as people write it."""

from __future__ import annotations

import pytest

from privlab.client.price import price
from privlab.errors import BadQuery
from privlab.wire.messages import Price


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, Price(share="1")),
        ({"share": "2%"}, Price(share="2")),
        ({"share": 0.5}, Price(share="0.5")),
        ({"epsilon": "0.1"}, Price(epsilon="0.1")),
        ({"within": 25}, Price(within={"*": "25"})),
        ({"within": "n=25, stay=0.5"}, Price(within={"n": "25", "stay": "0.5"})),
        ({"within": {"n": 25}}, Price(within={"n": "25"})),
    ],
)
def test_a_price_is_sent_as_it_was_typed(given: dict[str, object], sent: Price) -> None:
    assert price(**given) == sent  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        {"share": "1", "epsilon": "1"},
        {"within": "n=", "share": None},
        {"within": "=4"},
        {"within": {}},
        {"share": ""},
        {"share": "9" * 65},
    ],
)
def test_what_is_no_price_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadQuery) as refusal:
        price(**given)  # type: ignore[arg-type]

    assert refusal.value.code == "PL108"
