"""What a question costs: which precision is wanted, held, and missing.

A price is a share of the grant, a half-width per column, or an epsilon.  Each
says which precision every measure should have; what the asker holds already is
taken off, and only the rest is drawn and charged.  A function of the question,
the offer and the asker's own account: nothing here depends on other analysts.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from privlab.accounting.charge import charge_all
from privlab.errors import BadQuery
from privlab.query.allocate import Target, known_rows
from privlab.query.allocation import parts
from privlab.query.joint import purchases
from privlab.query.law import Law, law_of
from privlab.query.plan import KeyOut, MeasureOut, Output, Question
from privlab.query.plan_text import decimal
from privlab.query.post.linear import weights_of
from privlab.query.post.tree import CallOut, WindowOut, is_mean, is_moment, measures_of
from privlab.query.price_mean import bad, price_mean, rows_held
from privlab.query.price_moment import price_moment
from privlab.query.selection import counted_too, tested
from privlab.query.simultaneous import each
from privlab.query.trade import Trade
from privlab.terms.events import Event, ThresholdEvent
from privlab.terms.loss import CERTAIN, Delta, Loss
from privlab.terms.noise import Mechanism
from privlab.wire.messages import Price

NEGLIGIBLE = Fraction(1, 1 << 20)
"""A missing part of a precision that is not worth a draw: noise lives on a grid."""

MOST_CONFIDENCE = Fraction(999_999, 10_000)
"""Percent; beyond it a Gaussian interval says little that is worth saying."""

MOST_EPSILON = 1000

EVERY = "*"
"""The name of a half-width that is meant for all columns."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the analyst offers; exactly one of the first three is set.

    share: of her grant's loss, in (0, 1].  within: half-widths by output name,
    in the output's own unit.  confidence: percent, in (0, 100); together: of all
    intervals of the answer at once, not of each.
    """

    share: Fraction | None
    within: Mapping[str, Fraction] | None
    epsilon: Fraction | None
    confidence: Fraction
    together: bool = False

    @classmethod
    def parse(cls, price: Price, confidence: str, *, together: bool = False) -> Offer:
        """Read the decimals of the wire.

        :raises BadQuery: PL108, an amount that is not finite and positive, a
            share over 100 %, a confidence outside (0, 100), or not one price.
        """
        level = _amount(confidence, "a confidence", "--confidence 95")
        if level > MOST_CONFIDENCE:
            raise bad(
                f"a confidence is at most {decimal(MOST_CONFIDENCE)} %, this is {confidence[:40]}",
                "--confidence 95",
            )
        given = [one for one in (price.share, price.within, price.epsilon) if one is not None]
        if len(given) != 1:
            raise bad("a question has exactly one price", "--share 1%")
        share = within = epsilon = None
        if price.share is not None:
            share = _amount(price.share.strip().removesuffix("%"), "a share") / 100
            if share > 1:
                raise bad(f"a share is at most 100 %, this is {price.share}", "--share 1%")
        elif price.within is not None:
            if not price.within:
                raise bad("no half-width is named", "--within 25")
            within = {name: _half_width(name, text) for name, text in price.within.items()}
        elif price.epsilon is not None:
            epsilon = _amount(price.epsilon, "an epsilon", "--epsilon 0.1")
            if epsilon > MOST_EPSILON:
                raise bad(f"an epsilon is at most {MOST_EPSILON}", "--epsilon 0.1")
        return cls(share, within, epsilon, level, together)


@dataclass(frozen=True, slots=True)
class Priced:
    """A question at its price.

    noises: what each measure is drawn or chosen with; None where nothing is missing.
    wanted: the precision the offer asks for, per measure (`law`).
    precisions: what she will hold afterwards, per measure.
    charge, delta: the sum of the events' charges.  confidence, together: as offered;
    each: of one interval, in percent, more than that where all hold at once.  sizes: per output, the rows of a
    typical group of a mean as far as she knows, or None.  threshold: what is bought
    decides which groups are shown.
    """

    noises: tuple[Mechanism | None, ...]
    wanted: tuple[Fraction, ...]
    precisions: tuple[Fraction, ...]
    charge: Loss
    delta: Delta
    events: tuple[Event, ...]
    confidence: Fraction
    together: bool
    each: Fraction
    sizes: tuple[Fraction | None, ...]
    threshold: ThresholdEvent | None = None


def price(
    question: Question,
    offer: Offer,
    held: Sequence[Fraction],
    granted: Loss,
    delta: Fraction,
    counts: Sequence[Sequence[Fraction] | None] | None = None,
    thresholds: Delta = CERTAIN,
) -> Priced:
    """Price ``question``: the same ask a second time costs nothing.

    held: precision the asker holds, per measure.  granted: her grant.  counts:
    released counts she holds, per measure.  thresholds: the delta she was granted.

    :raises BadQuery: PL108, the price is on a mean of unknown size, on a quantile,
        on a column that is not there, or is too small or too large for noise to be
        drawn.
    :raises BudgetExceeded: PL210, it needs a threshold, and no delta was granted.
    """
    plan, law = question.plan, law_of(question.currency)
    level = each(question, offer.confidence, together=offer.together)
    sold = purchases(question)
    if offer.within is not None:
        targets = _targets(question, offer.within)
        wanted = _for_targets(question, targets, level, held, counts)
    else:
        if offer.share is not None:
            loss = Loss.budget(granted.amount * offer.share)
        else:
            rest = delta - thresholds.delta if plan.thresholded else delta
            loss = Loss.budget(law.amount(offer.epsilon or Fraction(0), rest))
        weights = parts(question, sold)
        wanted = [Fraction(0)] * len(plan.measures)
        for one, weight in zip(sold, weights, strict=True):
            part = Loss(loss.units * weight // sum(weights))  # whole: the charges fit the offer
            for at in one.members:
                wanted[at] = one.trade.affords(part.amount, one.sensitivity)
    if plan.thresholded:
        wanted = counted_too(plan, wanted, sold)
    noises: list[Mechanism | None] = [None] * len(plan.measures)
    precisions, events = list(held), list[Event]()
    anew = plan.thresholded and any(
        _missing(one.trade, wanted[at], held[at]) for one in sold for at in one.members
    )
    for one in sold:
        have = min(held[at] for at in one.members)
        most = max(wanted[at] for at in one.members)
        if anew:  # what one threshold shows belongs together, and nothing gets worse
            most, have = max(most, *(held[at] for at in one.members)), Fraction(0)
        noise = _missing(one.trade, most, have)
        if noise is not None:
            events.append(one.event(noise))
            for at in one.members:
                noises[at] = noise
                precisions[at] = noise.precision + (have if one.trade.adds else 0)
    total = charge_all(events, question.currency)
    threshold = None
    if plan.thresholded and (counts_noise := noises[plan.tested]) is not None:
        threshold = tested(question, counts_noise, total.loss, granted, thresholds)
        events.append(threshold)
        total = charge_all(events, question.currency)
    return Priced(
        noises=tuple(noises),
        wanted=tuple(wanted),
        precisions=tuple(precisions),
        charge=total.loss,
        delta=total.delta,
        events=tuple(events),
        confidence=offer.confidence,
        together=offer.together,
        each=level,
        sizes=tuple(
            known_rows(plan.cells, rows_held(plan, one.out, counts), question.rows)
            if is_mean(one.out) or is_moment(one.out)
            else None
            for one in question.finish.outputs
        ),
        threshold=threshold,
    )


def _missing(trade: Trade, wanted: Fraction, held: Fraction) -> Mechanism | None:
    """What brings ``held`` to ``wanted``; None when there is nothing to buy.

    Noise lives on a grid and falls short of a precision by less than one part
    in 2^29, so what a first purchase left over is always negligible.  Where
    precisions do not add, a finer answer is bought anew, in full.
    """
    if wanted > trade.finest:
        raise bad("this is finer than a released number can be", "offer less: --share 1%")
    missing = wanted - held
    if held > 0 and missing <= wanted * NEGLIGIBLE:
        return None
    if missing <= 0:
        raise bad("this price buys nothing", "offer more, for example --share 1%")
    try:
        return trade.mechanism(missing if trade.adds else wanted)
    except ValueError:
        raise bad(
            "this price is so small that its noise would drown any answer",
            "offer more, for example --share 1%",
        ) from None


def _targets(question: Question, within: Mapping[str, Fraction]) -> list[Target]:
    """A half-width for every output that is not a key or made of others that have one."""
    finish = question.finish
    aggregates = [one for one in finish.outputs if not isinstance(one.out, KeyOut)]
    names = [one.name for one in aggregates]
    if EVERY in within and len(within) == 1 and EVERY not in names:
        meant = [one for one in aggregates if not _made(one)] or aggregates
        if len({(one.label, one.unit_word) for one in meant}) > 1:
            example = ",".join(f"{one.name}=..." for one in meant)
            raise bad(
                "these columns do not share a unit, so one half-width cannot fit all",
                f"--within {example}",
            )
        within = dict.fromkeys((one.name for one in meant), within[EVERY])
    for name in within:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise bad(
                f"there is no column {name} to be within a half-width",
                f"did you mean {near[0]}?" if near else f"the columns are {', '.join(names)}",
            )
    covered = {at for one in aggregates if one.name in within for at in measures_of(one.out)}
    for one in aggregates:
        free = _made(one) and covered.issuperset(measures_of(one.out))
        if one.name not in within and not free:
            raise bad(f"the column {one.name} has no half-width", f"--within ...,{one.name}=...")
    for out in (*finish.having, *finish.qualify, *(order.by for order in finish.order)):
        if not covered.issuperset(measures_of(out)):
            raise bad(
                "HAVING or ORDER BY measures something that has no half-width",
                "select it as a column too, or use --share 1%",
            )
    return [Target(one.name, one.out, within[one.name]) for one in aggregates if one.name in within]


def _made(output: Output) -> bool:
    """Whether it is made of others: what they have is enough for it."""
    return isinstance(output.out, CallOut | WindowOut)


def _for_targets(
    question: Question,
    targets: Sequence[Target],
    confidence: Fraction,
    held: Sequence[Fraction],
    counts: Sequence[Sequence[Fraction] | None] | None,
) -> list[Fraction]:
    """Precisions that meet the targets: counts and sums first, then means and moments.

    A mean whose target is met by what she holds asks for no more than that.
    """
    plan, law = question.plan, law_of(question.currency)
    wanted = [Fraction(0)] * len(plan.measures)
    for target in targets:
        if isinstance(target.out, MeasureOut):
            at = target.out.index
            if plan.measures[at].chosen:
                raise bad(
                    f"how far off {target.name} is depends on how densely the values lie, so a "
                    "half-width has no price",
                    "ask with --share 1%; --explain says how many ranks off it may be",
                )
            width = target.width / plan.measures[at].step
            wanted[at] = max(
                wanted[at], _precision(law, width, confidence, target, plan.measures[at].step)
            )
        elif not (is_mean(target.out) or is_moment(target.out)):
            for at, precision in _for_linear(question, target, confidence).items():
                wanted[at] = max(wanted[at], precision)
    for target in targets:
        if is_mean(target.out):
            price_mean(question, target, confidence, held, counts, wanted)
        elif is_moment(target.out):
            price_moment(question, target, confidence, held, counts, wanted)
    return wanted


def _for_linear(question: Question, target: Target, confidence: Fraction) -> dict[int, Fraction]:
    """Precisions, by measure, that meet a target on a linear combination."""
    plan, law = question.plan, law_of(question.currency)
    weights = weights_of(target.out, plan.measures)
    if weights is None:
        raise bad(
            f"what a half-width of {target.name} costs depends on numbers that are not known yet",
            "ask with --share 1%, or with half-widths for what it is made of",
        )
    costs = {at: law.sensitivity(plan.measures[at], plan.bound) for at in weights}
    try:
        return law.for_linear(weights, costs, target.width, confidence)
    except ValueError:
        raise bad(
            f"no noise is within {decimal(target.width)} of {target.name}: it is made of whole steps",
            "offer a wider half-width",
        ) from None


def _precision(
    law: Law, width: Fraction, confidence: Fraction, target: Target, step: Fraction
) -> Fraction:
    try:
        return law.precision_for(width, confidence)
    except ValueError:
        raise bad(
            f"no noise is within {decimal(target.width)} of {target.name}, which is counted in "
            f"steps of {decimal(step)}",
            f"--within {target.name}={decimal(step)}",
        ) from None


def _half_width(name: str, text: str) -> Fraction:
    """A half-width; ``name`` is its column's, or `EVERY`."""
    hint = "--within 25" if name == EVERY else f"--within {name}=25"
    try:
        return _amount(text, "a half-width", hint)
    except BadQuery:
        of = "" if name == EVERY else f" of {name}"
        raise bad(
            f"a half-width{of} is a number above zero, in the column's unit, this is {text[:40]}",
            hint,
        ) from None


def _amount(text: str, what: str, hint: str = "--share 1%") -> Fraction:
    """A finite, positive decimal."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise bad(f"{what} is a number, this is {text[:40]!r}", hint) from None
    if not value.is_finite() or value <= 0:
        raise bad(f"{what} is finite and above zero, this is {text[:40]}", hint)
    if not -30 <= value.adjusted() <= 30 or len(value.as_tuple().digits) > 60:
        raise bad(f"{what} of {text[:40]} is out of range", hint)
    return Fraction(value)
