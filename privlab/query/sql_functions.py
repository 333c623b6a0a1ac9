"""SQL functions: what each is made of, from sqlglot's nodes to the parsed form.

The names that dialects share have the meaning they share; where dialects
differ, one meaning is taken and stated in ``docs/language.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from privlab.query.ask import Const, Node
from privlab.query.nodes import DAYS, MICROSECONDS, MONTHS, Builder
from privlab.query.plan import Op
from privlab.terms.catalog import Kind

if TYPE_CHECKING:
    from privlab.query.sql_expressions import Expressions

UNARY: dict[type, Op] = {
    exp.Not: Op.NOT,
    exp.Neg: Op.NEG,
    exp.Abs: Op.ABS,
    exp.Sign: Op.SIGN,
    exp.Sqrt: Op.SQRT,
    exp.Ln: Op.LN,
    exp.Exp: Op.EXP,
    exp.Lower: Op.LOWER,
    exp.Upper: Op.UPPER,
    exp.Length: Op.LENGTH,
    exp.Year: Op.YEAR,
    exp.Quarter: Op.QUARTER,
    exp.Month: Op.MONTH,
    exp.Week: Op.WEEK_NUMBER,
    exp.WeekOfYear: Op.WEEK_NUMBER,
    exp.DayOfWeekIso: Op.WEEKDAY,
    exp.Day: Op.DAY,
    exp.DayOfMonth: Op.DAY,
    exp.DayOfYear: Op.ORDINAL_DAY,
    exp.Hour: Op.HOUR,
    exp.Minute: Op.MINUTE,
    exp.Second: Op.SECOND,
}
PARTS = {
    "YEAR": Op.YEAR,
    "QUARTER": Op.QUARTER,
    "MONTH": Op.MONTH,
    "WEEK": Op.WEEK_NUMBER,
    "ISOWEEK": Op.WEEK_NUMBER,
    "ISODOW": Op.WEEKDAY,
    "DAY": Op.DAY,
    "DOY": Op.ORDINAL_DAY,
    "DAYOFYEAR": Op.ORDINAL_DAY,
    "HOUR": Op.HOUR,
    "MINUTE": Op.MINUTE,
    "SECOND": Op.SECOND,
}
TRUNCATIONS = {
    "YEAR": Op.TO_YEAR,
    "QUARTER": Op.TO_QUARTER,
    "MONTH": Op.TO_MONTH,
    "WEEK": Op.WEEK,
    "DAY": Op.TO_DATE,
    "HOUR": Op.TO_HOUR,
}
SHIFTS = {
    "DAY": (Op.ADD_DAYS, 1),
    "WEEK": (Op.ADD_DAYS, 7),
    "MONTH": (Op.ADD_MONTHS, 1),
    "QUARTER": (Op.ADD_MONTHS, 3),
    "YEAR": (Op.ADD_MONTHS, 12),
}
UNITS = set(SHIFTS) | {"HOUR", "MINUTE", "SECOND"}
MOST_POWER = 16


def read_function(node: exp.Expr, reader: Expressions) -> Node | None:
    """The parsed form of a function call; None when the language does not have it."""
    build = Builder(reader.at(node))
    read = reader.expression
    if (op := UNARY.get(type(node))) is not None:
        reader.only(node, "this")
        return build.call(op, read(node.this))
    match node:
        case exp.Floor() | exp.Ceil():
            reader.only(node, "this")
            inner = read(node.this)
            return build.floor(inner) if isinstance(node, exp.Floor) else build.ceil(inner)
        case exp.Round():
            reader.only(node, "this", "decimals")
            return build.call(Op.ROUND, read(node.this), _digits(node, reader))
        case exp.Trunc():
            return _truncated(node, reader, build)
        case exp.Pow():
            return _power(node, reader, build)
        case exp.Log():
            return _logarithm(node, reader, build)
        case exp.DayOfWeek():
            reader.only(node, "this")
            return _sunday(build, read(node.this), first=1)
        case exp.Date() | exp.TsOrDsToDate():
            reader.only(node, "this")
            return build.cast(read(node.this), Kind.DATE, "round")
        case exp.LastDay():
            reader.only(node, "this")
            after = build.call(Op.ADD_MONTHS, build.call(Op.TO_MONTH, read(node.this)), 1)
            return build.call(Op.ADD_DAYS, after, -1)
        case exp.SafeDivide():
            reader.only(node, "this", "expression")
            return build.call(Op.DIVIDE, read(node.this), read(node.expression))
        case exp.Monthname() | exp.Dayname():
            reader.only(node, "this")
            months = isinstance(node, exp.Monthname)
            part = build.call(Op.MONTH if months else Op.WEEKDAY, read(node.this))
            return build.named(part, MONTHS if months else DAYS)
        case exp.Extract():
            return _part(str(node.this.name), node.expression, node, reader, build)
        case exp.DateTrunc() | exp.TimestampTrunc():
            reader.only(node, "this", "unit", "unabbreviate")
            unit = node.args["unit"].name
            return build.call(reader.known(node, unit, TRUNCATIONS), read(node.this))
        case exp.WidthBucket():
            reader.only(node, "this", "min_value", "max_value", "num_buckets")
            names = ("min_value", "max_value", "num_buckets")
            if any(node.args.get(name) is None for name in names):
                raise reader.refuse(node, "this takes four values", "WIDTH_BUCKET(x, 0, 1000, 4)")
            return build.bucket(read(node.this), *(read(node.args[name]) for name in names))
        case exp.Anonymous():
            return _named(node, reader, build)
    return None


def _digits(node: exp.Expr, reader: Expressions) -> Node | int:
    digits = node.args.get("decimals")
    return 0 if digits is None else reader.expression(digits)


def whole(node: exp.Expr | None) -> int | None:
    """A whole number that is written out, with its sign; quoted too, as in INTERVAL '3' DAY."""
    match node:
        case exp.Neg(this=exp.Literal() as inner):
            found = whole(inner)
            return None if found is None else -found
        case exp.Literal() if re.fullmatch(r"[+-]?[0-9]{1,9}", node.name, re.ASCII):
            return int(node.name)
    return None


def _truncated(node: exp.Trunc, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "decimals")
    value = reader.expression(node.this)
    digits = 0 if node.args.get("decimals") is None else whole(node.args["decimals"])
    if digits is None or not 0 <= digits <= 15:
        raise reader.refuse(node, "TRUNC takes 0 to 15 digits, written out", "TRUNC(x, 2)")
    if digits == 0:
        return build.call(Op.TRUNC_DIV, value, 1)
    scaled = build.call(Op.MUL, value, 10**digits)
    return build.call(Op.DIVIDE, build.call(Op.TRUNC_DIV, scaled, 1), 10**digits)


def _power(node: exp.Pow, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "expression")
    value, exponent = reader.expression(node.this), node.expression
    if isinstance(exponent, exp.Literal) and exponent.name in ("0.5", ".5"):
        return build.call(Op.SQRT, value)
    times = whole(exponent)
    if times is None or not 1 <= times <= MOST_POWER:
        what = f"a power is a whole number from 1 to {MOST_POWER}, written out, or 0.5"
        raise reader.refuse(node, what, "POWER(x, 2)")
    return build.power(value, times)


def _logarithm(node: exp.Log, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "expression")
    if node.args.get("expression") is None:
        raise reader.refuse(node, "LOG without a base is 10 here and e there", "LN(x), or LOG10(x)")
    base, value = (
        build.call(Op.LN, reader.expression(node.this)),
        reader.expression(node.expression),
    )
    return build.call(Op.DIVIDE, build.call(Op.LN, value), base)


def _sunday(build: Builder, value: Node, first: int) -> Node:
    """The day of the week from Sunday on, which is ``first``."""
    day = build.call(Op.MOD, build.call(Op.WEEKDAY, value), 7)
    return day if first == 0 else build.call(Op.ADD, day, first)


def _part(unit: str, of: exp.Expr, node: exp.Expr, reader: Expressions, build: Builder) -> Node:
    value = reader.expression(of)
    match unit.upper():
        case "DOW":
            return _sunday(build, value, first=0)
        case "DAYOFWEEK":
            return _sunday(build, value, first=1)
    return build.call(reader.known(node, unit, PARTS), value)


def _named(node: exp.Anonymous, reader: Expressions, build: Builder) -> Node | None:
    """Functions whose arguments sqlglot does not tell apart for us."""
    args, read = node.expressions, reader.expression
    match node.name.upper(), len(args):
        case "ISNULL", 1:
            return build.call(Op.IS_NULL, read(args[0]))
        case "ISNULL", 2:
            return build.call(Op.COALESCE, read(args[0]), read(args[1]))
        case "ZEROIFNULL", 1:
            return build.call(Op.COALESCE, read(args[0]), 0)
        case "SQUARE", 1:
            return build.power(read(args[0]), 2)
        case (("PREFIX" | "SUFFIX"), 2):
            how = "starts" if node.name.upper() == "PREFIX" else "ends"
            return build.call(Op.LIKE, read(args[0]), read(args[1]), how, None)
        case "MAGNITUDE", 1 | 2:
            return build.call(Op.MAGNITUDE, *map(read, args))
        case "WEEKDAY", 1:
            return build.call(Op.ADD, build.call(Op.WEEKDAY, read(args[0])), -1)
        case "TO_DATE", 1:
            return build.cast(read(args[0]), Kind.DATE, "round")
        case (("DATE_PART" | "DATEPART"), 2):
            return _part(args[0].name, args[1], node, reader, build)
        case "DATEDIFF" | "DATE_DIFF" | "DAYS_BETWEEN", 2:
            return build.call(Op.DAYS, read(args[0]), read(args[1]))
        case "DATEDIFF" | "DATE_DIFF", 3:
            return _difference(node, reader, build)
        case "TIMESTAMPDIFF", 3 if _unit(args[0]).lower() in MICROSECONDS:
            return build.since(read(args[2]), read(args[1]), _unit(args[0]).lower())
        case "DATEADD", 3:
            return shifted(read(args[2]), args[1], _unit(args[0]), node, reader, 1)
        case (("DATE_ADD" | "DATE_SUB"), 2):
            sign = 1 if node.name.upper() == "DATE_ADD" else -1
            by = args[1]
            if isinstance(by, exp.Interval):
                return moved(read(args[0]), by, node, reader, sign)
            return shifted(read(args[0]), by, "DAY", node, reader, sign)
        case "ADD_MONTHS", 2:
            return shifted(read(args[0]), args[1], "MONTH", node, reader, 1)
    return None


def _unit(node: exp.Expr) -> str:
    """DAY, 'day' and DAYS are one unit."""
    word = str(node.name).upper()
    return word[:-1] if word.endswith("S") and word[:-1] in UNITS else word


def _difference(node: exp.Anonymous, reader: Expressions, build: Builder) -> Node:
    """DATEDIFF(DAY, from, to) and DATE_DIFF(to, from, DAY)."""
    args = node.expressions
    first, last = _unit(args[0]), _unit(args[2])
    if first == "DAY":
        return build.call(Op.DAYS, reader.expression(args[2]), reader.expression(args[1]))
    if last == "DAY":
        return build.call(Op.DAYS, reader.expression(args[0]), reader.expression(args[1]))
    raise reader.refuse(
        node,
        "dates differ in days here",
        "DATEDIFF(later, earlier), or TIMESTAMPDIFF(HOUR, earlier, later)",
    )


def moved(value: Node, by: exp.Interval, node: exp.Expr, reader: Expressions, sign: int) -> Node:
    """A date and an INTERVAL of one unit: INTERVAL '3' DAY, INTERVAL 3 DAY, INTERVAL '3 days'."""
    reader.only(by, "this", "unit")
    return shifted(
        value, by.this, _unit(by.args["unit"]) if by.args.get("unit") else "", node, reader, sign
    )


def shifted(
    value: Node, by: exp.Expr, unit: str, node: exp.Expr, reader: Expressions, sign: int
) -> Node:
    """A date moved by whole units, written out or a parameter."""
    if unit not in SHIFTS:
        raise reader.refuse(
            node,
            "a date is moved by days, weeks, months, quarters or years",
            "x + INTERVAL '3' DAY",
        )
    op, each = SHIFTS[unit]
    build = Builder(reader.at(node))
    times = whole(by)
    if times is not None:
        return build.call(op, value, sign * each * times)
    inner = reader.expression(by)
    if isinstance(inner, Const):
        raise reader.refuse(node, "a date is moved by a whole number of units", "INTERVAL '3' DAY")
    return build.call(op, value, build.call(Op.MUL, inner, sign * each))
