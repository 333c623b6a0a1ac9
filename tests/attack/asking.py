"""privlab's own path from a text to what the analyst sees, with the noise recorded.

Compile, price, job, decrypt, bound, sum, finish, signed statement and receipt are
the real ones, on really protected tables.  Three names are replaced:
``privlab.engine.run.add_noise``, ``quantile`` and ``quantiles``.  What is bought
together is recorded once more as one vector.  Where rows hold the groups, it is
watched which are tested, so that each count is recorded with its label.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import numpy as np

from privlab.curator import certificate
from privlab.curator.answer import Compiled, Paid
from privlab.curator.desk import Desk
from privlab.curator.receipts import receipt
from privlab.engine import run
from privlab.engine.found import Found
from privlab.engine.job import Job
from privlab.engine.released import Released
from privlab.mechanisms import quantile as mechanism
from privlab.mechanisms.quantiles import parted
from privlab.mechanisms.threshold import delta_of_threshold
from privlab.policy.decide import Permit
from privlab.query import afford
from privlab.query.canonical import view_id
from privlab.query.compile import compile_question
from privlab.query.explain import explain
from privlab.query.joint import purchases
from privlab.query.plan import Question
from privlab.query.price import Offer, Priced, price
from privlab.seal.keys import SigningKey
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    FlipEvent,
    GaussianEvent,
    LaplaceEvent,
    ThresholdEvent,
)
from privlab.terms.groups import Label, ShownGroups
from privlab.terms.loss import CERTAIN, NOTHING, Currency, Delta, Loss
from privlab.terms.noise import Choice, Flip
from privlab.terms.principal import Principal, Role, Tier
from privlab.views.measurement import Measurement, held
from privlab.wire.messages import Answer, Ask
from tests.attack.contract import CUSTODY, Place, visits
from tests.attack.record import Mechanisms, Norm

GRANTED = Loss.budget(Fraction(1, 2))
DELTA = Fraction(1, 10**6)
THRESHOLDS = Delta.budget(DELTA / 10)
CONFIDENCE = Fraction(95)
ASKED_AT = datetime(2026, 11, 24, 5, tzinfo=UTC)


def share(percent: str) -> Offer:
    return Offer(Fraction(percent) / 100, None, None, CONFIDENCE)


TENTH = (share("10"),)

ANA = Principal("ana", frozenset({Role.ANALYST}), Tier.SAME_UID)
PERMIT = Permit(("analysts ask",), "0" * 64)
CURATOR = cast(Desk, SimpleNamespace(custody=CUSTODY, signer=SigningKey(b"s" * 32)))
"""As much of a desk as signing needs."""


@dataclass(frozen=True)
class Asking:
    """One text under one bound, as a pipeline on a `Place`.

    offers: one after the other, each for the same text; what was measured
    before is held, so that a finer one is a top-up.
    """

    text: str
    bound: ContributionBound
    offers: tuple[Offer, ...] = TENTH
    currency: Currency = Currency.GDP

    def __call__(self, place: Place, mechanisms: Mechanisms) -> object:
        holdings: list[list[Measurement]] = []
        spent = NOTHING
        for offer in self.offers:
            holdings, spent = self.answered(place, mechanisms, offer, holdings, spent)
        return None

    def catalog(self, place: Place) -> Catalog:
        """What may be asked: from the contract alone."""
        table = visits(self.bound, place.null_unit)
        return Catalog((replace(table, currency=self.currency),))

    def answered(
        self,
        place: Place,
        mechanisms: Mechanisms,
        offer: Offer,
        holdings: Sequence[Sequence[Measurement]],
        spent: Loss,
    ) -> tuple[list[list[Measurement]], Loss]:
        """Stops 4 to 8 of one question; what she holds and has spent afterwards."""
        catalog = self.catalog(place)
        mechanisms.show("phase", "reading the question")
        question = compile_question(self.text, {}, catalog)
        views = [list(view) for view in holdings] or [[] for _ in question.plan.measures]
        have = tuple(map(held, views))
        delta = DELTA if self.currency is Currency.GDP else Fraction(0)
        thresholds = THRESHOLDS if self.currency is Currency.GDP else CERTAIN
        priced = price(question, offer, have, GRANTED, delta, None, thresholds)
        told = explain(
            question,
            priced,
            GRANTED,
            GRANTED - spent,
            afford.holdings(question, have),
            thresholds=thresholds,
        )
        mechanisms.show("price", told.model_dump())
        asked = Compiled(
            asked_at=ASKED_AT,
            tables=catalog.tables,
            manifests=(place.manifest,),
            question=question,
            offer=offer,
            holdings=tuple(map(tuple, views)),
            priced=priced,
            granted=GRANTED,
            spent=spent,
            delta=delta,
            delta_granted=thresholds,
            delta_spent=CERTAIN,
        )
        missing = [at for at, noise in enumerate(priced.noises) if noise is not None]
        if missing:
            mechanisms.show("phase", "computing on encrypted data")
            job = self.job(place, question, priced, missing)
            with recorded(mechanisms, question, missing, priced):
                fresh = run.release(job)  # called by this name, so that a test may change it
            found = Released.decode(json.dumps(fresh).encode(), job)
            groups = None
            if priced.threshold is not None and found.labels is not None:
                groups = ShownGroups(priced.threshold.threshold, found.labels)
            for at, values in zip(missing, found.vectors, strict=True):
                views[at].append(Measurement(priced.noises[at], values, groups))
        paid = Paid(
            priced.charge, GRANTED, spent + priced.charge, priced.delta, thresholds, priced.delta
        )
        mechanisms.show("answer", self.given(place, asked, paid, views))
        return views, paid.spent

    def job(self, place: Place, question: Question, priced: Priced, missing: Sequence[int]) -> Job:
        """As the engine's child reads it from its socket."""
        job = Job.of(
            plan=replace(
                question.plan, measures=tuple(question.plan.measures[at] for at in missing)
            ),
            noises=tuple(noise for noise in priced.noises if noise is not None),
            tables=[(place.manifest, place.folder)],
            custody=CUSTODY,
            threshold=None if priced.threshold is None else priced.threshold.threshold,
        )
        return Job.decode(job.encode())

    def given(
        self, place: Place, asked: Compiled, paid: Paid, views: Sequence[Sequence[Measurement]]
    ) -> str:
        """What is sent to her: the signed bundle, and the receipt."""
        ask = Ask(id="the-same-id", text=self.text)
        bundle = certificate.bundle(CURATOR, ANA, ask, asked, PERMIT, paid, views)
        plan = asked.question.plan
        told = receipt(plan.dataset, paid.charge, paid, asked.question.currency)
        return Answer(bundle=bundle, receipt=told).model_dump_json()


