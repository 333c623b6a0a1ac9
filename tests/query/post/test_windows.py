"""Partitions and orders of an answer's rows."""

from __future__ import annotations

from fractions import Fraction

from privlab.query.post.noise import Combined, merged
from privlab.query.post.reading import Reading
from privlab.query.post.tree import MeasureOut, Order, Over, WindowOut
from privlab.query.post.windows import frames, shifted, sorted_by

N = MeasureOut(0)
VALUES = {0: 3, 1: 1, 2: None, 3: 1}


def test_what_is_unknown_comes_last_either_way() -> None:
    for falls, expected in ((False, [1, 3, 0, 2]), (True, [0, 1, 3, 2])):
        assert sorted_by([0, 1, 2, 3], (Order(N, falls),), lambda _: VALUES) == expected


def test_equals_are_seen_together() -> None:
    window = WindowOut(Over.SUM, N, order=(Order(N, descending=False),), running=True)
    found = frames(window, [0, 1, 2, 3], lambda _: (), lambda _: VALUES)
    assert found.seen(1) == found.seen(3) == (1, 3)
    assert found.seen(0) == (1, 3, 0)


def test_partitions_are_apart() -> None:
    window = WindowOut(Over.SHIFT, N, (0,), (Order(N, descending=False),), offset=1)
    found = frames(window, [0, 1, 3], lambda cell: (cell // 2,), lambda _: VALUES)
    assert [shifted(window, found, cell) for cell in (1, 0, 3)] == [None, 1, None]


def test_what_cancels_is_left_out() -> None:
    one = Combined(Fraction(2), {(0, 0): Fraction(1), (0, 1): Fraction(1)})
    two = Combined(Fraction(1), {(0, 1): Fraction(1)})
    assert merged([(Fraction(1), one), (Fraction(-1), two)]) == {(0, 0): 1}
    assert Reading.__doc__ is not None
