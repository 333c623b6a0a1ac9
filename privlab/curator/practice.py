"""Practice: a question answered as it would be, on rows that the contract makes up.

The stops are those of `privlab.curator.answer` as far as they concern the
question: read, price, policy, bound, noise, post-processing.  None of those that
concern data: no part is looked for, no key unwrapped, nothing charged, signed or
recorded.  A refusal is the one a real question would get, and is recorded as
one.  No grant is needed, and none need be left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from privlab.accounting.levels import level, thresholds_of
from privlab.curator import answer
from privlab.curator.answer import Compiled, Standing
from privlab.curator.desk import Desk
from privlab.curator.state import DELTA
from privlab.engine.practice import Practice
from privlab.engine.released import Released
from privlab.errors import CuratorFailed, EngineFailed, Refused
from privlab.query.finish import finish
from privlab.query.trade import trade_of
from privlab.query.words import caption, rank_words, shown_words
from privlab.release.result import decimal, result_json
from privlab.terms.catalog import Table
from privlab.terms.groups import ShownGroups
from privlab.terms.loss import CERTAIN, NOTHING, Currency
from privlab.terms.noise import Mechanism
from privlab.terms.principal import Principal
from privlab.views.measurement import groups as groups_of
from privlab.wire.messages import PRACTICE, Ask, Explanation, Practised

SUPPOSED = "standard"
"""The level whose whole cap is supposed to be granted to whom nothing is granted."""


def practise(desk: Desk, principal: Principal, ask: Ask) -> Practised:
    """Answer ``ask`` about invented rows, with what the real answer would cost.

    :raises PrivlabError: PL1xx and PL2xx, as the real question would be refused;
        PL501, the engine failed.  Nothing is ever spent.
    """
    with desk.buying(principal.name):
        asked = answer.compile_ask(desk, principal, ask, _standing)
        answer.permitted(desk, principal, ask, asked)
        noises = _noises(asked)
        contracts = tuple(one.contract_text for one in asked.manifests)
        threshold = _threshold(asked)
        job = Practice(asked.question.plan, noises, contracts, threshold)
        try:
            measured = desk.engine.run(job)
        except EngineFailed:
            raise CuratorFailed from None  # its words: nothing was charged
    explained = _explained(desk, principal, asked)
    return Practised(
        result=_result(ask, asked, explained, noises, measured, threshold), explanation=explained
    )


def _standing(desk: Desk, principal: Principal, table: Table) -> Standing:
    """Her account, or the grant supposed for practice; so too the delta of thresholds."""
    try:
        stands = answer.standing(desk, principal, table)
        if stands.delta_granted or table.currency is Currency.PURE:
            return stands
        return replace(stands, delta_granted=thresholds_of(stands.delta))
    except Refused:
        supposed = level(SUPPOSED).cap_in(table.currency)
        thresholds = CERTAIN if table.currency is Currency.PURE else thresholds_of(DELTA)
        return Standing(supposed, NOTHING, DELTA, thresholds, CERTAIN)


def _noises(asked: Compiled) -> tuple[Mechanism, ...]:
    """Per measure the noise of the real answer: also of what she holds, in one draw."""
    priced, currency, plan = asked.priced, asked.question.currency, asked.question.plan
    return tuple(
        noise
        if noise is not None and noise.precision == precision
        else trade_of(measure, currency, thresholded=plan.thresholded).mechanism(precision)
        for measure, noise, precision in zip(
            plan.measures, priced.noises, priced.precisions, strict=True
        )
    )


def _threshold(asked: Compiled) -> int | None:
    """Where the real answer's threshold stands, also when it is held already."""
    if asked.priced.threshold is not None:
        return asked.priced.threshold.threshold
    groups = groups_of(asked.holdings) if asked.question.plan.thresholded else None
    return None if groups is None else groups.threshold


def _explained(desk: Desk, principal: Principal, asked: Compiled) -> Explanation:
    """The price of the real question, as ``--explain`` words it."""
    explained = asked.explanation
    dataset = asked.question.plan.dataset
    if desk.ledger.account(principal.name, dataset) and desk.ledger.cap(dataset):
        return explained
    words = (
        f"{explained.words}; you have no grant on {dataset}: supposed is one of level {SUPPOSED}"
    )
    return explained.model_copy(update={"words": words})


def _result(
    ask: Ask,
    asked: Compiled,
    explained: Explanation,
    noises: Sequence[Mechanism],
    measured: Released,
    threshold: int | None,
) -> str:
    confidence, together = asked.offer.confidence, asked.offer.together
    precisions = tuple(noise.precision for noise in noises)
    groups = None
    if threshold is not None and measured.labels is not None:
        groups = ShownGroups(threshold, measured.labels)
    table = finish(
        asked.question,
        tuple(tuple(map(Fraction, vector)) for vector in measured.vectors),
        precisions,
        confidence,
        together=together,
        groups=groups,
    )
    words = [
        PRACTICE,
        *_noise_words(explained, confidence),
        caption(asked.question, asked.table, together=together),
        *shown_words(asked.question, asked.table, groups),
        *rank_words(asked.question, precisions, confidence, together=together),
    ]
    return result_json(table, title=ask.name, caption="; ".join(words))


def _noise_words(explained: Explanation, confidence: Fraction) -> list[str]:
    """How far off the real answer would be, as far as that is known beforehand."""
    known = [f"{one.name} ±{one.half_width}" for one in explained.columns if one.half_width]
    if not known:
        return []
    return [f"the real answer would have {', '.join(known)} at {decimal(confidence)} %"]
