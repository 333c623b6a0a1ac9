"""Made-up data is the same everywhere and follows its weights."""

import numpy as np

from privlab.cli.demo.words import below, weighted, weighted_by, words


def splitmix64(state: int) -> int:
    """Figure 17 of the SplitMix paper in plain Python."""
    mask = (1 << 64) - 1
    z = state & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_words_agree_with_splitmix_in_plain_python() -> None:
    import hashlib

    start = int.from_bytes(hashlib.sha256(b"seed\0topic").digest()[:8], "big")
    expected = [splitmix64(start + (i + 1) * 0x9E3779B97F4A7C15) for i in range(50)]
    assert words("seed", "topic", 50).tolist() == expected


def test_a_longer_draw_begins_with_the_shorter_one() -> None:
    assert words("s", "t", 10).tolist() == words("s", "t", 100)[:10].tolist()


def test_topics_are_unrelated() -> None:
    assert not set(words("s", "one", 1000).tolist()) & set(words("s", "two", 1000).tolist())


def test_below_stays_below() -> None:
    drawn = below(7, words("s", "t", 10_000))
    assert drawn.min() == 0
    assert drawn.max() == 6


def test_weights_are_followed() -> None:
    drawn = weighted((1, 0, 3), words("s", "t", 40_000))
    shares = np.bincount(drawn, minlength=3) / drawn.size
    assert shares[1] == 0
    assert abs(shares[2] - 0.75) < 0.02


def test_a_table_of_weights_is_followed_row_by_row() -> None:
    table = np.array([[1, 0], [0, 1]], dtype=np.int64)
    row = np.array([0, 1, 1, 0], dtype=np.int64)
    assert weighted_by(table, row, words("s", "t", 4)).tolist() == [0, 1, 1, 0]
