"""Does the time of one draw say how large its noise is?

The measure, on 100,000 single draws: Spearman's correlation of |noise| with
time, and how far apart the median times of five classes of |noise| lie.

The rule, for machines that do other things too: the garbage collector is off;
the draws are independent, so whatever else the machine does falls on all sizes
alike; five repeats, each with words of its own, and of each measure the median
of the five counts.  Without a leak Spearman's correlation has a standard
deviation of 0.003, so the bar of 0.05 is far out.

The same measure must see a leak where there is one: in OpenDP's sampler, whose
time depends on what it draws, and in a toy that counts its steps.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from time import perf_counter_ns
from typing import Any, NamedTuple

import numba as nb
import numpy as np
import pytest
from numpy.typing import NDArray
from opendp.domains import atom_domain
from opendp.measurements import make_laplace
from opendp.metrics import absolute_distance
from opendp.mod import enable_features
from scipy import stats

from privlab.kernels.gaussian import add_rounded_gaussian
from privlab.kernels.laplace import add_discrete_laplace, add_rounded_laplace
from privlab.kernels.trial import OK
from privlab.mechanisms.entropy import KeyStream

pytestmark = pytest.mark.slow

DRAWS = 100_000
REPEATS = 5
CLASSES = 5

BAR = 0.05
"""For |Spearman|."""

APART = 0.02
"""For the class medians: the largest less the smallest, over the median of all draws."""

ROOM = 96
"""Words for one draw, so that it never runs out."""

KERNELS = [add_rounded_gaussian, add_discrete_laplace, add_rounded_laplace]

SCALES = [(3, 1), ((1 << 31) + 3, 20)]
"""1.5, where many draws are equal, and 2048."""


class Found(NamedTuple):
    """Of one repeat, or of several."""

    spearman: float
    apart: float


def measured(draw: Callable[[int], Any], size: Callable[[Any, int], int], draws: int) -> Found:
    """draw: timed, from the number of the call; size: |noise| from what it returned, untimed."""
    sizes = np.empty(draws, np.int64)
    times = np.empty(draws, np.int64)
    gc.disable()
    try:
        for call in range(draws):
            begin = perf_counter_ns()
            drawn = draw(call)
            times[call] = perf_counter_ns() - begin
            sizes[call] = size(drawn, call)
    finally:
        gc.enable()
    cuts = np.unique(np.quantile(sizes, np.arange(1, CLASSES) / CLASSES))
    classes = np.searchsorted(cuts, sizes, side="right")
    medians = [np.median(times[classes == one]) for one in np.unique(classes)]
    apart = float((max(medians) - min(medians)) / np.median(times))
    return Found(abs(float(stats.spearmanr(sizes, times).statistic)), apart)


def medians(repeats: list[Found]) -> Found:
    """What the rule above judges."""
    return Found(median(one.spearman for one in repeats), median(one.apart for one in repeats))


def measured_kernel(kernel: Any, scale: tuple[int, int], key: int) -> Found:
    """A compiled sampler, on one cell at a time."""
    with KeyStream(key.to_bytes(32, "big")) as stream:
        words = stream.take(ROOM * DRAWS).reshape(DRAWS, ROOM)
    parts = list(words)
    cells = list(np.zeros((DRAWS, 1), np.uint64))
    zero, multiplier, shift = np.uint64(0), np.uint64(scale[0]), np.uint64(scale[1])

    def draw(call: int) -> Any:
        return kernel(cells[call], zero, multiplier, shift, parts[call], zero)

    def size(returned: Any, call: int) -> int:
        assert returned[0] == OK
        return abs(int(cells[call].view(np.int64)[0]))

    draw(0)
    cells[0][0] = 0
    return measured(draw, size, DRAWS)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_the_time_of_a_draw_says_nothing_of_its_size(kernel: Any, scale: tuple[int, int]) -> None:
    """Five times 100,000 draws of every law, at a small and a large scale."""
    repeats = [measured_kernel(kernel, scale, key) for key in range(REPEATS)]
    found = medians(repeats)
    assert found.spearman < BAR, repeats
    assert found.apart < APART, repeats


@nb.njit
def steps(words: NDArray[np.uint64], stop: np.uint64) -> int:
    """A geometric number, by looking at words until one is below ``stop``."""
    at = 0
    while words[at] >= stop:
        at += 1
    return at


def test_the_measure_sees_a_sampler_that_counts_steps() -> None:
    """A geometric number with mean 31, in a nanosecond a step."""
    with KeyStream(bytes(32)) as stream:
        words = stream.take(1024 * 2_000)
    stop = np.uint64(1 << 59)
    words[-1] = 0
    steps(words, stop)
    starts = np.random.default_rng(3).integers(0, words.size - 4_096, DRAWS)
    parts = [words[start:] for start in starts]
    found = measured(lambda call: steps(parts[call], stop), lambda drawn, call: drawn, DRAWS)
    assert found.spearman > BAR
    assert found.apart > APART


def test_the_measure_sees_opendps_leak() -> None:
    """Its exact discrete Laplace, 20,000 draws at b = 1000."""
    enable_features("contrib")
    laplace = make_laplace(atom_domain(T="i64"), absolute_distance(T="i64"), scale=1000.0)
    found = measured(lambda call: laplace(0), lambda drawn, call: abs(drawn), 20_000)
    assert found.spearman > BAR
    assert found.apart > APART
