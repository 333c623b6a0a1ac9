"""What ``--explain`` shows: the plan, how close each column comes, the price."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.accounting.charge import charge
from privlab.query.afford import Holding, holdings, losses, reach
from privlab.query.allocate import shares_width
from privlab.query.canonical import plan_text
from privlab.query.joint import Purchase, purchases
from privlab.query.law import law_of
from privlab.query.neighbours import Neighbour
from privlab.query.plan import KeyOut, MeanOut, MeasureOut, Output, Question
from privlab.query.post.expected import expected_width
from privlab.query.post.tree import Moment, SharesOut, is_mean, is_moment, measures_of, parts
from privlab.query.price import Priced
from privlab.query.selection import threshold_words
from privlab.query.simultaneous import together_words
from privlab.query.words import (
    percent,
    price_words,
    rank_error,
    rank_words,
    significant,
    what_fits,
)
from privlab.terms.loss import CERTAIN, NOTHING, Delta, Loss
from privlab.wire.messages import ColumnPrice, Explanation


def explain(
    question: Question,
    priced: Priced,
    granted: Loss,
    left: Loss,
    holds: Sequence[Holding] | None = None,
    cheaper: Sequence[Neighbour] = (),
    thresholds: Delta = CERTAIN,
) -> Explanation:
    """Explain a price.  Nothing is spent.

    granted: the asker's grant; left: what of it is left before the charge.
    holds: what she holds of each measure; None is nothing.  cheaper: what
    `neighbours` found.  thresholds: the delta she was granted.
    """
    cost, currency = priced.charge, question.currency
    after = Loss(max(0, left.units - cost.units))
    words = price_words(cost, granted, after, currency)
    if cost > left:
        words = f"does not fit: {percent(cost, granted)} % of your grant; "
        words += _what_fits(question, priced, granted, left, holds)
    means = any(
        is_mean(part) or is_moment(part)
        for one in question.finish.outputs
        for part in parts(one.out)
    )
    sizes = {size for size in priced.sizes if size is not None}
    if means and sizes:
        rows = int(min(sizes))
        words += f"; half-widths of means are for about {rows:,} rows in a group"
    words += "".join(f"; {one}" for one in threshold_words(priced.threshold, thresholds))
    ranks = rank_words(question, priced.precisions, priced.confidence, together=priced.together)
    if ranks and law_of(question.currency).adds:
        ranks.append("a finer quantile is paid in full")
    if priced.together:
        ranks.insert(0, together_words(question))
    words += "".join(f"; {note}" for note in (*ranks, *question.notes))
    return Explanation(
        plan=plan_text(question.plan),
        columns=tuple(
            _column(question, at, one, priced, granted)
            for at, one in enumerate(question.finish.outputs)
            if not isinstance(one.out, KeyOut)
        ),
        charge=cost.text(),
        charged_share=f"{percent(cost, granted)} %",
        left_share=f"{percent(left, granted, up=False)} %",
        words=words,
        cheaper=tuple(one.words for one in cheaper),
    )


def _what_fits(
    question: Question,
    priced: Priced,
    granted: Loss,
    left: Loss,
    holds: Sequence[Holding] | None,
) -> str:
    wanted = losses(question, priced.wanted)
    known = holds or holdings(question, [Fraction(0)] * len(question.plan.measures))
    held = any(one.loss for one in known)
    return what_fits(left, granted, reach(wanted, known, left), question.currency, holds=held)


def _column(
    question: Question, at: int, output: Output, priced: Priced, granted: Loss
) -> ColumnPrice:
    """One column: its own measures' charge, also when another column shares them."""
    indexes = set(measures_of(output.out))
    own = [one for one in purchases(question) if indexes.intersection(one.members)]
    cost = sum((_charge(question, priced, one) for one in own), NOTHING)
    width = _width(question, at, output, priced)
    return ColumnPrice(
        name=output.name,
        label=output.label,
        share=f"{percent(cost, granted)} %",
        half_width=_ranks(question, output, priced) if width is None else significant(width, 2),
        held=not cost,
    )


def _ranks(question: Question, output: Output, priced: Priced) -> str:
    """The error of a quantile, which is in ranks; empty for what has no known error."""
    if not isinstance(output.out, MeasureOut):
        return ""
    index = output.out.index
    off = rank_error(question.plan.measures[index], priced.precisions[index], priced.each)
    return "" if off is None else f"{off} ranks"


def _charge(question: Question, priced: Priced, one: Purchase) -> Loss:
    noise = priced.noises[one.members[0]]
    return NOTHING if noise is None else charge(one.event(noise), question.currency).loss


def _width(question: Question, at: int, output: Output, priced: Priced) -> Fraction | None:
    """The half-width to expect; None where it depends on what is not known."""
    measures, law = question.plan.measures, law_of(question.currency)
    match output.out:
        case MeasureOut(index=index) if measures[index].chosen:
            return None
        case MeasureOut(index=index):
            steps = law.half_width(priced.precisions[index], priced.each)
            return steps * measures[index].step
        case MeanOut(total=total, count=count):
            size = priced.sizes[at]
            if size is None:
                return None
            width = law.mean_width(
                measures[total],
                size,
                priced.each,
                priced.precisions[total],
                priced.precisions[count],
            )
            return min(width, measures[total].high - measures[total].low)
        case SharesOut(kind=Moment.MEAN, parts=shares):
            size = priced.sizes[at]
            if size is None:
                return None
            own = [measures[one] for one in shares]
            return shares_width(own, size, priced.each, priced.precisions[shares[0]])
    return expected_width(output.out, question, priced.precisions, priced.each, priced.sizes[at])
