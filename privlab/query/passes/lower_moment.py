"""Say what is measured for a variance, a covariance or a correlation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.query.ask import Aggregate, AggregateKind, Source
from privlab.query.kinds import kind_of
from privlab.query.passes.infer_null import can_be_null
from privlab.query.passes.lower_aggregate import filled, lower_sum
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Measure, MeasureKind, Op
from privlab.terms.catalog import Kind, Table

LABELS = {
    AggregateKind.VAR_POP: "variance",
    AggregateKind.VAR_SAMP: "variance",
    AggregateKind.STDDEV_POP: "deviation",
    AggregateKind.STDDEV_SAMP: "deviation",
    AggregateKind.COVAR_POP: "covariance",
    AggregateKind.COVAR_SAMP: "covariance",
    AggregateKind.CORR: "correlation",
}


@dataclass(frozen=True, slots=True)
class LoweredMoment:
    """Sums of v, of w and of their product, each about its centre, and the rows of both.

    second is first where there is one value; squares: of a correlation alone.
    """

    label: str
    first: Measure
    second: Measure
    product: Measure
    count: Measure
    squares: tuple[Measure, Measure] | None = None


def lower_moment(
    aggregate: Aggregate,
    values: tuple[Expr, ...],
    table: Table,
    where: Expr | None,
    source: Source,
) -> LoweredMoment:
    """The measures of a moment of one value, or of two.

    Before          After
    ------          -----
    VAR_POP(x)      sums of x - c and (x - c) * (x - c), and rows of x
    COVAR(x, y)     sums of x - c, y - d and (x - c) * (y - d), of the rows where
                    both are known, and those rows
    CORR(x, y)      those, and sums of the squares of each

    c and d are the middles of the clamps: a square about them is small.

    :raises BadQuery: as `lower_aggregate`.
    """

    def summed(value: Expr) -> Measure:
        return lower_sum(aggregate, value, table, where, source, centred=True)

    one, two = values[0], values[-1]
    if one != two:
        one, two = _where_known(one, two, table, where), _where_known(two, one, table, where)
    first, second = summed(one), summed(two)
    about = _about(one, first), _about(two, second)
    product = normalise(Call(Op.MUL, about))
    squares = None
    if aggregate.kind is AggregateKind.CORR:
        both = [summed(normalise(Call(Op.MUL, (each, each)))) for each in about]
        squares = both[0], both[1]
    count = Measure(MeasureKind.ROWS, filled(_all_of(values), table, where))
    return LoweredMoment(LABELS[aggregate.kind], first, second, summed(product), count, squares)


def _all_of(values: tuple[Expr, ...]) -> Expr:
    """Something that is null where any of the values is."""
    return values[0] if len(set(values)) == 1 else normalise(Call(Op.ADD, values))


def _where_known(value: Expr, other: Expr, table: Table, where: Expr | None) -> Expr:
    """A value of the rows where another one is known too."""
    if not can_be_null(other, table, where):
        return value
    known = Call(Op.NOT, (Call(Op.IS_NULL, (other,)),))
    return normalise(Call(Op.CASE, (known, value, Literal(None))))


def _about(value: Expr, measure: Measure) -> Expr:
    """The value within its clamp, less its centre."""
    whole = kind_of(value) is Kind.INT
    inside = Call(Op.CLIP, (value, _constant(measure.low, whole), _constant(measure.high, whole)))
    if not measure.centre:
        return inside
    return Call(Op.ADD, (inside, _constant(-measure.centre, whole)))


def _constant(value: Fraction, whole: bool) -> Literal:
    return Literal(int(value) if whole and value.denominator == 1 else value)
