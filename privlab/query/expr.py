"""Row expressions: what is worked out of one row.

They are total: whatever a row holds, they give a value or null, and never fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from privlab.terms.catalog import Kind, Scalar


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
    MAGNITUDE = (
        "magnitude"  # powers of two, as in magnitude.py; a second literal changes the view alone
    )
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
    """A constant.  None is SQL's NULL.  Equal ones are of one kind: 1 is not 1.0, nor true."""

    value: Scalar | None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Literal):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on row values.  Comparisons with null give null, as in SQL."""

    op: Op
    args: tuple[Expr, ...]


Expr = Ref | Literal | Call


def columns_read(*exprs: Expr | None) -> frozenset[str]:
    """Every column that any of these reads; a shared part is looked at once."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = list(exprs)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        match one:
            case Ref(column=name):
                found.add(name)
            case Call(args=args):
                waiting += args
            case _:
                pass
    return frozenset(found)
