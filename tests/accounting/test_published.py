"""Published errors of strategies, met by our noise at a charge of mu^2 = 1.

A strategy answers a workload from noisy sums of its own.  Its whole loss here is
that of one `GaussianEvent`, or of several that add up, so these are the figures that
a planner of workloads has to meet.  Sources: McKenna, Miklau, Hay, Machanavajjhala,
"HDMM" (2018, arXiv:1808.03537); Xiao, He, Zhang, Kifer, "An Optimal and Scalable
Matrix Mechanism for Noisy Marginals" (2023, arXiv:2305.08175), Theorem 4.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from dp_accounting.pld import accountant, common, privacy_loss_distribution
from numpy.typing import NDArray

from privlab.accounting.charge import charge
from privlab.terms.events import GaussianEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import RoundedGaussian

Matrix = NDArray[np.float64]

ONE = Loss.charge(Fraction(1))

DOMAINS = {
    "CPS": (100, 50, 7, 4, 2),
    "Adult": (100, 100, 100, 99, 85, 42, 16, 15, 9, 7, 6, 5, 2, 2),
    "Loans": (101, 101, 101, 101, 3, 8, 36, 6, 51, 4, 5, 15),
}
MARGINALS = {
    "CPS": (1.7439, 2.0346, 2.0477, 2.2759),
    "Adult": (3.0468, 6.3587, 10.5153, 10.6650),
    "Loans": (2.8753, 5.6343, 8.7019, 8.8756),
}
"""RMSE of a cell of all marginals of 1, 2, 3 and at most 3 attributes."""


def noise_for(squared: int) -> RoundedGaussian:
    """What a vector of this squared sensitivity gets for a charge of one."""
    noise = RoundedGaussian.at_most(Fraction(1, squared))
    assert charge(GaussianEvent(squared, noise), Currency.GDP).loss <= ONE
    return noise


def all_ranges(size: int) -> tuple[Matrix, int]:
    """W'W of all ranges, and how many they are."""
    at = np.arange(1, size + 1)
    gram = np.minimum.outer(at, at) * (size + 1 - np.maximum.outer(at, at))
    return gram.astype(float), size * (size + 1) // 2


