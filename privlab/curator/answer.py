"""The life of one query: eight stops, in this order.

The first two are in the notebook (``jupyter/magics.py``, ``client/session.py``)
and the third found out who is asking (``peer.py``).  What matters here is the
order: nothing is read before it was charged, and nothing is answered before it
was sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from privlab.connector.manifest import Manifest
from privlab.curator import asks, bounds, certificate
from privlab.curator.desk import Desk
from privlab.curator.epsilons import mu2
from privlab.curator.public import public_rows
from privlab.curator.receipts import receipt
from privlab.curator.rest import read_by
from privlab.curator.wish import Wish
from privlab.engine.job import Job
from privlab.engine.released import Released
from privlab.errors import (
    BudgetExceeded,
    CuratorUnreachable,
    IntegrityError,
    PolicyDenied,
    Refused,
)
from privlab.mechanisms import opendp
from privlab.policy.decide import Permit
from privlab.query import afford
from privlab.query.afford import Holding
from privlab.query.canonical import question_id, view_ids
from privlab.query.compile import compile_question
from privlab.query.explain import explain as explained
from privlab.query.neighbours import neighbours
from privlab.query.plan import MeasureKind, Question
from privlab.query.price import NEGLIGIBLE, Offer, Priced, price
from privlab.terms.catalog import Catalog, Table
from privlab.terms.groups import ShownGroups
from privlab.terms.loss import NOTHING, Delta, Loss
from privlab.terms.principal import Principal
from privlab.views.measurement import Measurement, held, merged
from privlab.wire.messages import Answer, Ask, Explanation, Phase

Say = Callable[[Phase], None]

NO_RUN = Released(())
"""Of a question all of which is held."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A question with what its asker holds of it and what she would pay.

    tables and manifests are those of the plan, in its order, of the versions that
    ``question`` was compiled for, also when a newer one is registered before the
    answer is sealed.
    """

    asked_at: datetime
    tables: tuple[Table, ...]
    manifests: tuple[Manifest, ...]
    question: Question
    offer: Offer
    holdings: tuple[tuple[Measurement, ...], ...]
    priced: Priced
    granted: Loss
    spent: Loss
    delta: Fraction
    delta_granted: Delta
    delta_spent: Delta

    @property
    def table(self) -> Table:
        """The table the others are joined to."""
        return self.tables[0]

    @property
    def held(self) -> tuple[Holding, ...]:
        """What she holds of each measure, as losses."""
        return afford.holdings(self.question, tuple(map(held, self.holdings)))

    @property
    def explanation(self) -> Explanation:
        """The price in words, and what is cheaper."""
        within = self.offer.within is not None
        cheaper = neighbours(self.question, self.priced, self.table, within=within)
        left = self.granted - self.spent
        return explained(
            self.question,
            self.priced,
            self.granted,
            left,
            self.held,
            cheaper=cheaper,
            thresholds=self.delta_granted,
        )


def answer(
    desk: Desk, principal: Principal, ask: Ask, say: Say, alive: Callable[[], bool]
) -> Answer:
    """Answer one question for ``principal``, or raise what it was refused for.

    say: hears of each stop, in words that never depend on data.
    alive: whether the asker is still there; asked once, just before the charge.

    :raises PrivlabError: PL1xx to PL4xx, and then nothing was spent; PL500, and
        then the charge stands.
    """
    with desk.buying(principal.name):
        say(Phase(phase="read", words="reading the question"))
        asked = compile_ask(desk, principal, ask)
        say(Phase(phase="policy", words="asking the policy"))
        permit = permitted(desk, principal, ask, asked)
        earlier = recorded(desk, principal, ask) or copied(desk, principal, ask, asked)
        if earlier is not None:
            return earlier
        job, priced = prepared(desk, asked), asked.priced
        opendp.certify(priced.events, priced.charge, priced.delta, asked.question.currency)
        if not alive():
            raise CuratorUnreachable("the asker left; nothing was spent", code="PL305")
        say(Phase(phase="charge", words="charging the budget"))
        with charged(desk, principal, ask, asked) as paid:
            say(Phase(phase="compute", words="computing on encrypted data"))
            measured = NO_RUN if job is None else desk.engine.run(job)
            say(Phase(phase="seal", words="signing and recording"))
            return sealed(desk, principal, ask, asked, permit, paid, measured)


def explain(desk: Desk, principal: Principal, ask: Ask) -> Explanation:
    """What `answer` would charge and how close it would come; spends nothing."""
    asked = compile_ask(desk, principal, ask)
    permitted(desk, principal, ask, asked)
    return asked.explanation


@dataclass(frozen=True, slots=True)
class Standing:
    """What prices are shares of, what of it is spent, and the delta of epsilons.

    delta_granted, delta_spent: of that delta, for thresholds.
    """

    granted: Loss
    spent: Loss
    delta: Fraction
    delta_granted: Delta
    delta_spent: Delta


def standing(desk: Desk, principal: Principal, table: Table) -> Standing:
    """Her account on the table's dataset.

    :raises Refused: PL203, she has none.
    """
    dataset = table.dataset
    account, cap = desk.ledger.account(principal.name, dataset), desk.ledger.cap(dataset)
    if account is None or cap is None:
        raise Refused(
            f"you have no budget on {dataset}",
            code="PL203",
            hint=f"ask a steward to run: privlab budget plan {dataset} "
            "--analysts 1 --questions 100 --level standard --write",
        )
    return Standing(
        account.granted, account.spent, cap.delta, account.delta_granted, account.delta_spent
    )


def compile_ask(
    desk: Desk,
    principal: Principal,
    ask: Ask,
    stands: Callable[[Desk, Principal, Table], Standing] = standing,
) -> Compiled:
    """Stop 4.  From the text, the catalog and her own account alone.

    :raises IntegrityError: PL411, what it reads was shredded.
    """
    offer, registered = (
        Offer.parse(ask.price, ask.confidence, together=ask.simultaneous),
        desk.registered,
    )
    try:
        catalog = bounds.with_found(desk, principal, registered.catalog, ask.text)
        question = compile_question(
            ask.text, asks.values(ask.parameters), catalog, public_rows(ask.public)
        )
    except PolicyDenied as refusal:
        desk.ledger.deny(principal.name, "query", "", refusal.code)
        raise
    dataset = question.plan.dataset
    desk.custody.check(read_by(question.plan))
    names = [scan.table for scan in question.plan.tables]
    tables = tuple(registered.table(dataset, name) for name in names)
    account = stands(desk, principal, tables[0])
    holdings = tuple(desk.ledger.held(principal.name, view) for view in view_ids(question.plan))
    priced = price(
        question,
        offer,
        tuple(held(view) for view in holdings),
        account.granted,
        account.delta,
        tuple(
            merged(view) if view and (measure.kind is MeasureKind.ROWS or measure.share) else None
            for view, measure in zip(holdings, question.plan.measures, strict=True)
        ),
        account.delta_granted,
    )
    return Compiled(
        asked_at=desk.clock(),
        tables=tables,
        manifests=tuple(registered.manifests[dataset, name] for name in names),
        question=question,
        offer=offer,
        holdings=holdings,
        priced=priced,
        granted=account.granted,
        spent=account.spent,
        delta=account.delta,
        delta_granted=account.delta_granted,
        delta_spent=account.delta_spent,
    )


def permitted(desk: Desk, principal: Principal, ask: Ask, asked: Compiled) -> Permit:
    """Stop 5.  Also judges what is free: what counts is what she would hold."""
    plan, currency, charge = asked.question.plan, asked.question.currency, asked.priced.charge
    held_after = certificate.learned(
        asked.question,
        (
            [*(m.noise for m in view), *(() if noise is None else (noise,))]
            for view, noise in zip(asked.holdings, asked.priced.noises, strict=True)
        ),
    )
    wish = Wish(
        principal=principal,
        dataset=plan.dataset,
        reads=plan.reads,
        purpose=ask.purpose,
        charge=mu2(charge, currency),
        held_after=mu2(max(held_after, charge), currency),
        delta=asked.priced.delta,
    )
    try:
        return wish.permitted(desk.policy, Catalog(asked.tables), desk.clock())
    except Refused as refusal:
        desk.ledger.deny(principal.name, "query", plan.dataset, refusal.code)
        raise


def recorded(desk: Desk, principal: Principal, ask: Ask) -> Answer | None:
    """The sealed answer of this very request id, if there is one."""
    found = desk.ledger.find(principal.name, ask.id)
    if found is None:
        return None
    if found.body_hash != desk.ledger.body(asks.body_digest(ask)):
        raise CuratorUnreachable(
            "this request id was used for another question",
            code="PL302",
            hint="send a new question under a new id",
        )
    return None if found.answer is None else Answer.model_validate_json(found.answer)


def copied(desk: Desk, principal: Principal, ask: Ask, asked: Compiled) -> Answer | None:
    """The sealed answer of an earlier request for the same, if nothing is missing.

    As precise as what is asked for now: a copy made before a top-up is not.  And it cites
    the frames that came now, none that differ in what is not read.
    """
    if asked.priced.charge:
        return None
    plan, brought = asked.question.plan, certificate.brought(ask, asked)
    for copy in desk.ledger.released(principal.name, question_id(asked.question), ask.purpose):
        precise = certificate.precisions(copy.bundle, desk.signer.public)
        same = copy.confidence == certificate.intervals(asked.offer)
        same &= certificate.cites(copy.bundle, desk.signer.public, brought)
        if same and all(
            wanted - had <= wanted * NEGLIGIBLE
            for wanted, had in zip(asked.priced.wanted, precise, strict=True)
        ):
            return Answer(
                bundle=copy.bundle,
                receipt=receipt(plan.dataset, NOTHING, asked, asked.question.currency),
            )
    return None


def prepared(desk: Desk, asked: Compiled) -> Job | None:
    """Stop 6, before the charge: the parts are there, whole and ours.  None: nothing to measure."""
    plan, noises = asked.question.plan, asked.priced.noises
    missing = [index for index, noise in enumerate(noises) if noise is not None]
    if not missing:
        return None
    folders = [
        desk.workspace.table_folder(plan.dataset, scan.table, scan.version) for scan in plan.tables
    ]
    test = asked.priced.threshold
    return Job.of(
        plan=replace(plan, measures=tuple(plan.measures[index] for index in missing)),
        noises=tuple(noise for noise in noises if noise is not None),
        tables=tuple(zip(asked.manifests, folders, strict=True)),
        custody=desk.custody,
        threshold=None if test is None else test.threshold,
        reader=desk.workspace.reader,
    )


@dataclass(frozen=True, slots=True)
class Paid:
    """What this request was charged, and the account after it; for a resumed one, then and now."""

    charge: Loss
    granted: Loss
    spent: Loss
    delta: Delta
    delta_granted: Delta
    delta_spent: Delta


@contextmanager
def charged(desk: Desk, principal: Principal, ask: Ask, asked: Compiled) -> Iterator[Paid]:
    """Stop 6: durable before any row is read.  Inside, stop 7: the charge stands.

    Whatever goes wrong inside is recorded as a failed attempt; its id may be
    sent once more without another charge.
    """
    dataset = asked.question.plan.dataset
    try:
        desk.ledger.charge(certificate.charge_request(principal, ask, asked))
    except BudgetExceeded as refusal:
        desk.ledger.deny(principal.name, "charge", dataset, refusal.code)
        raise
    try:
        yield _paid(desk, principal, ask, dataset)
    except BaseException:
        with suppress(IntegrityError):  # already sealed, or the record cannot be written
            desk.ledger.fail(principal.name, ask.id)
        raise


def _paid(desk: Desk, principal: Principal, ask: Ask, dataset: str) -> Paid:
    found, account = (
        desk.ledger.find(principal.name, ask.id),
        desk.ledger.account(principal.name, dataset),
    )
    if found is None or account is None:
        raise IntegrityError("the ledger does not show the charge it took", code="PL406")
    return Paid(
        found.cost,
        account.granted,
        account.spent,
        found.delta,
        account.delta_granted,
        account.delta_spent,
    )


def sealed(
    desk: Desk,
    principal: Principal,
    ask: Ask,
    asked: Compiled,
    permit: Permit,
    paid: Paid,
    measured: Released,
) -> Answer:
    """Stop 8.  Signed, then durable, then answered."""
    fresh, test = iter(measured.vectors), asked.priced.threshold
    shown = None
    if test is not None and measured.labels is not None:
        shown = ShownGroups(test.threshold, measured.labels)
    bought = tuple(
        None if noise is None else Measurement(noise, next(fresh), shown)
        for noise in asked.priced.noises
    )
    holdings = tuple(
        view if new is None else (*view, new)
        for view, new in zip(asked.holdings, bought, strict=True)
    )
    bundle = certificate.bundle(desk, principal, ask, asked, permit, paid, holdings)
    plan = asked.question.plan
    reply = Answer(
        bundle=bundle,
        receipt=receipt(plan.dataset, paid.charge, paid, asked.question.currency, paid.delta),
    )
    desk.ledger.settle(
        principal.name,
        ask.id,
        [
            (view, measurement)
            for view, measurement in zip(view_ids(plan), bought, strict=True)
            if measurement is not None
        ],
        bundle,
        reply.model_dump_json().encode(),
    )
    return reply
