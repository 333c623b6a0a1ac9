"""Noise for a whole vector, every law."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from privlab.mechanisms import vector
from privlab.mechanisms.entropy import KeyStream, Words
from privlab.mechanisms.exact import Law, settle
from tests.kernels.trials import CASES, Case, packed, rounding_edge
from tests.kernels.trials import Words as Trial
from tests.kernels.twin_trial import DROPPED, TIE, table, twin

every_law = pytest.mark.parametrize("case", CASES, ids=repr)


class Scripted(KeyStream):
    """Words written by the test, then those of a key."""

    def __init__(self, script: list[int]) -> None:
        super().__init__(bytes(32))
        self.script = script

    def fill(self, buffer: NDArray[np.uint64]) -> None:
        given, self.script = self.script[: buffer.size], self.script[buffer.size :]
        buffer[: len(given)] = given
        super().fill(buffer[len(given) :])


def by_twin(case: Case, cells: int, scale: tuple[int, int], words: KeyStream) -> list[int]:
    """The same vector, trial by trial in plain Python."""
    found: list[int] = []
    while len(found) < cells:
        part = [int(word) for word in words.take(3 * (cells + 8))]
        at = 0
        while at + 3 <= len(part) and len(found) < cells:
            trial = (part[at], part[at + 1], part[at + 2])
            outcome, used = twin(trial, case.law, *scale)
            at += used
            if outcome == TIE:
                drawn = settle(trial, case.sampler.law, *scale, lambda: int(words.take(1)[0]))
                outcome = DROPPED if drawn is None else drawn
            if isinstance(outcome, int):
                found.append(outcome)
    return found


@every_law
def test_values_are_kept_and_only_noise_is_added(case: Case) -> None:
    """The same words on two vectors differ by what the vectors differ by."""
    values = np.array([0, -5, 1 << 61, -(1 << 61)], np.int64)
    noise = vector.add(np.zeros(4, np.int64), case.sampler, 9, 1, KeyStream(bytes(range(32))))
    noisy = vector.add(values, case.sampler, 9, 1, KeyStream(bytes(range(32))))
    assert (noisy - values).tolist() == noise.tolist()


@every_law
def test_the_given_vector_is_left_alone(case: Case) -> None:
    """Exact sums are not overwritten in the caller's hands; strided vectors work."""
    values = np.arange(10, dtype=np.int64)[::2]
    with Words() as words:
        noisy = vector.add(values, case.sampler, 1 << 20, 0, words)
    assert values.tolist() == [0, 2, 4, 6, 8]
    assert noisy.tolist() != values.tolist()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many further words each tie that `vector.add` settles has read."""
    reads: list[int] = []

    def counting(
        trial: Trial, law: Law, multiplier: int, shift: int, more: Callable[[], int]
    ) -> int | None:
        reads.append(0)

        def one_more() -> int:
            reads[-1] += 1
            return more()

        return settle(trial, law, multiplier, shift, one_more)

    monkeypatch.setattr(vector, "settle", counting)
    return reads


@every_law
def test_ties_in_the_middle_of_a_vector_are_settled_in_place(
    case: Case, settled: list[int]
) -> None:
    """Twelve trials whose U hits an entry, among others: cell for cell as in plain Python.

    Which number each gives is decided by fresh words, drawn when it is met.
    """
    entries = table(case.law)
    script: list[int] = []
    for k in range(12):
        script += packed(entries[k % 5], k % 2, 1 << 62, 0)
        script += packed(entries[0] // 2, 1, 1 << 63, 7)[:2]
    found = vector.add(np.zeros(40, np.int64), case.sampler, 5, 1, Scripted(list(script)))
    assert len(settled) == 12
    assert all(settled)
    assert found.tolist() == by_twin(case, 40, (5, 1), Scripted(list(script)))


@every_law
def test_ties_of_rounding_are_settled_in_place(case: Case, settled: list[int]) -> None:
    """Nine trials whose last bits of x decide between two numbers, at a wide scale."""
    scale = ((1 << 48) - 12345, 0)
    script: list[int] = []
    for k in range(9):
        x = next(
            edge
            for target in range(k << 20, (k << 20) + 99)
            if (edge := rounding_edge(case.law, 0, scale, target)) is not None
        )
        script += packed(table(case.law)[0] // 2, k % 2, x, 0)
    found = vector.add(np.zeros(30, np.int64), case.sampler, *scale, Scripted(list(script)))
    assert len(settled) == 9
    assert all(settled)
    assert found.tolist() == by_twin(case, 30, scale, Scripted(list(script)))


@every_law
def test_a_tie_that_is_dropped_leaves_its_cell_to_the_next_trial(
    case: Case, settled: list[int]
) -> None:
    """A is far above every chance, whichever number U means."""
    script: list[int] = []
    for k in range(6):
        script += packed(table(case.law)[3], k % 2, (1 << 64) - 1, (1 << 64) - 1)
    found = vector.add(np.zeros(30, np.int64), case.sampler, 5, 1, Scripted(list(script)))
    assert len(settled) == 6
    assert found.tolist() == by_twin(case, 30, (5, 1), Scripted(list(script)))


@every_law
@pytest.mark.parametrize("cells", [1, 2, 900])
def test_a_vector_takes_its_words_in_order(case: Case, cells: int) -> None:
    """Cell for cell as in plain Python, at a wide scale."""
    scale = ((1 << 48) - 1, 0)
    found = vector.add(np.zeros(cells, np.int64), case.sampler, *scale, KeyStream(bytes(32)))
    assert found.tolist() == by_twin(case, cells, scale, KeyStream(bytes(32)))


@every_law
@pytest.mark.parametrize(("short", "ties"), [(0, range(1)), (12345, range(1, 12))])
def test_long_vectors_of_wide_noise_take_many_batches_and_meet_ties(
    case: Case, short: int, ties: range, settled: list[int]
) -> None:
    """200,000 cells pass through several batches.

    Of their trials at most ``S 2^-64``, about three, are ties at S near 2^48; none
    are at 2^48 itself, where rounding reads whole bits of x.
    """
    scale = (1 << 48) - short, 0
    noise = vector.add(np.zeros(200_000, np.int64), case.sampler, *scale, KeyStream(b"9" * 32))
    assert len(settled) in ties
    sizes = np.abs(noise).astype(float) / scale[0]
    square = 8 if case.name == "rounded-gaussian" else 2  # of the law at scale 1
    assert abs(noise.astype(float).mean() / scale[0]) < 5 * (square / 200_000) ** 0.5
    assert abs((sizes**2).mean() / square - 1) < 0.03


@every_law
@pytest.mark.parametrize(
    "values",
    [np.zeros(3, np.int32), np.zeros(3), np.zeros((1, 3), np.int64), np.zeros(3, np.uint64)],
)
def test_only_a_vector_of_int64_gets_noise(case: Case, values: NDArray[np.int64]) -> None:
    """Floats have porous noise and narrower integers wrap early: refused by type."""
    with pytest.raises(TypeError, match="one-dimensional int64"), Words() as words:
        vector.add(values, case.sampler, 1, 0, words)


@every_law
def test_an_empty_vector_needs_no_words(case: Case) -> None:
    """No cell, no draw."""
    words = Words()
    words.close()
    assert vector.add(np.zeros(0, np.int64), case.sampler, 1, 0, words).size == 0
