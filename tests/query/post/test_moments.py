"""Variances, covariances and correlations: what is shown, and how often it covers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.query.post.moments import Moments
from privlab.query.post.tree import Moment, MomentOut
from privlab.terms.loss import Currency

Ask = Callable[..., Question]
CONFIDENCE = Fraction(95)
SUMS = {
    Moment.VAR_POP: lambda v, _: np.var(v),
    Moment.VAR_SAMP: lambda v, _: np.var(v, ddof=1),
    Moment.STDDEV_POP: lambda v, _: np.std(v),
    Moment.COVAR_POP: lambda v, w: np.cov(v, w, ddof=0)[0, 1],
    Moment.CORR: lambda v, w: np.corrcoef(v, w)[0, 1],
}


def values(rows: int, law: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of 0..60 and of 0..110 that go together a little."""
    draw = np.random.default_rng(rows)
    one = draw.integers(0, 61, rows)
    if law == "skewed":
        one = np.minimum(60, draw.exponential(4, rows).astype(int))
    return one, np.minimum(110, one + draw.integers(0, 51, rows))


def moment(kind: Moment, ask: Ask) -> tuple[MomentOut, Question]:
    two = kind in (Moment.COVAR_POP, Moment.CORR)
    value = "CASE WHEN stay_days IS NULL THEN 0 ELSE stay_days END"
    text = f"{kind.value.upper()}({value}{', age' if two else ''})"
    question = ask(f"SELECT {text} AS v FROM visits")
    out = question.finish.outputs[0].out
    assert isinstance(out, MomentOut)
    return out, question


def exact_sums(out: MomentOut, question: Question, v: np.ndarray, w: np.ndarray) -> list[int]:
    """What each measure sums up to, without noise."""
    sums = {out.count: len(v)}
    measures = question.plan.measures
    about = {}
    for index, column in ((out.second, w), (out.first, v)):
        about[index] = column - int(measures[index].centre)
        sums[index] = int(about[index].sum())
    products = [(out.product, out.first, out.second)]
    if out.squares is not None:
        products += [
            (out.squares[0], out.first, out.first),
            (out.squares[1], out.second, out.second),
        ]
    for index, one, two in products:
        sums[index] = int((about[one] * about[two] - int(measures[index].centre)).sum())
    return [sums[index] for index in range(len(measures))]


@pytest.mark.parametrize("law", ["even", "skewed"])
@pytest.mark.parametrize("rows", [4, 80, 3_000])
@pytest.mark.parametrize("kind", SUMS)
def test_intervals_of_moments_cover(ask: Ask, kind: Moment, rows: int, law: str) -> None:
    """300 draws each; the 30 cases together fail once in 50 if all cover 95 % exactly."""
    out, question = moment(kind, ask)
    v, w = values(rows, law)
    two = out.first != out.second
    columns = (v, w) if two else (v, v)
    if two and question.plan.measures[out.first].high > 60:
        columns = (w, v)
    sums = exact_sums(out, question, *columns)
    expected = float(SUMS[kind](v, w))
    sigmas = [3.0 * measure.radius for measure in question.plan.measures]
    noise = np.random.default_rng(5).normal(0, 1, (300, len(sums)))
    precisions = [Fraction(1) / Fraction(sigma) ** 2 for sigma in sigmas]
    covered = 0
    for row in noise:
        released = [
            (Fraction(round(exact + sigma * one)),)
            for exact, sigma, one in zip(sums, sigmas, row, strict=True)
        ]
        moments = Moments(Currency.GDP, question.plan.measures, released, precisions)
        value, (low, high) = moments.of(out, 0, CONFIDENCE)
        assert low is not None
        assert high is not None
        assert low <= value <= high
        covered += float(low) - 1e-9 <= expected <= float(high) + 1e-9
    assert covered / 300 >= 0.95 - 3.6 * (0.95 * 0.05 / 300) ** 0.5


def test_a_moment_without_noise_is_itself(ask: Ask) -> None:
    for kind, law in ((kind, law) for kind in SUMS for law in ("even", "skewed")):
        out, question = moment(kind, ask)
        v, w = values(500, law)
        swap = out.first != out.second and question.plan.measures[out.first].high > 60
        columns = (w, v) if swap else (v, w if out.first != out.second else v)
        released = [(Fraction(one),) for one in exact_sums(out, question, *columns)]
        fine = [Fraction(1 << 40)] * len(released)
        shown = finish(question, released, fine, CONFIDENCE)
        assert float(shown.rows[0][0]) == pytest.approx(float(SUMS[kind](v, w)), rel=1e-12)


def test_nothing_is_shown_that_cannot_be(ask: Ask) -> None:
    """No count, or sums that no values have: the middle, or an end, of what is possible."""
    for kind, least, most in (
        (Moment.VAR_POP, 0, 900),
        (Moment.VAR_SAMP, 0, 1800),
        (Moment.CORR, -1, 1),
    ):
        out, question = moment(kind, ask)
        for count in (-5, 0, 1, 40):
            for total in (-(10**7), 0, 10**7):
                released = [
                    (Fraction(count if index == out.count else total),)
                    for index in range(len(question.plan.measures))
                ]
                shown = finish(question, released, [Fraction(1)] * len(released), CONFIDENCE)
                value, width = shown.rows[0][0], shown.half_widths[0][0]
                assert least <= value <= most
                assert width is not None
                assert width <= most - least
