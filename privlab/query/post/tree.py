"""What a column of an answer is: an expression over released vectors.

The leaves are keys, measures, and the statistics that have intervals of their
own; everything else is arithmetic on them, and windows over the answer's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from privlab.terms.catalog import Scalar


class OutOp(StrEnum):
    """Operations on released numbers.  Whatever has no value is null.

    In the form that equals share, ``a - b`` is ``a + (-b)``, and ``a / 2`` is
    ``a * 1/2``.
    """

    ADD = "add"
    MUL = "mul"
    DIVIDE = "divide"  # null by zero
    MOD = "mod"  # a - floor(a / b) * b
    REMAINDER = "remainder"  # a - trunc(a / b) * b
    NEG = "neg"
    ABS = "abs"
    SIGN = "sign"
    ROUND = "round"  # value, digits: a literal; halves away from zero
    ROUND_EVEN = "round_even"  # halves to the even neighbour
    FLOOR = "floor"
    TRUNC = "trunc"
    SQRT = "sqrt"
    LN = "ln"
    EXP = "exp"
    POWER = "power"  # value, exponent: a literal
    LEAST = "least"  # null when any is null
    GREATEST = "greatest"
    MIN_OF = "min_of"  # nulls are skipped
    MAX_OF = "max_of"
    COALESCE = "coalesce"
    CASE = "case"  # condition, value, ..., value otherwise
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    AND = "and"
    OR = "or"
    NOT = "not"
    IS_NULL = "is_null"


class Moment(StrEnum):
    """Means, and statistics of second order; ``samp`` divides by one less."""

    MEAN = "mean"
    VAR_POP = "var_pop"
    VAR_SAMP = "var_samp"
    STDDEV_POP = "stddev_pop"
    STDDEV_SAMP = "stddev_samp"
    COVAR_POP = "covar_pop"
    COVAR_SAMP = "covar_samp"
    CORR = "corr"


class Over(StrEnum):
    """What a window computes of the rows of its partition."""

    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    COUNT = "count"  # of rows where the value is not null; of all rows for none
    RANK = "rank"
    DENSE_RANK = "dense_rank"
    ROW_NUMBER = "row_number"
    SHIFT = "shift"  # the value `offset` rows before; after, where it is negative


@dataclass(frozen=True, slots=True)
class KeyOut:
    """The value of key number ``index``."""

    index: int


@dataclass(frozen=True, slots=True)
class MeasureOut:
    """Measure number ``index``, decoded: steps back to the column's unit."""

    index: int


@dataclass(frozen=True, slots=True)
class MeanOut:
    """centre + total * step / count, from a SUM measure and a ROWS measure."""

    total: int
    count: int


@dataclass(frozen=True, slots=True)
class MomentOut:
    """A moment of one value, or of two, about public centres.

    first, second: SUM measures of ``v - centre`` and ``w - centre``, one and the
    same where there is one value; product: the SUM measure of
    ``(v - centre) * (w - centre)``, about a centre of its own; count: the ROWS
    measure of the rows where both are known.  squares: for a correlation, the SUM
    measures of the squares of each.
    """

    kind: Moment
    first: int
    second: int
    product: int
    count: int
    squares: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SharesOut:
    """The mean or the variance of one value, or its root, from sums of its shares.

    parts: SUM measures of shares, all those of a family (`query.shares`), in any order.
    """

    kind: Moment
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LiteralOut:
    """A constant.  None is null; texts and dates are there to compare keys with."""

    value: Scalar | None


@dataclass(frozen=True, slots=True)
class CallOut:
    """An operation on outputs.  Comparisons with null give null, as in SQL."""

    op: OutOp
    args: tuple[Out, ...]


@dataclass(frozen=True, slots=True)
class WindowOut:
    """A value of one row that other rows of the answer take part in.

    partition: keys by number; rows of one partition share their values.  order:
    of the rows in a partition.  running: the rows up to this one and its equals,
    not all.  offset: for SHIFT, how many rows before.
    """

    kind: Over
    of: Out | None
    partition: tuple[int, ...] = ()
    order: tuple[Order, ...] = ()
    running: bool = False
    offset: int = 0


