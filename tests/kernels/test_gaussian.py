"""The compiled sampler against its twin, its definition and its law."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from flint import arb, ctx, fmpz
from scipy import stats

from privlab.kernels import gaussian as kernel
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.gaussian import add_noise
from privlab.terms.noise import RoundedGaussian
from tests.kernels.twin_gaussian import DROPPED, EXP, TIE, limit, reference, twin, z_table

PARAMETERS = [
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
EDGES = [0, 1, 2, 3, (1 << 32), (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 2, (1 << 64) - 1]


def edgy_words(seed: int, trials: int) -> np.ndarray:
    """Random words, a fifth of them replaced by edges: extremes, table entries, near limits."""
    draw = np.random.default_rng(seed)
    words = draw.integers(0, 1 << 64, 3 * trials, dtype=np.uint64)
    for at in draw.choice(3 * trials, 3 * trials // 5, replace=False):
        kind = at % 3
        if kind == 0 and draw.random() < 0.5:
            entry = z_table()[draw.integers(0, 26)] + int(draw.integers(-1, 2))
            words[at] = 2 * entry + int(draw.integers(0, 2))
        elif kind == 2 and draw.random() < 0.5:
            z = sum((int(words[at - 2]) >> 1) > entry for entry in z_table())
            near = limit(z, int(words[at - 1])) + int(draw.choice([-66, -65, -64, 0, 64, 65, 66]))
            words[at] = min(max(near, 0), (1 << 64) - 1)
        else:
            words[at] = EDGES[draw.integers(0, len(EDGES))]
    return words


def drive(words: np.ndarray, multiplier: int, shift: int) -> Iterator[int | str]:
    """The kernel's outcome of every trial, one by one."""
    for at in range(0, words.size, 3):
        cells = np.zeros(1, np.uint64)
        status, cell, _ = kernel.add_rounded_gaussian(
            cells,
            np.uint64(0),
            np.uint64(multiplier),
            np.uint64(shift),
            words[at : at + 3],
            np.uint64(0),
        )
        if status == kernel.TIE:
            assert cell == 0
            assert cells[0] == 0
            yield TIE
        else:
            yield int(cells.view(np.int64)[0]) if status == kernel.OK else DROPPED


@pytest.mark.parametrize(("multiplier", "shift"), PARAMETERS)
def test_the_twin_agrees_word_for_word(multiplier: int, shift: int) -> None:
    """Same outcome on every trial, and every kind of outcome occurs."""
    words = edgy_words(multiplier + shift, 1200)
    found = list(drive(words, multiplier, shift))
    trials = [tuple(map(int, words[at : at + 3])) for at in range(0, words.size, 3)]
    assert [twin(trial, multiplier, shift) for trial in trials] == found
    assert {TIE, DROPPED} < set(found)


@pytest.mark.parametrize(("multiplier", "shift"), [(3, 1), (1 << 32, 0), ((1 << 31) + 1, 31)])
def test_what_the_kernel_decides_is_what_infinitely_many_bits_would_give(
    multiplier: int, shift: int
) -> None:
    """No decision is taken on words that leave it open: checked from the definition."""
    words = edgy_words(7 * shift + 1, 250)
    for trial, outcome in enumerate(drive(words, multiplier, shift)):
        if outcome == TIE:
            continue
        w0, w1, w2 = map(int, words[3 * trial : 3 * trial + 3])
        exact = reference((w0 >> 1, 63), (w1, 64), (w2, 64), multiplier, shift)
        assert exact == (outcome if isinstance(outcome, str) else abs(outcome))


@pytest.mark.parametrize(("multiplier", "shift"), PARAMETERS)
def test_a_vector_is_its_trials_in_order(multiplier: int, shift: int) -> None:
    """Many cells in one call give what the trials give one after the other."""
    words = np.random.default_rng(5).integers(0, 1 << 64, 900, dtype=np.uint64)
    expected = [size for size in drive(words, multiplier, shift) if size != DROPPED]
    values = np.full(400, 17, np.int64)
    status, cell, at = kernel.add_rounded_gaussian(
        values.view(np.uint64),
        np.uint64(0),
        np.uint64(multiplier),
        np.uint64(shift),
        words,
        np.uint64(0),
    )
    assert TIE not in expected
    assert (status, cell, at) == (kernel.OUT_OF_WORDS, len(expected), words.size)
    assert list(values[: len(expected)] - 17) == expected
    assert set(values[len(expected) :]) == {17}


def test_tables_are_what_their_definitions_say() -> None:
    """Z_TABLE against 400-bit intervals, EXP_TABLE against factorials."""
    assert tuple(map(int, kernel.Z_TABLE)) == z_table()
    assert list(map(int, kernel.EXP_TABLE)) == EXP
    assert int(kernel.Z_TABLE[-1]) == (1 << 63) - 1