def halves(size: int) -> Matrix:
    """A binary tree of sums: every block of a power of two."""
    rows = []
    block = size
    while block:
        rows += [np.repeat(np.eye(size // block)[at], block) for at in range(size // block)]
        block //= 2
    return np.array(rows)


def wavelet(size: int) -> Matrix:
    """Haar's: the total, and each block's first half less its second."""
    rows = [np.ones(size)]
    block = size
    while block > 1:
        step = np.repeat([1.0, -1.0], block // 2)
        rows += [np.kron(np.eye(size // block)[at], step) for at in range(size // block)]
        block //= 2
    return np.array(rows)


def error(strategy: Matrix, gram: Matrix, queries: int) -> float:
    """RMSE of the workload from this strategy of whole numbers, by least squares."""
    own = strategy.T @ strategy
    noise = noise_for(int(np.diag(own).max()))
    return math.sqrt(float(noise.variance) * np.trace(gram @ np.linalg.inv(own)) / queries)


def least_error(gram: Matrix, queries: int) -> float:
    """The least RMSE of any strategy of columns of length one.

    The best X = A'A has X^-1 W'W X^-1 = diag(weights) where all of its diagonal is
    one; found by moving the weights until it is.
    """
    weights = np.full(len(gram), np.trace(gram) / len(gram))
    lengths = weights
    for _ in range(40):
        root = np.sqrt(weights)
        values, vectors = np.linalg.eigh(root[:, None] * gram * root)
        best = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T / root[:, None] / root
        lengths = np.diag(best)
        if abs(lengths - 1).max() < 1e-5:
            break
        weights = weights * lengths**2
    return math.sqrt(lengths.max() * float(weights @ (1 / lengths)) / queries)


def bound(gram: Matrix, queries: int) -> float:
    """Below which no strategy comes, by singular values (Li, Miklau 2013)."""
    values = np.maximum(np.linalg.eigvalsh(gram), 0)
    return float(np.sqrt(values).sum()) / math.sqrt(len(gram) * queries)


@pytest.mark.parametrize(
    ("size", "identity", "tree", "haar", "optimised", "least"),
    [
        (256, 9.2736, 3.8354, 3.5050, 2.9022, 2.8764),
        (1024, 18.4932, 4.6542, 4.3185, 3.5681, 3.4923),
    ],
)
def test_ranges_have_the_published_errors_at_a_charge_of_one(
    size: int, identity: float, tree: float, haar: float, optimised: float, least: float
) -> None:
    """The published optimum is one search's; the least error lies between it and the bound."""
    gram, queries = all_ranges(size)
    assert round(error(np.eye(size), gram, queries), 4) == identity
    assert round(error(halves(size), gram, queries), 4) == tree
    assert round(error(wavelet(size), gram, queries), 4) == haar
    assert round(bound(gram, queries), 4) == least
    assert least < least_error(gram, queries) <= optimised


def test_prefixes_have_the_published_bound() -> None:
    """n = 1024: 22.64 from single counts, 3.0653 from a published search, 2.9096 at least."""
    at = np.arange(1, 1025)
    gram = (1025 - np.maximum.outer(at, at)).astype(float)
    assert round(error(np.eye(1024), gram, 1024), 2) == 22.64
    assert round(bound(gram, 1024), 4) == 2.9096
    assert 2.9096 < least_error(gram, 1024) <= 3.0653


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize(("column", "ways"), enumerate([(1,), (2,), (3,), (0, 1, 2, 3)]))
def test_marginals_have_the_published_errors_at_a_charge_of_one(
    name: str, column: int, ways: tuple[int, ...]
) -> None:
    """Residuals of every marginal, each with the noise that is best for their sum of errors."""
    sizes = DOMAINS[name]
    weight: dict[tuple[int, ...], float] = {}
    cells = 0
    for way in ways:
        for marginal in itertools.combinations(range(len(sizes)), way):
            of = math.prod(sizes[at] for at in marginal)
            cells += of
            for kept in range(way + 1):
                for part in itertools.combinations(marginal, kept):
                    gone = math.prod(sizes[at] ** 2 for at in marginal if at not in part)
                    weight[part] = weight.get(part, 0.0) + of * residual(part, sizes) / gone
    root = {part: math.sqrt(w * residual(part, sizes)) for part, w in weight.items()}
    total = sum(root.values())
    variances = {part: residual(part, sizes) * total / root[part] for part in root}
    spent = sum(residual(part, sizes) / variance for part, variance in variances.items())
    assert spent == pytest.approx(1)
    errors = sum(weight[part] * variance for part, variance in variances.items())
    assert round(math.sqrt(errors / cells), 4) == MARGINALS[name][column]


def residual(part: tuple[int, ...], sizes: tuple[int, ...]) -> float:
    """The squared sensitivity of a marginal's residual."""
    return math.prod((sizes[at] - 1) / sizes[at] for at in part)


@pytest.mark.parametrize(
    ("delta", "epsilon"), [(1e-5, 1.828244), (1e-6, 2.124523), (1e-9, 2.989591)]
)
def test_the_oracle_knows_sampled_gaussians(delta: float, epsilon: float) -> None:
    """1,000 rounds at a rate of 1 in 100, sigma 1: no event of ours, and what training will meet."""
    once = privacy_loss_distribution.from_gaussian_mechanism(
        1.0, sampling_prob=0.01, value_discretization_interval=1e-4
    )
    assert once.self_compose(1000).get_epsilon_for_delta(delta) == pytest.approx(epsilon, abs=2e-6)


@pytest.mark.parametrize(("queries", "scale"), [(20, 13.6), (500, 71.0)])
def test_the_oracle_s_smallest_laplace_noise_is_as_published(queries: int, scale: float) -> None:
    budget = common.DifferentialPrivacyParameters(1, 1e-4)
    assert accountant.get_smallest_laplace_noise(budget, queries) == pytest.approx(scale, abs=0.051)