Out = KeyOut | MeasureOut | MeanOut | MomentOut | SharesOut | LiteralOut | CallOut | WindowOut


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by a value; what is unknown comes last either way."""

    by: Out
    descending: bool


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the answer.

    label: what it is: "key", "rows", "units", "sum", "mean", "variance",
    "deviation", "covariance", "correlation", "rank", or "value" for what is made
    of others.  unit_word: what a "units" column counts ("patient"), else "".
    """

    name: str
    out: Out
    label: str
    unit_word: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """What is made of released vectors.  Free: post-processing.

    having: conditions that all hold for the rows that stay; windows see those
    rows.  qualify: conditions on windows, that all hold for the rows shown.
    offset: rows left out at the begin; limit: how many are shown after them.
    """

    outputs: tuple[Output, ...]
    having: tuple[Out, ...] = ()
    qualify: tuple[Out, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0

    @property
    def outs(self) -> tuple[Out, ...]:
        """Everything that is worked out: columns, conditions, and sort keys."""
        return (
            *(one.out for one in self.outputs),
            *self.having,
            *self.qualify,
            *(one.by for one in self.order),
        )


def parts(out: Out) -> Iterator[Out]:
    """The output and everything inside it, outermost first."""
    yield out
    for one in inside(out):
        yield from parts(one)


def inside(out: Out) -> tuple[Out, ...]:
    """What an output is made of, one level down."""
    match out:
        case CallOut(args=args):
            return args
        case WindowOut(of=of, order=order):
            return (*(() if of is None else (of,)), *(one.by for one in order))
    return ()


def measures_of(out: Out) -> tuple[int, ...]:
    """The measures that an output is made of, each once, in order of their numbers."""
    found: set[int] = set()
    for part in parts(out):
        match part:
            case MeasureOut(index=index):
                found.add(index)
            case MeanOut(total=total, count=count):
                found |= {total, count}
            case MomentOut():
                found |= {part.first, part.second, part.product, part.count}
                found |= set(part.squares or ())
            case SharesOut(parts=shares):
                found |= set(shares)
    return tuple(sorted(found))


def is_noisy(out: Out) -> bool:
    """Whether noise takes part in its value."""
    if any(isinstance(part, WindowOut) for part in parts(out)):
        return True  # at least the rows it sees
    return bool(measures_of(out))


def is_mean(out: Out) -> bool:
    """Whether it is a mean, of whatever measures."""
    return isinstance(out, MeanOut) or (isinstance(out, SharesOut) and out.kind is Moment.MEAN)


def is_moment(out: Out) -> bool:
    """Whether it is a statistic of second order."""
    return isinstance(out, MomentOut) or (isinstance(out, SharesOut) and not is_mean(out))


def has_window(out: Out) -> bool:
    return any(isinstance(part, WindowOut) for part in parts(out))


def moved(out: Out, place: dict[int, int]) -> Out:
    """The output with its measures renumbered: ``place`` has the new number of each."""
    match out:
        case MeasureOut(index=index):
            return MeasureOut(place[index])
        case MeanOut(total=total, count=count):
            return MeanOut(place[total], place[count])
        case MomentOut(kind=kind, squares=squares):
            both = None if squares is None else (place[squares[0]], place[squares[1]])
            first, second = place[out.first], place[out.second]
            return MomentOut(kind, first, second, place[out.product], place[out.count], both)
        case SharesOut(kind=kind, parts=shares):
            return SharesOut(kind, tuple(sorted(place[one] for one in shares)))
        case CallOut(op=op, args=args):
            return CallOut(op, tuple(moved(one, place) for one in args))
        case WindowOut():
            return WindowOut(
                out.kind,
                None if out.of is None else moved(out.of, place),
                out.partition,
                tuple(Order(moved(one.by, place), one.descending) for one in out.order),
                out.running,
                out.offset,
            )
    return out