def test_the_acceptance_limit_is_within_its_proved_error() -> None:
    """At most 43 ulps from 2^64 exp(-x (x + 2z) / 16), for every z and both ends of x."""
    draw = np.random.default_rng(11)
    points = EDGES + [int(x) for x in draw.integers(0, 1 << 64, 60, dtype=np.uint64)]
    worst = 0
    with ctx.workprec(300):
        for z in range(27):
            for x in points:
                found = int(kernel._keep_below(np.uint64(z), np.uint64(x)))
                assert found == limit(z, x)
                for end in (x, x + 1):
                    real = arb(fmpz(end)) / fmpz(2) ** 64
                    exact = (-real * (real + 2 * z) / 16).exp() * fmpz(2) ** 64
                    worst = max(worst, float(abs(exact - found)))
    assert worst <= 43 < kernel.BAND


KNOWN = {
    (1, 0): "3300f94eb50d47ffe2d7ef42b48ad69c700699e3d2ed37fcd27db67ec510b2d7",
    ((1 << 31) + 12_345, 30): "818a554d0b3c61eadbb7971896e74906a7a01aba54c4c58c250b0d67fde15e1e",
    ((1 << 40) + 1, 0): "72acdd9c4294f40ad4d765069cc5f5ff9e07a8400fe82ae096441019a912bfd9",
}


@pytest.mark.parametrize(("scale", "digest"), KNOWN.items())
def test_a_fixed_key_gives_the_known_million(scale: tuple[int, int], digest: str) -> None:
    """SHA-256 of the first 10^6 values, int64 little-endian, under the key 00 01 .. 1f."""
    noise = add_noise(
        np.zeros(1_000_000, np.int64), RoundedGaussian(*scale), KeyStream(bytes(range(32)))
    )
    assert hashlib.sha256(noise.astype("<i8").tobytes()).hexdigest() == digest


LAWS = [(1, 3), (1, 0), (43, 4), (100, 0), ((1 << 31) + 99, 12), ((1 << 44) + 5, 0)]


def law_p_value(scale: tuple[int, int], draws: int, key: int) -> float:
    """Chi-square of ``draws`` values against the rounded Gaussian law."""
    noise = RoundedGaussian(*scale)
    sigma = float(noise.variance) ** 0.5
    with KeyStream(key.to_bytes(32, "big")) as words:
        values = add_noise(np.zeros(draws, np.int64), noise, words)
    cuts = stats.norm.ppf(np.linspace(0, 1, 202)[1:-1]) * sigma
    edges = np.unique(np.round(cuts)) + 0.5
    seen = np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1)
    upto = np.concatenate([[0.0], stats.norm.cdf(edges / sigma), [1.0]])
    expected = draws * np.diff(upto)
    keep = expected > 5
    assert expected[~keep].sum() < 50
    return float(
        stats.chisquare(seen[keep], expected[keep] * seen[keep].sum() / expected[keep].sum()).pvalue
    )


@pytest.mark.parametrize("scale", LAWS)
def test_the_law_is_the_rounded_gaussian(scale: tuple[int, int]) -> None:
    """Chi-square on 400,000 values from a recorded key; a false alarm is one in 10^6."""
    assert law_p_value(scale, 400_000, 20) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("scale", LAWS)
def test_the_law_is_the_rounded_gaussian_at_length(scale: tuple[int, int]) -> None:
    """The same on twenty million values."""
    assert law_p_value(scale, 20_000_000, 21) > 1e-6


IR = """
import numpy as np
from privlab.kernels.gaussian import add_rounded_gaussian as kernel
for text in (*kernel.inspect_llvm().values(), *kernel.inspect_asm().values()):
    print(text)
"""


def test_no_floating_point_and_no_division_is_compiled(tmp_path: object) -> None:
    """Neither the LLVM IR nor the machine code holds one such instruction."""
    done = subprocess.run(
        [sys.executable, "-c", IR],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "add_rounded_gaussian" in done.stdout
    assert len(done.stdout.splitlines()) > 300
    banned = r"\b(double|float|half|uitofp|sitofp|fptoui|fptosi|fadd|fmul|fdiv|[us]div|[us]rem|i?divq|mulsd|addsd|cvt\w+)\b"
    assert re.findall(banned, done.stdout) == []


@pytest.mark.slow
def test_the_time_of_a_draw_says_nothing_of_its_size() -> None:
    """|Spearman(|noise|, time)| < 0.05 over 100,000 single calls."""
    from time import perf_counter_ns

    noise = (np.uint64((1 << 31) + 3), np.uint64(20))
    with KeyStream(bytes(32)) as stream:
        words = stream.take(60 * 100_000)
    sizes, times = [], []
    zero = np.uint64(0)
    for call in range(100_000):
        cells = np.zeros(1, np.uint64)
        part = words[60 * call : 60 * call + 60]
        start = perf_counter_ns()
        kernel.add_rounded_gaussian(cells, zero, *noise, part, zero)
        times.append(perf_counter_ns() - start)
        sizes.append(abs(int(cells.view(np.int64)[0])))
    assert abs(stats.spearmanr(sizes, times).statistic) < 0.05
