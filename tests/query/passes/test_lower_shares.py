"""Which grid a value's shares are on, and when there are none."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.errors import BadQuery
from privlab.query.compile import compile_question
from privlab.query.joint import purchases
from privlab.query.passes.lower_aggregate import HEADROOM
from privlab.query.passes.lower_shares import LARGEST
from privlab.query.plan import MeanOut, Question
from privlab.query.post.tree import MomentOut, SharesOut
from privlab.query.shares import LINE, PARABOLA
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Table
from privlab.terms.loss import Currency


def asked(text: str, table: Table, **changes: object) -> Question:
    table = replace(table, currency=Currency.PURE, **changes)  # type: ignore[arg-type]
    return compile_question(f"SELECT {text} AS v FROM visits", {}, Catalog((table,)))


def test_a_mean_has_two_shares_and_a_variance_three(visits: Table) -> None:
    for text, family in (("AVG(stay_days)", LINE), ("STDDEV(stay_days)", PARABOLA)):
        question = asked(text, visits)
        assert {one.share for one in question.plan.measures} == set(family)
        assert {(one.low, one.high, one.step, one.centre) for one in question.plan.measures} == {
            (0, 60, 1, 0)
        }


def test_a_condition_as_a_value_has_one_step(visits: Table) -> None:
    question = asked("AVG(CASE WHEN age > 64 THEN 1 ELSE 0 END)", visits)
    assert {one.radius for one in question.plan.measures} == {1}


@pytest.mark.parametrize("text", ["AVG(cost)", "VAR_POP(cost)", "VAR_POP(cost * cost)"])
@pytest.mark.parametrize("rows", [1, 8, 1000])
@pytest.mark.parametrize("cap", [10_000, 10**9])
def test_shares_fit_their_noise_and_their_sums_int64(
    visits: Table, text: str, rows: int, cap: int
) -> None:
    question = asked(text, visits, bound=ContributionBound(rows, rows, 1), row_cap=cap)
    if not isinstance(question.finish.outputs[0].out, SharesOut):
        assert rows * cap > 10**9
        return
    (one,) = purchases(question)
    assert one.sensitivity <= LARGEST
    measure = question.plan.measures[0]
    assert cap * measure.radius < HEADROOM
    assert (measure.high - measure.low) / measure.reach == measure.step


def test_where_a_step_would_be_too_coarse_there_are_sums_and_a_count(visits: Table) -> None:
    many = ContributionBound(10**6, 10**6, 1)
    variance = asked("VAR_POP(cost)", visits, bound=many, row_cap=10**10)
    assert isinstance(variance.finish.outputs[0].out, MomentOut)
    mean = asked("AVG(cost)", visits, bound=ContributionBound(1 << 37, 1 << 37, 1))
    assert isinstance(mean.finish.outputs[0].out, MeanOut)


def test_the_low_end_is_where_a_value_is_counted_from(visits: Table) -> None:
    """So that a narrow range far from zero keeps its own steps."""
    question = asked("AVG(cost + 1000000000)", visits)
    assert {one.centre for one in question.plan.measures} == {Fraction(10**9)}


@pytest.mark.parametrize(("text", "code"), [("AVG(score)", "PL103"), ("STDDEV(ward)", "PL111")])
def test_what_has_no_sum_has_no_shares(visits: Table, text: str, code: str) -> None:
    with pytest.raises(BadQuery) as caught:
        asked(text, visits)
    assert caught.value.code == code
