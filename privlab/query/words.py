"""Captions, prices and amounts in words.

An answer says what was counted, not what the analyst may hope was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

from privlab.accuracy.choice import ranks_off, ranks_off_flipped, ranks_off_together
from privlab.accuracy.gaussian import sqrt_up
from privlab.query.plan import (
    Call,
    Expr,
    Literal,
    Measure,
    MeasureKind,
    MeasureOut,
    Op,
    Out,
    Plan,
    Question,
)
from privlab.query.plan_text import decimal, range_text
from privlab.query.post.tree import MomentOut, is_noisy
from privlab.query.post.tree import parts as inner_parts
from privlab.query.relations import Join, PerUnit, Scan
from privlab.query.said import said
from privlab.query.simultaneous import each, together_words
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Table
from privlab.terms.groups import ShownGroups
from privlab.terms.loss import Currency, Loss

IRREGULAR = {
    "aircraft": "aircraft",
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
}

QUANTILES = frozenset({"median", "quantile", "min", "max"})
"""Labels of what is chosen."""

ENDS = frozenset({"min", "max"})

MANY = 10_000
"""Beyond this many more like it, the number says nothing."""


def plural(word: str) -> str:
    """The English plural of a unit's word."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}s"


def counted(count: int, word: str) -> str:
    """ "1 patient", "8 patients"."""
    return f"{count:,} {word if count == 1 else plural(word)}"


def caption(question: Question, table: Table, *, together: bool = False) -> str:
    """What was counted, in one line: words for the columns the answer has.

    Examples: ``at most 8 visits per patient, 4 in one group; stay_days clamped to
    0..60; not the total of all rows``; ``the average over at most 8 visits per
    patient, not over all visits``; ``each patient counts in at most 4 groups``.
    together: its intervals hold at once, also those of rows that are not shown.
    """
    plan = question.plan
    table = _as_read(plan, table)
    labels = {one.label for one in question.finish.outputs} - {"key"}
    binds = not _one_row_per_unit(table)
    if labels <= {"units"}:
        parts = [_units(plan, table)]
    elif labels <= QUANTILES:
        parts = [_one_row(plan, table)]
    elif labels == {"mean"}:
        rest = f", not over all {table.name}" if binds else ""
        parts = [f"the average over {_bound(plan, table, labels)}{rest}"]
    else:
        parts = [_bound(plan, table, labels)]
    clamps: dict[str, None] = {}
    products = _products(question)
    for at, measure in enumerate(plan.measures):
        named = measure.kind in (MeasureKind.SUM, MeasureKind.QUANTILE) and at not in products
        if named and measure.of is not None:
            of = said(_itself(measure.of), dict(question.said))
            clamps[f"{of} clamped to {range_text(measure)}"] = None
    parts += clamps
    if labels & QUANTILES and not labels <= QUANTILES and table.bound.rows > 1:
        parts.append(f"quantiles are of {_one_row(plan, table)}")
    parts += [_end(one.name, plan, one.out) for one in question.finish.outputs if one.label in ENDS]
    if binds and "distinct" in labels:
        parts.append("values that only other rows have are not counted")
    if binds and labels & {"rows", "sum", "value"}:
        both = "total or average" if "mean" in labels else "total"
        parts.append(f"not the {both} of all rows")
    if "rank" in labels:
        parts.append("ranks are of noisy numbers: groups closer than their half-widths may swap")
    if together:
        parts.append(together_words(question))
    elif selects(question):
        parts.append("half-widths are per group, before noisy values chose the rows shown")
    if question.currency is Currency.PURE:
        noise = "" if all(one.chosen for one in plan.measures) else "noise is discrete Laplace: "
        parts.append(f"{noise}the guarantee is epsilon alone, without a delta")
    if table.synthetic:
        parts.append("synthetic data")
    return "; ".join([*parts, *question.notes])


def _itself(of: Expr) -> Expr:
    """The value that is clamped, where it is taken of the rows that have another one too."""
    match of:
        case Call(
            op=Op.CASE,
            args=(Call(op=Op.NOT, args=(Call(op=Op.IS_NULL),)), value, Literal(value=None)),
        ):
            return value
    return of


def _one_row(plan: Plan, table: Table) -> str:
    """What a quantile is chosen of."""
    if _one_row_per_unit(table):
        return f"{_one(table)} per {table.unit_word}"
    if plan.cells == 1:
        return f"1 of the {table.name} of each {table.unit_word}"
    text = f"1 of the {table.name} of each {table.unit_word} in a group"
    if plan.bound.groups < plan.cells:
        text += f", in at most {counted(plan.bound.groups, 'group')}"
    return text


