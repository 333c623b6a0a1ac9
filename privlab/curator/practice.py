"""Practice: a question answered as it would be, on rows that the contract makes up.

The stops are those of `privlab.curator.answer` as far as they concern the
question: read, price, policy, bound, noise, post-processing.  None of those that
concern data: no part is looked for, no key unwrapped, nothing charged, signed or
recorded.  A refusal is the one a real question would get, and is recorded as
one.  No grant is needed, and none need be left.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.accounting.levels import level
from privlab.curator import answer
from privlab.curator.answer import Compiled, Standing
from privlab.curator.desk import Desk
from privlab.curator.state import DELTA
from privlab.engine.practice import Practice
from privlab.errors import CuratorFailed, EngineFailed, Refused
from privlab.query.finish import finish
from privlab.query.trade import trade_of
from privlab.query.words import caption, rank_words
from privlab.release.result import decimal, result_json
from privlab.terms.catalog import Table
from privlab.terms.loss import NOTHING
from privlab.terms.noise import Mechanism
from privlab.terms.principal import Principal
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
        job = Practice(asked.question.plan, noises, contracts)
        try:
            measured = desk.engine.run(job)
        except EngineFailed:
            raise CuratorFailed from None  # its words: nothing was charged
    explained = _explained(desk, principal, asked)
    return Practised(result=_result(ask, asked, explained, noises, measured), explanation=explained)


def _standing(desk: Desk, principal: Principal, table: Table) -> Standing:
    """Her account, or the grant supposed for practice."""
    try:
        return answer.standing(desk, principal, table)
    except Refused:
        return Standing(level(SUPPOSED).cap_in(table.currency), NOTHING, DELTA)


def _noises(asked: Compiled) -> tuple[Mechanism, ...]:
    """Per measure the noise of the real answer: also of what she holds, in one draw."""
    priced, currency = asked.priced, asked.question.currency
    return tuple(
        noise
        if noise is not None and noise.precision == precision
        else trade_of(measure, currency).mechanism(precision)
        for measure, noise, precision in zip(
            asked.question.plan.measures, priced.noises, priced.precisions, strict=True
        )
    )


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
    measured: Sequence[Sequence[int]],
) -> str:
    confidence, together = asked.offer.confidence, asked.offer.together
    precisions = tuple(noise.precision for noise in noises)
    table = finish(
        asked.question,
        tuple(tuple(map(Fraction, vector)) for vector in measured),
        precisions,
        confidence,
        together=together,
    )
    words = [
        PRACTICE,
        *_noise_words(explained, confidence),
        caption(asked.question, asked.table, together=together),
        *rank_words(asked.question, precisions, confidence, together=together),
    ]
    return result_json(table, title=ask.name, caption="; ".join(words))


def _noise_words(explained: Explanation, confidence: Fraction) -> list[str]:
    """How far off the real answer would be, as far as that is known beforehand."""
    known = [f"{one.name} ±{one.half_width}" for one in explained.columns if one.half_width]
    if not known:
        return []
    return [f"the real answer would have {', '.join(known)} at {decimal(confidence)} %"]
