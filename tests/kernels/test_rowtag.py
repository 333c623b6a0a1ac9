"""Row tags: the compiled folds equal SipHash in plain Python, and depend on content alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from privlab.engine.reference import siphash
from privlab.kernels.rowtag import fold_texts, fold_words

KEY = bytes(range(16))
KEY0, KEY1 = (np.uint64(int.from_bytes(half, "little")) for half in (KEY[:8], KEY[8:]))
NULL = 1 << 62
words = st.integers(0, 2**64 - 1)


def folded_word(state: int, word: int | None, position: int) -> int:
    return siphash(
        KEY, (state, word, position) if word is not None else (state, 0, position | NULL)
    )


def folded_text(state: int, text: bytes | None, position: int) -> int:
    if text is None:
        return siphash(KEY, (state, 0, position | NULL))
    state = siphash(KEY, (state, len(text), position))
    for at in range(0, len(text), 8):
        state = siphash(KEY, (state, int.from_bytes(text[at : at + 8], "little"), position))
    return state


@given(st.lists(st.tuples(words, st.none() | words), max_size=20), st.integers(0, 65535))
def test_words_fold_as_in_plain_python(rows: list[tuple[int, int | None]], position: int) -> None:
    state = np.array([s for s, _ in rows], dtype=np.uint64)
    values = np.array([w or 0 for _, w in rows], dtype=np.uint64)
    present = np.array([w is not None for _, w in rows], dtype=np.bool_)

    fold_words(state, values, present, np.uint64(position), KEY0, KEY1)

    assert state.tolist() == [folded_word(s, w, position) for s, w in rows]


@given(st.lists(st.tuples(words, st.none() | st.binary(max_size=20)), max_size=20))
def test_texts_fold_as_in_plain_python(rows: list[tuple[int, bytes | None]]) -> None:
    state = np.array([s for s, _ in rows], dtype=np.uint64)
    texts = [t or b"" for _, t in rows]
    offsets = np.cumsum([0, *(len(t) for t in texts)]).astype(np.int64)
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    present = np.array([t is not None for _, t in rows], dtype=np.bool_)

    fold_texts(state, offsets, data, present, np.uint64(3), KEY0, KEY1)

    assert state.tolist() == [folded_text(s, t, 3) for s, t in rows]


def test_nulls_empty_texts_and_zeros_are_told_apart() -> None:
    kinds = {
        folded_word(5, None, 1), folded_word(5, 0, 1), folded_word(5, 0, 2),
        folded_text(5, b"\0", 1), folded_text(5, b"\0\0", 1),
    }  # fmt: skip
    assert len(kinds) == 5
