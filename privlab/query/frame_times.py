"""Polars methods of ``dt``, and dates with durations."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from privlab.query.ask import Node
from privlab.query.nodes import DAYS, MONTHS, Builder
from privlab.query.plan import Op
from privlab.terms.catalog import Kind

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions

PARTS = {
    "year": Op.YEAR,
    "quarter": Op.QUARTER,
    "month": Op.MONTH,
    "week": Op.WEEK_NUMBER,
    "weekday": Op.WEEKDAY,
    "day": Op.DAY,
    "ordinal_day": Op.ORDINAL_DAY,
    "hour": Op.HOUR,
    "minute": Op.MINUTE,
    "second": Op.SECOND,
    "month_start": Op.TO_MONTH,
}
TRUNCATIONS = {
    "1y": Op.TO_YEAR,
    "1q": Op.TO_QUARTER,
    "1mo": Op.TO_MONTH,
    "1w": Op.WEEK,
    "1d": Op.TO_DATE,
    "1h": Op.TO_HOUR,
}
TOTALS = {
    "total_days": "day",
    "total_hours": "hour",
    "total_minutes": "minute",
    "total_seconds": "second",
}
SHIFTS = {
    "d": (Op.ADD_DAYS, 1),
    "w": (Op.ADD_DAYS, 7),
    "mo": (Op.ADD_MONTHS, 1),
    "q": (Op.ADD_MONTHS, 3),
    "y": (Op.ADD_MONTHS, 12),
}
NAMES = {"%B": (Op.MONTH, MONTHS), "%A": (Op.WEEKDAY, DAYS)}
DURATIONS = {"pl.duration", "timedelta", "datetime.timedelta"}
OFFSET = re.compile(r"(-?)([0-9]{1,7})(d|w|mo|q|y)", re.ASCII)


def read_time(reader: Expressions, node: ast.Call, inner: ast.expr, attr: str) -> Node | None:
    """The parsed form of ``inner.dt.attr(...)``; None when the language does not have it."""
    build = reader.build(node)
    if attr in PARTS:
        reader.arguments(node)
        return build.call(PARTS[attr], reader.node(inner))
    if attr in TOTALS:
        reader.arguments(node)
        match inner:
            case ast.BinOp(left=later, op=ast.Sub(), right=earlier):
                return build.since(reader.node(later), reader.node(earlier), TOTALS[attr])
        raise reader.refuse(node, f"{attr} is of a difference", f"(a - b).dt.{attr}()")
    match attr:
        case "to_string" | "strftime":
            (form,) = reader.arguments(node, "format")
            word = form.value if isinstance(form, ast.Constant) else ""
            if word not in NAMES:
                what = f"of the formats of a time there are {' and '.join(NAMES)}"
                raise reader.refuse(node, what, '.dt.to_string("%B"), or .dt.truncate("1mo")')
            op, names = NAMES[str(word)]
            return build.named(build.call(op, reader.node(inner)), names)
        case "month_end":
            reader.arguments(node)
            after = build.call(Op.ADD_MONTHS, build.call(Op.TO_MONTH, reader.node(inner)), 1)
            return build.call(Op.ADD_DAYS, after, -1)
        case "date":
            reader.arguments(node)
            return build.cast(reader.node(inner), Kind.DATE, "truncate")
        case "truncate":
            (every,) = reader.arguments(node, "every")
            if isinstance(every, ast.Constant) and every.value in TRUNCATIONS:
                return build.call(TRUNCATIONS[str(every.value)], reader.node(inner))
            words = ", ".join(f'"{word}"' for word in TRUNCATIONS)
            raise reader.refuse(node, f"truncate takes {words}", '.dt.truncate("1mo")')
        case "offset_by":
            return _offset(reader, node, inner, build)
    raise reader.refuse(
        node,
        f"dt.{attr} is not in the language",
        f"{', '.join(PARTS)}, month_end, date, truncate, offset_by",
    )


def _offset(reader: Expressions, node: ast.Call, inner: ast.expr, build: Builder) -> Node:
    (by,) = reader.arguments(node, "by")
    word = by.value if isinstance(by, ast.Constant) and isinstance(by.value, str) else ""
    found = OFFSET.fullmatch(word)
    if found is None:
        raise reader.refuse(
            node,
            "a date is moved by whole days, weeks, months, quarters or years",
            '.dt.offset_by("3d")',
        )
    op, each = SHIFTS[found[3]]
    times = int(found[2]) * each
    return build.call(op, reader.node(inner), -times if found[1] else times)


def moved(
    reader: Expressions, node: ast.expr, left: ast.expr, right: ast.expr, sign: int
) -> Node | None:
    """A date and a duration; None when neither side is one."""
    if is_duration(left) and sign > 0:
        left, right = right, left
    if not is_duration(right) or not isinstance(right, ast.Call):
        return None
    build, days = reader.build(node), [*reader.arguments(right, "days", "weeks")]
    if not any(days):
        raise reader.refuse(right, "a duration has days or weeks", "pl.duration(days=3)")
    found = reader.node(left)
    for count, each in zip(days, (1, 7), strict=True):
        if count is not None:
            by = build.call(Op.MUL, reader.node(count), sign * each)
            found = build.call(Op.ADD_DAYS, found, by)
    return found


def is_duration(node: ast.expr) -> bool:
    """Whether a node is ``pl.duration(...)`` or ``timedelta(...)``."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in DURATIONS
