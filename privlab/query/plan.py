"""The canonical plan: what is measured, and what is made of it afterwards.

A `Plan` is all that touches rows: filter, form public groups, and per privacy
unit a bounded integer vector summed per group, or one value per group to choose
a quantile of.  A `Finish` is all that happens afterwards to released numbers.  Expressions are total: whatever a row holds,
they give a value or null, and never fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from privlab.query.post.tree import Finish as Finish
from privlab.query.post.tree import KeyOut as KeyOut
from privlab.query.post.tree import MeanOut as MeanOut
from privlab.query.post.tree import MeasureOut as MeasureOut
from privlab.query.post.tree import Order as Order
from privlab.query.post.tree import Out as Out
from privlab.query.post.tree import Output as Output
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind, Scalar
from privlab.terms.loss import Currency


class Op(StrEnum):
    """Every operation a row expression may use.

    A compiled plan writes chains of AND, OR, ADD and MUL left-nested, two
    arguments each; SUB does not occur in it (``a - b`` is ``a + (-b)``), nor
    does CAST, which is one of the others once the types are known.
    """

    AND = "and"
    OR = "or"
    NOT = "not"
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IS_NULL = "is_null"
    IS_IN = "is_in"  # value, then literals
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    NEG = "neg"
    ABS = "abs"
    CLIP = "clip"  # value, low, high: literals; a null bound is open
    CASE = "case"  # condition, value, condition, value, ..., value otherwise
    COALESCE = "coalesce"  # the first that is not null
    GREATEST = "greatest"  # null when any is null
    LEAST = "least"
    MAX_OF = "max_of"  # nulls are skipped
    MIN_OF = "min_of"
    DIVIDE = "divide"  # a decimal; null by zero, as the four below
    FLOOR_DIV = "floor_div"  # a whole number, towards minus infinity
    TRUNC_DIV = "trunc_div"  # a whole number, towards zero
    MOD = "mod"  # a - floor(a / b) * b, with the sign of b
    REMAINDER = "remainder"  # a - trunc(a / b) * b, with the sign of a
    ROUND = "round"  # value, digits: a literal; halves away from zero
    ROUND_EVEN = "round_even"  # value, digits: a literal; halves to the even neighbour
    SIGN = "sign"
    SQRT = "sqrt"
    LN = "ln"
    EXP = "exp"
    CAST = "cast"  # value, kind, "round" or "truncate": literals
    PARSE_INT = "parse_int"  # of a text, null when it is none
    PARSE_FLOAT = "parse_float"
    PARSE_DATE = "parse_date"
    TO_TEXT = "to_text"
    LOWER = "lower"
    UPPER = "upper"
    LENGTH = "length"  # characters
    SLICE = "slice"  # text, offset, length: literals; a null length is open
    STRIP = "strip"  # text, characters: a literal
    STRIP_START = "strip_start"
    STRIP_END = "strip_end"
    LIKE = "like"  # text, pattern: a literal, escaped by backslash
    CONCAT = "concat"
    REPLACE = "replace"  # text, old, new: literals
    YEAR = "year"
    MONTH = "month"
    QUARTER = "quarter"
    WEEK = "week"  # the Monday that begins it, as a date
    WEEK_NUMBER = "week_number"  # of ISO 8601, 1..53
    WEEKDAY = "weekday"  # Monday is 1
    DAY = "day"  # day of the month
    ORDINAL_DAY = "ordinal_day"  # day of the year
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"
    TO_YEAR = "to_year"  # first day of the year, as a date
    TO_QUARTER = "to_quarter"  # first day of the quarter, as a date
    TO_MONTH = "to_month"  # first day of the month, as a date
    TO_DATE = "to_date"  # the calendar day, as a date
    TO_HOUR = "to_hour"  # the hour that holds it, as a time
    ADD_DAYS = "add_days"  # date or time, days: a literal
    ADD_MONTHS = "add_months"  # date or time, months: a literal; the last day of a short month
    DAYS = "days"  # calendar days from the second to the first
    ELAPSED = "elapsed"  # microseconds from the second to the first


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of the table."""

    column: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant.  None is SQL's NULL."""

    value: Scalar | None


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on row values.  Comparisons with null give null, as in SQL."""

    op: Op
    args: tuple[Expr, ...]


Expr = Ref | Literal | Call


@dataclass(frozen=True, slots=True)
class Key:
    """A group key with its public cells, in the order they are reported.

    values may hold None for the cell of null keys.  A row whose key is in no
    cell belongs to no group.
    """

    expr: Expr
    kind: Kind
    values: tuple[Scalar | None, ...]


class MeasureKind(StrEnum):
    """What one privacy unit adds to a group."""

    ROWS = "rows"  # its rows, or its rows where `of` is neither null nor NaN
    UNITS = "units"  # one
    SUM = "sum"  # the sum of its coded values
    DISTINCT = "distinct"  # the values of `of` in its rows, as far as no other unit has them
    QUANTILE = "quantile"  # the coded value of one of its rows, to choose a quantile of


@dataclass(frozen=True, slots=True)
class Measure:
    """One integer vector with a cell per group.

    For SUM a row adds ``floor((clamp(of, low, high) - centre) / step + 0.5)``,
    an integer in [-radius, radius]; rows where ``of`` is null or NaN add nothing.
    low, high and centre are whole multiples of step.  ``centre`` is zero unless
    the decoder adds ``centre`` times a charged noisy count back.
    For ROWS, UNITS and DISTINCT: low 0, high 1, step 1, centre 0.

    QUANTILE is no sum: a group's cell is a whole number of steps from low to high,
    chosen near the q-quantile of its values, one of each unit in the group.
    """

    kind: MeasureKind
    of: Expr | None = None
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(1)
    step: Fraction = Fraction(1)
    centre: Fraction = Fraction(0)
    q: Fraction | None = None

    @property
    def chosen(self) -> bool:
        """Whether its cells are chosen; nothing is added to them."""
        return self.kind is MeasureKind.QUANTILE

    @property
    def candidates(self) -> int:
        """How many answers a quantile has."""
        return int((self.high - self.low) / self.step) + 1

    @property
    def radius(self) -> int:
        """The largest absolute value one row can add, in steps."""
        reach = max(abs(self.low - self.centre), abs(self.high - self.centre)) / self.step
        if reach.denominator != 1:
            raise ValueError("low, high and centre must be multiples of step")
        return int(reach)

    def squared_sensitivity(self, bound: ContributionBound) -> int:
        """D2 in squared steps, for a bound that is already `for_cells`.

        Of a quantile: the groups in which one unit can move all scores by one.
        """
        if self.kind in (MeasureKind.UNITS, MeasureKind.QUANTILE):
            return bound.groups
        return bound.squared_rows * self.radius**2

    def sensitivity(self, bound: ContributionBound) -> int:
        """D1, the L1 sensitivity in steps, for a bound that is already `for_cells`.

        Of a quantile: as `squared_sensitivity`.
        """
        if self.kind in (MeasureKind.UNITS, MeasureKind.QUANTILE):
            return bound.groups
        return bound.most_rows * self.radius


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that touches rows.

    bound: the contract's bound, already narrowed by `for_cells`.
    keys: outermost first; the cells are their product, last key fastest.
    """

    dataset: str
    table: str
    version: int
    unit: str
    bound: ContributionBound
    row_cap: int
    where: Expr | None
    keys: tuple[Key, ...]
    measures: tuple[Measure, ...]

    @property
    def cells(self) -> int:
        """Number of groups; 1 when there are no keys."""
        count = 1
        for key in self.keys:
            count *= len(key.values)
        return count

    @property
    def columns(self) -> frozenset[str]:
        """Every column whose values are read, except the unit's pseudonym."""
        found: set[str] = set()

        def walk(expr: Expr | None) -> None:
            match expr:
                case Ref(column=name):
                    found.add(name)
                case Call(args=args):
                    for arg in args:
                        walk(arg)
                case _:
                    pass

        walk(self.where)
        for key in self.keys:
            walk(key.expr)
        for measure in self.measures:
            walk(measure.of)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Question:
    """A plan and its finish: all of what was asked, without the price.

    rows: the table's declared, public, approximate size, to price a mean with.
    notes: what the asker may not have meant, as far as the contract tells.
    currency: of the dataset, which says what noise is drawn and what it costs.
    None of them is part of what was asked.
    """

    plan: Plan
    finish: Finish
    rows: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)
    currency: Currency = Currency.GDP
