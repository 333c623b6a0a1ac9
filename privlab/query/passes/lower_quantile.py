"""Say what is chosen for a quantile, for MIN and for MAX."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from privlab.query.ask import Aggregate, AggregateKind, Source
from privlab.query.epoch import span_of
from privlab.query.kinds import columns_of, kind_of
from privlab.query.passes.choose_step import FINEST, choose_step
from privlab.query.passes.find_bounds import find_bounds
from privlab.query.passes.lower_aggregate import Lowered
from privlab.query.plan import Call, Expr, Measure, MeasureKind, Op
from privlab.query.plan_text import decimal
from privlab.terms.catalog import Kind, Scalar, Table
from privlab.terms.loss import Currency

HALF = Fraction(1, 2)

MOST_DENOMINATOR = 1 << 20
"""Of a quantile's q, as ``mechanisms/quantile.py`` takes it."""

EXTREMES = (Fraction(999, 1000), Fraction(99, 100), Fraction(95, 100), Fraction(9, 10))
"""What MAX may be, the farthest out first; MIN is one less it."""

BEYOND = 100
"""So many units of a group of the declared size lie beyond MAX, if that is possible."""

MOST_FLIPS = 1 << 20
"""Possible answers of one choice, as ``mechanisms/flip.py`` takes them."""

MOST_COINS = 1 << 24
"""Of all groups together."""

UNKNOWN = Fraction(95, 100)
"""What MAX is in a table without a declared size."""


def lower_quantile(
    aggregate: Aggregate,
    of: Expr,
    q: Scalar | None,
    table: Table,
    where: Expr | None,
    cells: int,
    source: Source,
) -> Lowered:
    """The measure of a quantile of the canonical expression ``of``.

    Before               After
    ------               -----
    MEDIAN(x)            quantile 0.5 of x in low..high
    QUANTILE(x, 0.9)     quantile 0.9 of x in low..high
    MAX(x)               quantile 0.99 of x, or nearer the end or farther from it
                         (`extreme`): the largest value itself is one unit's

    q: the constant that was asked for; not looked at for MIN and MAX.  cells: how
    many groups there are.

    How finely is `choose_step`'s to say, of dates and times `epoch.span_of`'s: there
    are at most 2^25 possible answers.

    :raises BadQuery: PL103 no bounds; PL106 a q outside (0, 1);
        PL111 of a text or a truth.
    """
    kind = kind_of(of)
    if kind is None or not (kind.is_number or kind.is_time):
        raise source.refuse("PL111", "only numbers, dates and times have quantiles", aggregate.span)
    if not columns_of(of):
        raise source.refuse(
            "PL106", "a constant has no quantiles", aggregate.span, "count the rows"
        )
    low, high = find_bounds(aggregate, of, table, where, source)
    inner = of.args[0] if isinstance(of, Call) and of.op is Op.CLIP else of
    if kind in (Kind.DATE, Kind.DATETIME):
        low, high, step = span_of(kind, low, high, FINEST)
    else:
        step = choose_step(of, low, high, table)
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    label, exact = _asked(aggregate, q, table, cells, source)
    measure = Measure(MeasureKind.QUANTILE, inner, low, high, step, q=exact)
    return Lowered(label, replace(measure, size=flip_size(measure, table, cells)))


def flip_size(measure: Measure, table: Table, cells: int) -> int:
    """`Measure.size`: of about how many values a quantile is chosen by permute-and-flip, or 0.

    In pure datasets alone, and where a coin for each possible answer of each group
    takes no more than a second.  A group's own number is not declared, and one that is
    too large costs little (``docs/proofs/choice.md``).
    """
    count = measure.candidates
    if table.currency is not Currency.PURE or count > MOST_FLIPS or count * cells > MOST_COINS:
        return 0
    return max(1, (table.units if table.units is not None else table.rows) or 1)


def extreme(table: Table, cells: int) -> Fraction:
    """The quantile that MAX is, from public facts alone.

    The farthest out of 0.999, 0.99, 0.95 and 0.9 beyond which a group of the
    declared size, units over groups, has at least 100 units, else 0.9; 0.95 where
    no size is declared.
    """
    size = table.units if table.units is not None else table.rows
    if size is None:
        return UNKNOWN
    far = (q for q in EXTREMES if (1 - q) * size >= BEYOND * cells)
    return next(far, EXTREMES[-1])


def _asked(
    aggregate: Aggregate, q: Scalar | None, table: Table, cells: int, source: Source
) -> tuple[str, Fraction]:
    """The label of the column, and its quantile."""
    match aggregate.kind:
        case AggregateKind.MAX:
            return "max", extreme(table, cells)
        case AggregateKind.MIN:
            return "min", 1 - extreme(table, cells)
    hint = "MIN and MAX are quantiles near the ends" if source.sql else "min() and max() are near"
    if isinstance(q, (int, Fraction)) and 2 <= q < 100:
        hint = f"{decimal(Fraction(q) / 100)} is {decimal(Fraction(q))} in a hundred"
    if isinstance(q, bool) or not isinstance(q, (int, Fraction)) or not 0 < q < 1:
        raise source.refuse(
            "PL106", "a quantile is a number between 0 and 1, 0.5 the median", aggregate.span, hint
        )
    exact = Fraction(q)
    if exact.denominator > MOST_DENOMINATOR:
        raise source.refuse(
            "PL106", "a quantile has six digits at most", aggregate.span, decimal(round(exact, 6))
        )
    return ("median" if exact == HALF else "quantile"), exact
