"""A request without a peer's uid is nobody's."""

from __future__ import annotations

import pytest

from privlab.curator.peer import PEER, uid_of
from privlab.errors import CuratorUnreachable


def test_the_uid_is_read_from_where_the_protocol_put_it() -> None:
    assert uid_of({"client": (PEER, 1000)}) == 1000


@pytest.mark.parametrize(
    "scope", [{}, {"client": None}, {"client": ("127.0.0.1", 80)}, {"client": (PEER, "0")}]
)
def test_an_address_is_not_a_person(scope: dict[str, object]) -> None:
    with pytest.raises(CuratorUnreachable) as refusal:
        uid_of(scope)

    assert refusal.value.code == "PL303"