def _end(name: str, plan: Plan, out: Out) -> str:
    """What MIN and MAX really are."""
    q = plan.measures[out.index].q if isinstance(out, MeasureOut) else None
    if q is None:
        raise ValueError("the smallest and the largest are quantiles")
    if q < Fraction(1, 2):
        return (
            f"{name} is not the least value but the one that {decimal(100 * (1 - q))} % lie above"
        )
    return f"{name} is not the greatest value but the one that {decimal(100 * q)} % lie below"


def rank_error(measure: Measure, precision: Fraction, confidence: Fraction) -> int | None:
    """How many ranks off a quantile may be, at most; None of what is no quantile."""
    if measure.q is None:
        return None
    if measure.among:
        return ranks_off_together(measure.levels, measure.candidates, precision, confidence)
    if measure.size:
        size = measure.size
        return ranks_off_flipped(measure.q, measure.candidates, size, precision, confidence)
    return ranks_off(measure.q, measure.candidates, precision, confidence)


def rank_words(
    question: Question,
    precisions: Sequence[Fraction],
    confidence: Fraction,
    *,
    together: bool = False,
) -> list[str]:
    """How far off each quantile is, in ranks; no interval of values is known.

    precisions: of each measure, as bought.  One that is only a part of columns is
    named by what it is, since MAX is no maximum.  confidence: of each, or, together, of
    all that the answer states at once.  Examples: ``med is within 72 ranks
    of the exact one at 95 %``; ``a, b and c are each within 72 ranks of the exact one
    at 95 %``.
    """
    named = {
        one.out.index: one.name
        for one in reversed(question.finish.outputs)
        if isinstance(one.out, MeasureOut)
    }
    where = " in each group" if question.plan.cells > 1 else ""
    level = each(question, confidence, together=together)
    sure = f"{decimal(confidence)} %{', with all else that is stated' * together}"
    place = {one.name: at for at, one in enumerate(question.finish.outputs)}
    found: dict[tuple[int, str], list[str]] = {}
    for at, measure in enumerate(question.plan.measures):
        off = rank_error(measure, precisions[at], level)
        if off is None or measure.q is None or measure.of is None:
            continue
        part = (
            ""
            if at in named
            else f"the {decimal(measure.q)} quantile of {said(measure.of, dict(question.said))}"
        )
        found.setdefault((off, part), []).append(part or named[at])
    alike = [
        sorted(names, key=lambda name: place.get(name, len(place))) for names in found.values()
    ]
    return [
        f"{_all(names)} within {off:,} ranks of the exact one{where} at {sure}"
        for (off, _), names in zip(found, alike, strict=True)
    ]


def _all(names: Sequence[str]) -> str:
    """ "a is", "a, b and c are each"."""
    *most, last = names
    return f"{', '.join(most)} and {last} are each" if most else f"{last} is"


def shown_words(question: Question, table: Table, groups: ShownGroups | None) -> list[str]:
    """Which groups a threshold leaves out, and what that means for totals."""
    if groups is None:
        return []
    parts = [
        f"groups with fewer than about {groups.threshold:,} {plural(table.unit_word)} are not shown",
        "the total of what is shown is not the total",
    ]
    if len(groups.labels) == question.plan.cells:
        parts.append(f"at most {question.plan.cells:,} groups are shown, the largest")
    return parts


def _products(question: Question) -> set[int]:
    """Measures of products, whose factors are named already."""
    moments = (
        part
        for out in question.finish.outs
        for part in inner_parts(out)
        if isinstance(part, MomentOut)
    )
    return {at for one in moments for at in (one.product, *(one.squares or ()))}


def selects(question: Question) -> bool:
    """Whether noise decides which groups are shown: HAVING, or LIMIT after a sort by estimates.

    The interval of a group covers as stated; those of the groups that noise
    chose need not, as the largest of many estimates is likely too large.
    """
    finish = question.finish
    if finish.having or finish.qualify:
        return True
    whole = finish.limit is None or finish.limit >= question.plan.cells
    if whole and not finish.offset:
        return False
    return any(is_noisy(one.by) for one in finish.order)


NAMED = {Join: "joined rows", PerUnit: "rows"}


