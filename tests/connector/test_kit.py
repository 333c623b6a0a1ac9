"""A recovery kit is typed back right, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector import kit
from privlab.errors import IntegrityError

masters = st.binary(min_size=32, max_size=32)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@given(master=masters)
def test_a_kit_is_two_lines_and_comes_back(master: bytes) -> None:
    first, second = kit.encode(master)

    assert all(len(line.split()) == 8 for line in (first, second))
    assert kit.decode(f"RECOVERY KIT\n  {first}\n\t{second}\n") == master


@given(master=masters)
def test_it_comes_back_as_people_type_it(master: bytes) -> None:
    text = "\n".join(kit.encode(master))

    typed = text.lower().replace("o", "0").replace("i", "1").replace("b", "8").replace(" ", "-")

    assert kit.decode(typed) == master


@given(master=masters, at=st.integers(0, 63), letter=st.sampled_from(LETTERS))
def test_one_wrong_letter_is_found(master: bytes, at: int, letter: str) -> None:
    letters = "".join(kit.encode(master)).replace(" ", "")
    wrong = letters[:at] + letter + letters[at + 1 :]
    lines = [" ".join(wrong[k + j : k + j + 4] for j in range(0, 32, 4)) for k in (0, 32)]

    if wrong == letters:
        assert kit.decode("\n".join(lines)) == master
    else:
        with pytest.raises(IntegrityError) as caught:
            kit.decode("\n".join(lines))
        assert caught.value.code == "PL404"


@given(master=masters)
def test_swapped_lines_groups_or_a_missing_line_are_found(master: bytes) -> None:
    first, second = kit.encode(master)
    groups = first.split()
    swapped = " ".join([groups[1], groups[0], *groups[2:]])

    for text in (
        f"{second}\n{first}",
        first,
        "",
        f"{first}\n{second}\n{second}",
        f"{swapped}\n{second}",
    ):
        if text == f"{first}\n{second}":
            continue
        with pytest.raises(IntegrityError) as caught:
            kit.decode(text)
        assert first[:4] not in str(caught.value)
