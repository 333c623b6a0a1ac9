"""Thrift's compact protocol: what is written is read, and nothing else is read at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector import compact
from privlab.connector.compact import Kind, Listed, Malformed

leaves = st.one_of(
    st.tuples(st.just(Kind.BOOL), st.booleans()),
    st.tuples(st.just(Kind.BYTE), st.integers(-128, 127)),
    st.tuples(st.just(Kind.I16), st.integers(-(1 << 15), (1 << 15) - 1)),
    st.tuples(st.just(Kind.I32), st.integers(-(1 << 31), (1 << 31) - 1)),
    st.tuples(st.just(Kind.I64), st.integers(-(1 << 63), (1 << 63) - 1)),
    st.tuples(st.just(Kind.BINARY), st.binary(max_size=200)),
)


def above(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    whole = st.dictionaries(st.integers(1, 40), inside, max_size=6)
    return st.one_of(
        st.tuples(st.just(Kind.STRUCT), whole),
        st.lists(whole, max_size=20).map(
            lambda them: (Kind.LIST, Listed(Kind.STRUCT, tuple(them)))
        ),
        st.lists(st.binary(max_size=9), max_size=20).map(
            lambda them: (Kind.LIST, Listed(Kind.BINARY, tuple(them)))
        ),
        st.lists(st.integers(-9, 9), max_size=20).map(
            lambda them: (Kind.LIST, Listed(Kind.I32, tuple(them)))
        ),
    )


structs = st.dictionaries(
    st.integers(1, 1000), st.recursive(leaves, above, max_leaves=12), max_size=8
)


@given(structs)
def test_what_is_written_is_read_again(struct: Any) -> None:
    assert compact.whole(compact.write(struct)) == struct


@given(structs, st.data())
def test_a_structure_that_is_cut_anywhere_is_none(struct: Any, data: st.DataObject) -> None:
    whole = compact.write(struct)
    with pytest.raises(Malformed):
        compact.whole(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_structure_or_malformed(raw: bytes) -> None:
    try:
        found, end = compact.read(memoryview(raw))
    except Malformed:
        return
    assert end <= len(raw)
    assert compact.whole(compact.write(found)) == found


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"\x1c" * 100_000, "too deep"),
        (b"\x19" + b"\x19" * 100_000, "too deep"),
        (b"\x19\xfc\xff\xff\xff\xff\x07\x00", "no such list"),
        (b"\x18\xff\xff\xff\xff\x07\x00", "cut short"),
        (b"\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", "too many bits"),
        (b"\x15\xff\xff\xff\xff\x7f\x00", "too many bits"),
        (b"\x15\x02\x05\x02\x02\x00", "out of order"),
        (b"\x05\x00\x02\x00", "out of order"),
        (b"\x17" + b"\0" * 9, "stands in no footer"),
        (b"\x1b\x00\x00", "stands in no footer"),
        (b"\x19\x11\x01\x00", "no such list"),
        (b"\x00\x00", "after the end"),
        (b"", "cut short"),
    ],
)
def test_what_is_no_structure_is_refused(raw: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=what):
        compact.whole(raw)


def test_a_field_is_taken_only_as_what_it_is() -> None:
    struct: Any = {
        1: (Kind.I32, 5),
        2: (Kind.BINARY, b"x"),
        3: (Kind.BOOL, True),
        4: (Kind.STRUCT, {}),
        5: (Kind.LIST, Listed(Kind.STRUCT, ({},))),
    }
    assert compact.number(struct, 1) == 5
    assert compact.number(struct, 9, 7) == 7
    assert compact.binary(struct, 2) == b"x"
    assert compact.flag(struct, 3)
    assert not compact.flag(struct, 9)
    assert compact.inner(struct, 4) == {}
    assert compact.structs(struct, 5) == ({},)
    for taken, field in (
        (compact.number, 2),
        (compact.number, 3),
        (compact.number, 9),
        (compact.binary, 1),
        (compact.flag, 1),
        (compact.inner, 5),
        (compact.structs, 4),
        (compact.binaries, 5),
    ):
        with pytest.raises(Malformed):
            taken(struct, field)


def test_the_bytes_are_those_of_the_protocol() -> None:
    """By hand from the protocol's page: deltas, zigzag, long lists, a long step."""
    struct: Any = {
        1: (Kind.I32, -1),
        3: (Kind.BOOL, False),
        20: (Kind.LIST, Listed(Kind.BINARY, (b"",) * 16)),
    }
    assert compact.write(struct) == bytes.fromhex("1501 22 0928 f810".replace(" ", "")) + bytes(17)
