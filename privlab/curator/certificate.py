"""What is recorded and signed about a question: from values at hand, nothing read anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from privlab._version import __version__
from privlab.accounting.charge import charge_all
from privlab.curator.asks import body_digest
from privlab.curator.epsilons import epsilon_text
from privlab.curator.public import public_facts
from privlab.ledger.accounts import ChargeRequest
from privlab.mechanisms.opendp import certifier
from privlab.policy.decide import Permit
from privlab.query import trade
from privlab.query.canonical import question_id, view_ids
from privlab.query.finish import finish
from privlab.query.joint import learned_jointly, purchases
from privlab.query.plan import Output, Question
from privlab.query.post.formula import formula
from privlab.query.post.tree import measures_of
from privlab.query.price import Offer
from privlab.query.selection import threshold_event
from privlab.query.words import caption, rank_words, selects, shown_words
from privlab.release.bundle import make
from privlab.release.result import decimal, result_json
from privlab.release.statement import (
    MeasureFacts,
    OutputFacts,
    PrivacyFacts,
    PublicFacts,
    TableFacts,
    ThresholdFacts,
    noises_of,
    public_tables,
    statement,
)
from privlab.release.verify import verify
from privlab.seal.digest import keyed_digest
from privlab.seal.keys import PublicKey
from privlab.terms.loss import CERTAIN, NOTHING, Delta, Loss
from privlab.terms.noise import Mechanism
from privlab.terms.principal import Principal
from privlab.views import measurement as views
from privlab.views.measurement import Measurement
from privlab.wire.messages import Ask

if TYPE_CHECKING:
    from privlab.curator.answer import Compiled, Paid
    from privlab.curator.desk import Desk

ACCOUNT_LABEL = "privlab/account/v1"
ENGINE = f"privlab {__version__}"

Holdings = Sequence[Sequence[Measurement]]


def charge_request(principal: Principal, ask: Ask, asked: Compiled) -> ChargeRequest:
    """The charge as the ledger writes it down."""
    return ChargeRequest(
        principal=principal.name,
        request_id=ask.id,
        body=body_digest(ask),
        dataset=asked.question.plan.dataset,
        question_id=question_id(asked.question),
        cost=asked.priced.charge,
        delta=asked.priced.delta,
        held=asked.held,
        currency=asked.question.currency,
        purpose=ask.purpose,
        confidence=intervals(asked.offer),
        title=ask.name,
        text=ask.text,
    )


def bundle(
    desk: Desk,
    principal: Principal,
    ask: Ask,
    asked: Compiled,
    permit: Permit,
    paid: Paid,
    holdings: Holdings,
) -> str:
    """The signed bundle: the finished table, and the facts that make it worth something.

    holdings: every measurement of each view that the asker has now paid for.
    """
    precisions = tuple(views.held(view) for view in holdings)
    groups = views.groups(holdings)
    answer = finish(
        asked.question,
        tuple(views.merged(view) for view in holdings),
        precisions,
        asked.offer.confidence,
        together=asked.offer.together,
        groups=groups,
    )
    words = [
        caption(asked.question, asked.table, together=asked.offer.together),
        *shown_words(asked.question, asked.table, groups),
        *rank_words(
            asked.question, precisions, asked.offer.confidence, together=asked.offer.together
        ),
    ]
    words += [f"with {one.rows:,} public rows of {one.name}" for one in brought(ask, asked)]
    result = result_json(answer, title=ask.name, caption="; ".join(words))
    facts = _facts(desk, principal, ask, asked, permit, paid, holdings)
    return make(result, statement(result, facts), desk.signer)


def _facts(
    desk: Desk,
    principal: Principal,
    ask: Ask,
    asked: Compiled,
    permit: Permit,
    paid: Paid,
    holdings: Holdings,
) -> PrivacyFacts:
    plan, currency = asked.question.plan, asked.question.currency
    joint = {
        at: one for one in purchases(asked.question) if len(one.members) > 1 for at in one.members
    }
    total = learned(asked.question, ([m.noise for m in view] for view in holdings))
    groups, risk = views.groups(holdings), risked(asked.question, holdings)
    salt = desk.custody.derive("account")
    return PrivacyFacts(
        asked_at=asked.asked_at,
        dataset=plan.dataset,
        tables=tuple(
            TableFacts(scan.table, scan.version, plan.reads[scan.table]) for scan in plan.tables
        ),
        synthetic=all(one.synthetic for one in asked.tables),
        unit=plan.unit,
        unit_word=asked.table.unit_word,
        bound=plan.bound,
        query=ask.text,
        plan=question_id(asked.question),
        purpose=ask.purpose,
        charged=paid.charge,
        held=total,
        currency=currency,
        delta=asked.delta,
        thresholds=risk,
        epsilon=epsilon_text(total, currency, asked.delta, 4, risk),
        account=keyed_digest(ACCOUNT_LABEL, salt, principal.name.encode()).hex()[:32],
        spent=paid.spent,
        granted=paid.granted,
        thresholds_spent=paid.delta_spent,
        thresholds_granted=paid.delta_granted,
        epsilon_spent=epsilon_text(paid.spent, currency, asked.delta, 4, paid.delta_spent),
        epsilon_granted=epsilon_text(paid.granted, currency, asked.delta, 4, paid.delta_granted),
        threshold=None
        if groups is None
        else ThresholdFacts(plan.tested, groups.threshold, plan.bound.groups),
        measures=tuple(
            MeasureFacts(
                view=view,
                kind=measure.kind,
                step=measure.step,
                sensitivity=trade.trade_of(measure, currency).sensitivity(measure, plan.bound),
                noises=tuple(m.noise for m in views.shown(found)),
                q=measure.q,
                candidates=measure.candidates if measure.chosen else None,
                share=measure.share,
                among=measure.among,
                joined=joint[index].members[0] if index in joint else None,
                joint=joint[index].sensitivity if index in joint else None,
            )
            for index, (view, measure, found) in enumerate(
                zip(view_ids(plan), plan.measures, holdings, strict=True)
            )
        ),
        outputs=tuple(_output(asked, output) for output in asked.question.finish.outputs),
        confidence=asked.offer.confidence,
        policy=permit.policy,
        rules=permit.rules,
        tier=principal.tier,
        certifier=certifier(asked.priced.events),
        engine=ENGINE,
        selected=selects(asked.question),
        together=asked.offer.together,
        public=brought(ask, asked),
    )


def brought(ask: Ask, asked: Compiled) -> tuple[PublicFacts, ...]:
    """The frames that came with a question and that it reads; others say nothing about it."""
    return public_facts({name: ask.public[name] for name in asked.question.public})


def cites(bundle: str, key: PublicKey, frames: tuple[PublicFacts, ...]) -> bool:
    """Whether a sealed bundle names these frames, by every value of them, and no others.

    Frames that differ in what a question does not read are one view, and two releases.

    :raises IntegrityError: PL407, the stored bundle was changed.
    """
    cited = verify(bundle, key).facts["question"].get("publicTables", [])
    return bool(cited == public_tables(frames))


def intervals(offer: Offer) -> str:
    """What the ledger knows intervals by: their confidence, and whether all hold at once."""
    return f"{decimal(offer.confidence)}{' at once' * offer.together}"


def precisions(bundle: str, key: PublicKey) -> tuple[Fraction, ...]:
    """The precision behind each measure of a sealed bundle.

    :raises IntegrityError: PL407, the stored bundle was changed.
    """
    return tuple(
        sum((noise.precision for noise in noises_of(measure)), Fraction(0))
        for measure in verify(bundle, key).facts["measures"]
    )


def learned(question: Question, bought: Iterable[Iterable[Mechanism]]) -> Loss:
    """What somebody has learned who bought these for its measures, rounded up.

    All that she ever bought counts, also what a finer answer replaced.
    """
    mechanisms = [tuple(each) for each in bought]
    return sum(
        (
            learned_jointly(question, one, [mechanisms[at] for at in one.members])
            for one in purchases(question)
        ),
        NOTHING,
    )


def risked(question: Question, holdings: Holdings) -> Delta:
    """The delta that somebody has paid for the thresholds of these measurements, rounded up.

    All that she ever bought counts, as in `learned`.
    """
    plan = question.plan
    if not plan.thresholded:
        return CERTAIN
    return charge_all(
        (
            threshold_event(m.noise, plan.bound.groups, m.groups.threshold)
            for m in holdings[plan.tested]
            if m.groups is not None
        ),
        question.currency,
    ).delta


def _output(asked: Compiled, output: Output) -> OutputFacts:
    return OutputFacts(
        name=output.name,
        label=output.label,
        measures=measures_of(output.out),
        post_processing=formula(output.out, asked.question.plan),
    )
