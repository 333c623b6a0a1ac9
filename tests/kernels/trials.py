"""Trials for the samplers' tests: each law with its kernel and twin, and words at the edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privlab.kernels import gaussian, laplace, trial
from privlab.mechanisms import gaussian as gaussian_noise
from privlab.mechanisms import laplace as laplace_noise
from privlab.mechanisms.vector import Sampler
from tests.kernels.twin_gaussian import GAUSSIAN
from tests.kernels.twin_laplace import DISCRETE, ROUNDED
from tests.kernels.twin_trial import DROPPED, TIE, Outcome, Twin, table

HALF = 1 << 32
Words = tuple[int, int, int]


@dataclass(frozen=True)
class Case:
    """One law: what is compiled, what it is compared with, what settles its ties."""

    name: str
    kernel: Callable[..., Any]
    law: Twin
    sampler: Sampler
    table: NDArray[np.uint64]
    halves: NDArray[np.uint32]

    def __repr__(self) -> str:
        return self.name


CASES = [
    Case(
        "rounded-gaussian",
        gaussian.add_rounded_gaussian,
        GAUSSIAN,
        gaussian_noise.ROUNDED,
        gaussian.Z_TABLE,
        gaussian.Z_HALVES,
    ),
    Case(
        "discrete-laplace",
        laplace.add_discrete_laplace,
        DISCRETE,
        laplace_noise.DISCRETE,
        laplace.V_TABLE,
        laplace.V_HALVES,
    ),
    Case(
        "rounded-laplace",
        laplace.add_rounded_laplace,
        ROUNDED,
        laplace_noise.ROUNDED,
        laplace.V_TABLE,
        laplace.V_HALVES,
    ),
]

SCALES = [
    (1, 0),
    (1, 62),
    (3, 1),
    (12_345, 7),
    ((1 << 31) + 1, 31),
    ((1 << 32) - 1, 62),
    (1 << 32, 30),
    (1 << 32, 0),
    ((1 << 48) - 1, 20),
    (1 << 48, 0),
]

EDGES = [0, 1, 2, 3, HALF - 1, HALF, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, 2**64 - 2, 2**64 - 1]


def packed(u: int, sign: int, x: int, a: int) -> Words:
    """The words of a trial from 63 bits of U, its sign, 64 bits of x and 64 bits of A."""
    first = (u >> 32) << 33 | sign << 32 | a >> 32
    return first, x, (u % HALF) << 32 | a % HALF


def rounding_edge(law: Twin, whole: int, scale: tuple[int, int], target: int) -> int | None:
    """An x whose further bits decide whether the size is ``target`` or one more.

    None where the boundary is outside [0, 1) or where it is the end of an
    interval of x, so that nothing is left to decide.
    """
    multiplier, shift = scale[0], scale[1] + law.step_bits
    # multiplier (whole 2^64 + x) < boundary 2^(63 + shift) < multiplier (whole 2^64 + x + 1)
    boundary = (2 * target + (1 if law.rounded else 2)) << (63 + shift)
    x, rest = divmod(boundary, multiplier)
    x -= whole << 64
    return x if rest and 0 <= x < 1 << 64 else None


def edgy(case: Case, scale: tuple[int, int], seed: int, count: int) -> Iterator[Words]:
    """Random trials; in three of five something is on or beside an edge of a comparison."""
    draw = np.random.default_rng(seed)
    entries = table(case.law)

    def word(below: int = 1 << 64) -> int:
        return int(draw.integers(0, below - 1, dtype=np.uint64, endpoint=True))

    def near(centre: int, far: int, below: int) -> int:
        return min(max(centre + int(draw.integers(-far, far, endpoint=True)), 0), below - 1)

    for _ in range(count):
        u, sign, x, a = word(1 << 63), word(2), word(), word()
        kind = int(draw.integers(0, 12))
        if kind <= 1:  # U at an entry, and at one that agrees with it in the half only
            u = near(entries[word(len(entries))], 1, 1 << 63)
            u = u if kind else u ^ (1 << int(draw.integers(0, 32)))
        whole = sum(u > entry for entry in entries)
        if kind in (2, 3):  # A at the chance of a full word
            a = near(case.law.chance(whole, x, 64), 70, 1 << 64)
        elif kind == 4:  # A at the chance of a half
            a = near(case.law.chance(whole, x >> 32, 32), 30, HALF) << 32 | word(HALF)
        elif kind == 5:  # x at a boundary of rounding
            size = ((whole << 64) + x) * scale[0] >> (64 + scale[1] + case.law.step_bits)
            edge = rounding_edge(case.law, whole, scale, size)
            x = x if edge is None else near(edge, 1, 1 << 64)
        words = list(packed(u, sign, x, a))
        if kind == 6:
            words[word(3)] = EDGES[word(len(EDGES))]
        yield words[0], words[1], words[2]


def drive(case: Case, scale: tuple[int, int], words: Words) -> tuple[Outcome, int]:
    """The kernel's outcome of one trial, and how many words it read."""
    cells = np.zeros(1, np.uint64)
    zero = np.uint64(0)
    multiplier, shift = map(np.uint64, scale)
    status, cell, at = case.kernel(cells, zero, multiplier, shift, np.array(words, np.uint64), zero)
    if status == trial.OK:
        assert cell == 1
        return int(cells.view(np.int64)[0]), int(at)
    assert cell == cells[0] == 0
    if status == trial.TIE:
        assert at == 0
        return TIE, 3
    assert status == trial.OUT_OF_WORDS
    return DROPPED, int(at)
