"""What fits in the rest of a budget, beside what is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.afford import Holding, holdings, reach, share
from privlab.query.plan import Measure, MeasureKind, Question, Ref
from privlab.query.plan_text import decimal
from privlab.query.price import Offer, Priced, price
from privlab.terms.catalog import Kind
from privlab.terms.loss import NOTHING, Currency, Loss
from privlab.wire.messages import Price

Ask = Callable[..., Question]
GRANTED = Loss.budget(Fraction(1, 4))

TEXTS = (
    "SELECT COUNT(*) AS n FROM visits",
    "SELECT ward, COUNT(*) AS n, SUM(cost) AS c, AVG(stay_days) AS s FROM visits GROUP BY ward",
)

MEDIAN = Measure(
    MeasureKind.QUANTILE, Ref("stay_days", Kind.INT), Fraction(0), Fraction(60), q=Fraction(1, 2)
)


def bought(question: Question, percent: str, held: tuple[Fraction, ...]) -> Priced:
    offer = Offer.parse(Price(share=percent), "95")
    return price(question, offer, held, GRANTED, Fraction(1, 10**6))


@settings(deadline=None, max_examples=60)
@given(
    text=st.sampled_from(TEXTS),
    currency=st.sampled_from(Currency),
    first=st.integers(1, 60),
    left=st.integers(1, 40),
    uneven=st.integers(0, 9),
    median=st.booleans(),
)
def test_the_share_that_fits_fits_and_is_finer(
    ask: Ask, text: str, currency: Currency, first: int, left: int, uneven: int, median: bool
) -> None:
    """Taken at its word, with what is held of some measures only, or of all."""
    question = replace(ask(text), currency=currency)
    if median:
        plan = question.plan
        question = replace(question, plan=replace(plan, measures=(*plan.measures, MEDIAN)))
    none = (Fraction(0),) * len(question.plan.measures)
    held = tuple(
        have if (uneven + at) % 3 else Fraction(0)
        for at, have in enumerate(bought(question, str(first), none).precisions)
    )
    rest = Loss(GRANTED.units * left // 100)

    offered = share(holdings(question, held), rest, GRANTED)

    if offered is None:
        assert not all(one.adds for one in holdings(question, held))
        assert all(held)
    else:
        again = bought(question, decimal(offered), held)
        assert NOTHING < again.charge <= rest
        assert any(now > had for now, had in zip(again.precisions, held, strict=True))


losses = st.lists(st.integers(1, 1000), min_size=1, max_size=4)


@given(
    wanted=losses, held=losses, adds=st.lists(st.booleans(), min_size=4), left=st.integers(1, 500)
)
def test_the_reach_is_the_most_that_is_paid_for(
    wanted: list[int], held: list[int], adds: list[bool], left: int
) -> None:
    """Nothing a little farther fits, and nothing is offered that buys nothing."""
    wants = [Loss(one) for one in wanted]
    holds = [Holding(Loss(held[at % len(held)]), adds[at]) for at in range(len(wanted))]

    def cost(factor: Fraction) -> Fraction:
        spent = Fraction(0)
        for want, one in zip(wants, holds, strict=True):
            level = want.units * factor
            if level > one.loss.units:
                spent += level - (one.loss.units if one.adds else 0)
        return spent

    found = reach(wants, holds, Loss(left))

    if found is None:
        steps = {one.finer / want.units for want, one in zip(wants, holds, strict=True)}
        assert all(cost(step * Fraction(1_000_001, 1_000_000)) > left for step in steps)
    else:
        assert any(want.units * found > one.finer for want, one in zip(wants, holds, strict=True))
        assert 0 < cost(found) <= left
        assert cost(found * Fraction(1_000_001, 1_000_000)) > cost(found)
        assert cost(found * 2) > left


@pytest.mark.parametrize(
    ("adds", "left", "percent"), [(True, 10, 40), (False, 10, None), (False, 31, 31)]
)
def test_what_is_held_counts_where_precisions_add(
    adds: bool, left: int, percent: int | None
) -> None:
    assert share([Holding(Loss(300_000), adds)], Loss(left * 10_000), Loss(10**6)) == percent


def test_of_nothing_no_share_fits() -> None:
    assert share([Holding()], NOTHING, Loss(100)) is None
    assert share([Holding()], NOTHING, NOTHING) is None
    assert share([Holding(), Holding()], Loss(1), Loss(100)) is None