def _as_read(plan: Plan, table: Table) -> Table:
    """The table, or what stands for one where rows are made of several or of one unit's."""
    if isinstance(plan.source, Scan):
        return table
    single = isinstance(plan.source, PerUnit) and not plan.source.keys
    bound = ContributionBound(1, 1, 1) if single else plan.bound
    name = NAMED.get(type(plan.source), "rows")
    return replace(table, name=name, bound=bound, rows=None, units=None)


def _one(table: Table) -> str:
    return f"1 {table.name[:-1]}" if table.name in NAMED.values() else f"1 row of {table.name}"


def _one_row_per_unit(table: Table) -> bool:
    """Whether the contract states one row per unit, so that its bound leaves nothing out."""
    more = table.rows is not None and table.units is not None and table.rows != table.units
    return table.bound.rows == 1 and not more


def _units(plan: Plan, table: Table) -> str:
    """Units are counted once per group, whatever their rows; only groups are bounded."""
    unit = table.unit_word
    if plan.cells == 1 or _one_row_per_unit(table):
        return f"each {unit} counts once"
    if plan.bound.groups < plan.cells:
        return f"each {unit} counts in at most {counted(plan.bound.groups, 'group')}"
    return f"each {unit} counts once in a group"


def _bound(plan: Plan, table: Table, labels: set[str]) -> str:
    bound, unit = plan.bound, table.unit_word
    rows = _one(table) if bound.rows == 1 else f"{bound.rows:,} {table.name}"
    text = f"at most {rows} per {unit}"
    if plan.cells > 1:
        limits = []
        if bound.rows_per_group < bound.rows:
            limits.append(f"{bound.rows_per_group:,} in one group")
        reach = plan.cells if "units" in labels else min(bound.rows, plan.cells)
        if bound.groups < reach and not _one_row_per_unit(table):
            limits.append(counted(bound.groups, "group"))
        text += "".join(f", {limit}" for limit in limits)
    return text


def more_like_this(left: Loss, charge: Loss) -> str:
    """How far the rest of a budget goes."""
    if not charge:
        return "free: you hold this already"
    count = left.units // charge.units
    return f"about {count:,} more like this" if count < MANY else f"over {MANY:,} more like this"


def effort_words(currency: Currency) -> str:
    """What a half-width half as wide would cost."""
    if currency is Currency.PURE:
        return "twice as precise costs twice; in a pure dataset a finer answer is paid in full"
    return "twice as precise costs four times"


def price_words(charge: Loss, granted: Loss, left: Loss, currency: Currency = Currency.GDP) -> str:
    """A price: its share of the grant, how many more, and what precision costs.

    left: of the grant, after this charge.
    """
    if not charge:
        return more_like_this(left, charge)
    return (
        f"{percent(charge, granted)} % of your grant; {more_like_this(left, charge)}; "
        f"{effort_words(currency)}"
    )


def what_fits(
    left: Loss,
    granted: Loss,
    reach: Fraction | None,
    currency: Currency = Currency.GDP,
    *,
    holds: bool = False,
) -> str:
    """What the rest of a budget would buy of a question that costs more than it.

    reach: which part of the wanted losses it pays for (`afford.reach`).  holds:
    whether what is held of the question already is counted in.
    """
    if not left:
        return "nothing is left"
    rest = f"{percent(left, granted, up=False)} % is left, "
    if reach is None:
        return rest + "and nothing finer than what you hold fits; asking for that again is free"
    wider = significant(1 / reach if currency is Currency.PURE else sqrt_up(1 / reach), 2)
    return f"{rest}which {'with what you hold ' * holds}buys half-widths {wider} times as wide"


def percent(part: Loss, whole: Loss, *, up: bool = True) -> str:
    """``part`` of ``whole`` in percent, three significant digits.

    up: a cost is rounded up; what is left is rounded down.
    """
    return significant(Fraction(100 * part.units, whole.units), 3, up=up) if whole else "0"


def significant(value: Fraction, digits: int, *, up: bool = True) -> str:
    """A number from 0 with this many significant digits at least, no exponent."""
    with localcontext() as context:
        context.prec = 50
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        if not exact:
            return "0"
        last = min(0, exact.adjusted() - digits + 1)
        rounding = ROUND_CEILING if up else ROUND_FLOOR
        text = format(exact.quantize(Decimal(1).scaleb(last), rounding=rounding), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals_for(width: Fraction) -> int:
    """Decimals worth showing beside a half-width: its first two digits.

    25 needs none, 3.4 one, 0.05 three.
    """
    places = 0
    while width * 10**places < 10 and places < 12:
        places += 1
    return places