def declared(event: Event | None, noise: object) -> tuple[Norm, int | None]:
    """The sensitivity that ``noise`` is charged for; None when it is not charged at all."""
    match event:
        case GaussianEvent(squared_sensitivity=squared) if noise == event.noise:
            return Norm.SQUARED, squared
        case LaplaceEvent(sensitivity=sensitivity) if noise == event.noise:
            return Norm.ABSOLUTE, sensitivity
    return Norm.SQUARED, None


def covered(priced: Priced, noise: object, threshold: int) -> int | None:
    """How many groups of one unit the delta covers that is charged; None when it covers none.

    A threshold is charged for as it is tested: its noise, where it stands, and a delta
    that is no less than `delta_of_threshold`, nor more than what the account pays.
    """
    paid = [one for one in priced.events if isinstance(one, ThresholdEvent)]
    if [(one.noise, one.threshold) for one in paid] != [(noise, threshold)]:
        return None
    (event,) = paid
    least = delta_of_threshold(event.noise, threshold, event.groups)  # type: ignore[arg-type]
    return event.groups if least <= event.delta <= priced.delta.delta else None


@contextmanager
def recorded(
    mechanisms: Mechanisms, question: Question, missing: Sequence[int], priced: Priced
) -> Iterator[None]:
    """The engine's noise and choices come from ``mechanisms``, in the order of the job's measures.

    Where a threshold shows groups, the count it tests comes first, and of all groups.
    """
    sold = [one for one in purchases(question) if set(one.members) <= set(missing)]
    bought = [one for one in priced.events if not isinstance(one, ThresholdEvent)]
    paid_by = {
        at: (one, event) for one, event in zip(sold, bought, strict=True) for at in one.members
    }
    uses = iter(missing)
    size = question.plan.cells
    testing: list[int] = []  # the threshold of the counts that come next
    labels: list[Label] = []  # the groups that were looked at last
    names = {at: view_id(question.plan, at) for at in missing}
    choosing: list[Any] = [0, -1, None]  # choices left of a measure, its place, its event
    drawn: dict[tuple[int, ...], list[Any]] = {}

    def used() -> tuple[int, Event | None]:
        at = next(uses, -1)
        return (at, paid_by[at][1]) if at in paid_by else (-1, None)

    def add_noise(values: Any, noise: object, words: object) -> _Vector:
        at, event = used()
        name = "nothing that was asked" if event is None else names[at]
        norm, sensitivity = declared(event, noise)
        if testing:
            threshold = testing.pop()
            counts = mechanisms.test_groups(
                name, labels, values, sensitivity=sensitivity, noise=noise, threshold=threshold,
                made=covered(priced, noise, threshold),
            )  # fmt: skip
            return _Vector(counts)
        given = mechanisms.add_noise(name, values, sensitivity=sensitivity, noise=noise, norm=norm)
        members = paid_by[at][0].members if at in paid_by else ()
        if len(members) > 1:  # together they move by no more than each may alone
            drawn.setdefault(members, []).append(np.ravel(values))
            if len(drawn[members]) == len(members):
                every = np.concatenate(drawn[members])
                mechanisms.add_noise(
                    f"{name} and all", every, sensitivity=sensitivity, noise=noise, norm=norm
                )
        return _Vector(given)

    def quantiles(
        values: Any, low: int, high: int, qs: Sequence[Any], epsilon: Any, words: object
    ) -> list[int]:
        if not choosing[0]:
            choosing[:] = size, *used()
            for _ in qs[1:]:
                next(uses)
        choosing[0] -= 1
        _, at, event = choosing
        paid = isinstance(event, ChoiceEvent) and event.epsilon == epsilon

        def choose(inside: Any, a: int, b: int, q: Any) -> int:
            return mechanisms.choose(
                f"{names[at]} together" if paid else "nothing that was asked",
                scores_of(inside, a, b, q),
                low=a,
                noise=Choice.at_most(epsilon),
                times=event.times if paid else None,
            )

        return parted(values, low, high, qs, choose)

    def quantile(values: Any, low: int, high: int, q: Any, epsilon: Any, words: object) -> int:
        if not choosing[0]:
            choosing[:] = size, *used()
        choosing[0] -= 1
        _, at, event = choosing
        paid = isinstance(event, ChoiceEvent) and event.epsilon == epsilon
        return mechanisms.choose(
            f"{names[at]} {q} {low}" if paid else "nothing that was asked",
            scores_of(values, low, high, q),
            low=low,
            noise=Choice.at_most(epsilon),
            times=event.times if paid else None,
        )

    def thinned(
        values: Any, low: int, high: int, q: Any, epsilon: Any, of: int, words: object
    ) -> int:
        if not choosing[0]:
            choosing[:] = size, *used()
        choosing[0] -= 1
        _, at, event = choosing
        paid = isinstance(event, FlipEvent) and event.epsilon == epsilon
        return mechanisms.choose(
            f"{names[at]} {q} {low}" if paid else "nothing that was asked",
            scores_of(values, low, high, q),
            low=low,
            noise=Flip.at_most(epsilon),
            times=event.times if paid else None,
        )

    real_shown, real_hidden, real_only = run.shown, run.hidden, Found.only

    def only(found: Any, places: Any) -> Any:
        few = real_only(found, places)
        labels[:] = few.labels_of(question.plan, np.arange(few.labels.height))
        return few

    def shown(plan: Any, noises: Any, threshold: int, found: Any) -> Any:
        testing[:] = [threshold]
        return real_shown(plan, noises, threshold, found)

    def hidden(plan: Any, noises: Any, exact: Any) -> Any:
        nonlocal uses, size
        if question.plan.thresholded:
            size = exact.sums.shape[1]
            places = map(question.plan.measures.index, plan.measures)
            uses = iter(
                [at for at in places if size or not question.plan.measures[at].chosen]
            )  # nobody chooses where no group is
        return real_hidden(plan, noises, exact)

    with (
        patch.object(Found, "only", only),
        patch.object(run, "shown", shown),
        patch.object(run, "hidden", hidden),
        patch.object(run, "add_noise", add_noise),
        patch.object(run, "quantile", quantile),
        patch.object(run, "quantiles", quantiles),
        patch.object(run, "thinned", thinned),
    ):
        yield


def scores_of(values: Any, low: int, high: int, q: Any) -> list[int]:
    """The score of every answer, as the mechanism has it."""
    found = mechanism.pieces(values, low, high, q)
    return np.repeat(found.scores, found.lengths).tolist()  # type: ignore[no-any-return]


class _Vector(tuple[int, ...]):
    """What `add_noise` gives, as far as the engine looks at it."""

    def tolist(self) -> list[int]:
        return list(self)
