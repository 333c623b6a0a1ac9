"""One plan, one text, one id.

`encode_plan` and `decode_plan` are inverse to each other and strict: an unknown
field, a wrong type or a value out of range is an `IntegrityError`.  Ids are
SHA-256 of a labelled canonical JSON of what matters: a view's id knows nothing
of the names or the order in which an analyst listed her columns.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from privlab.errors import IntegrityError
from privlab.query.kinds import COMPARISONS, DIVISIONS, EXTREMES, ROUNDINGS, SHIFTS, STRIPS
from privlab.query.plan import (
    Call,
    Expr,
    Key,
    Literal,
    Measure,
    MeasureKind,
    Op,
    Plan,
    Question,
    Ref,
)
from privlab.query.plan_text import plan_text as plan_text
from privlab.query.post.encoding import encode_order, encode_out
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind, Scalar

VERSION = 1
VIEW_LABEL = "privlab/view/v1"
QUESTION_LABEL = "privlab/question/v1"

Json = Any
"""What ``json`` reads and writes; checked field by field when read."""


# --- writing -----------------------------------------------------------------


def encode_scalar(value: Scalar | None) -> Json:
    """``[type, text]``, or None for null."""
    match value:
        case None:
            return None
        case bool():
            return ["bool", "true" if value else "false"]
        case int():
            return ["int", str(value)]
        case Fraction():
            return ["number", f"{value.numerator}/{value.denominator}"]
        case str():
            return ["text", value]
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
    raise TypeError(f"{type(value).__name__} is no scalar")


def encode_expr(expr: Expr) -> Json:
    match expr:
        case Ref(column=column, kind=kind):
            return {"column": column, "kind": kind.value}
        case Literal(value=value):
            return {"value": encode_scalar(value)}
        case Call(op=op, args=args):
            return {"op": op.value, "args": [encode_expr(arg) for arg in args]}


def encode_measure(measure: Measure) -> Json:
    found = {
        "kind": measure.kind.value,
        "of": None if measure.of is None else encode_expr(measure.of),
        "low": str(measure.low),
        "high": str(measure.high),
        "step": str(measure.step),
        "centre": str(measure.centre),
    }
    return found if measure.q is None else {**found, "q": str(measure.q)}


def encode_plan(plan: Plan) -> dict[str, Json]:
    """The plan as JSON values: strings, whole numbers, lists, objects, null."""
    return {
        "version": VERSION,
        "dataset": plan.dataset,
        "table": plan.table,
        "table_version": plan.version,
        "unit": plan.unit,
        "bound": [plan.bound.rows, plan.bound.rows_per_group, plan.bound.groups],
        "row_cap": plan.row_cap,
        "where": None if plan.where is None else encode_expr(plan.where),
        "keys": [
            {
                "expr": encode_expr(key.expr),
                "kind": key.kind.value,
                "values": [encode_scalar(value) for value in key.values],
            }
            for key in plan.keys
        ],
        "measures": [encode_measure(measure) for measure in plan.measures],
    }


def canonical_text(value: Json) -> str:
    """JSON with sorted names and no spaces; ASCII, so bytes and text agree."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _digest(label: str, value: Json) -> str:
    return hashlib.sha256(f"{label}\0{canonical_text(value)}".encode()).hexdigest()


def view_id(plan: Plan, index: int) -> str:
    """The id of measure ``index``: the same in every question that measures it."""
    return _digest(VIEW_LABEL, encode_plan(replace(plan, measures=(plan.measures[index],))))


def question_id(question: Question) -> str:
    """The id of a whole question: its plan, and its outputs by name and in order."""
    finish = question.finish
    return _digest(
        QUESTION_LABEL,
        {
            "plan": encode_plan(question.plan),
            "outputs": [[one.name, one.label, encode_out(one.out)] for one in finish.outputs],
            "having": [encode_out(one) for one in finish.having],
            "order": [encode_order(one) for one in finish.order],
            "limit": finish.limit,
            **({"qualify": [*map(encode_out, finish.qualify)]} if finish.qualify else {}),
            **({"offset": finish.offset} if finish.offset else {}),
        },
    )


# --- reading -----------------------------------------------------------------


def decode_plan(value: Json) -> Plan:
    """The plan that `encode_plan` wrote.

    :raises IntegrityError: PL400, anything else.
    """
    try:
        return _plan(value)
    except (KeyError, TypeError, ValueError, IndexError, RecursionError):
        raise IntegrityError("this is not a plan of a version known here", code="PL400") from None


def _fields(value: Json, *names: str) -> list[Json]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise ValueError("fields")
    return [value[name] for name in names]


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _count(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("count")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("list")
    return value


def _fraction(value: Json) -> Fraction:
    found = Fraction(_text(value))
    if str(found) != value:
        raise ValueError("fraction")
    return found


def _scalar(value: Json) -> Scalar | None:
    if value is None:
        return None
    kind, text = _list(value)
    readers: dict[str, Any] = {
        "bool": lambda text: {"true": True, "false": False}[text],
        "int": int,
        "number": Fraction,
        "text": str,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
    }
    found: Scalar = readers[kind](_text(text))
    if encode_scalar(found) != value:
        raise ValueError("scalar")
    return found


_ARITY: dict[Op, tuple[int, int | None]] = {
    **dict.fromkeys((Op.AND, Op.OR, Op.ADD, Op.MUL, Op.IS_IN, Op.CONCAT), (2, None)),
    **dict.fromkeys((Op.COALESCE, *EXTREMES), (2, None)),
    **dict.fromkeys((*COMPARISONS, *DIVISIONS, *ROUNDINGS, *STRIPS, *SHIFTS), (2, 2)),
    **dict.fromkeys((Op.SUB, Op.LIKE, Op.DAYS, Op.ELAPSED), (2, 2)),
    **dict.fromkeys((Op.CLIP, Op.SLICE, Op.REPLACE), (3, 3)),
    Op.CASE: (3, None),
}


def _expr(value: Json) -> Expr:
    if not isinstance(value, dict):
        raise TypeError("expression")
    if "column" in value:
        column, kind = _fields(value, "column", "kind")
        return Ref(_text(column), Kind(kind))
    if "op" in value:
        name, args = _fields(value, "op", "args")
        op = Op(name)
        call = Call(op, tuple(_expr(arg) for arg in _list(args)))
        least, most = _ARITY.get(op, (1, 1))
        if len(call.args) < least or (most is not None and len(call.args) > most):
            raise ValueError("arity")
        if op is Op.CASE and len(call.args) % 2 == 0:
            raise ValueError("a case without its last value")
        return call
    (scalar,) = _fields(value, "value")
    return Literal(_scalar(scalar))


_BOUNDED = (MeasureKind.SUM, MeasureKind.QUANTILE)
_VALUED = (*_BOUNDED, MeasureKind.DISTINCT)


def _measure(value: Json) -> Measure:
    names = ("kind", "of", "low", "high", "step", "centre")
    if isinstance(value, dict) and "q" in value:
        kind, of, low, high, step, centre, q = _fields(value, *names, "q")
    else:
        (kind, of, low, high, step, centre), q = _fields(value, *names), None
    measure = Measure(
        MeasureKind(kind),
        None if of is None else _expr(of),
        _fraction(low),
        _fraction(high),
        _fraction(step),
        _fraction(centre),
        None if q is None else _fraction(q),
    )
    if measure.step <= 0 or measure.low > measure.high:
        raise ValueError("bounds")
    if measure.kind in _VALUED and measure.of is None:
        raise ValueError("a sum, a quantile and distinct values need a value")
    if measure.kind not in _BOUNDED and measure != Measure(measure.kind, measure.of):
        raise ValueError("a count has no bounds")
    if measure.chosen is (measure.q is None) or not 0 <= (measure.q or 0) <= 1:
        raise ValueError("a quantile has a q in [0, 1], and nothing else has one")
    if measure.chosen and measure.centre:
        raise ValueError("a quantile is coded about zero")
    measure.radius  # noqa: B018  raises when a bound is off the grid
    return measure


def _key(value: Json) -> Key:
    expr, kind, values = _fields(value, "expr", "kind", "values")
    texts = [canonical_text(one) for one in _list(values)]
    if not texts or len(set(texts)) != len(texts):
        raise ValueError("a key has distinct values, and at least one")
    return Key(_expr(expr), Kind(kind), tuple(_scalar(one) for one in values))


def _plan(value: Json) -> Plan:
    (version, dataset, table, table_version, unit, bound, row_cap, where, keys, measures) = _fields(
        value,
        "version",
        "dataset",
        "table",
        "table_version",
        "unit",
        "bound",
        "row_cap",
        "where",
        "keys",
        "measures",
    )
    if version != VERSION or isinstance(version, bool):
        raise ValueError("version")
    rows, rows_per_group, groups = (_count(one) for one in _list(bound))
    return Plan(
        dataset=_text(dataset),
        table=_text(table),
        version=_count(table_version),
        unit=_text(unit),
        bound=ContributionBound(rows, rows_per_group, groups),
        row_cap=_count(row_cap),
        where=None if where is None else _expr(where),
        keys=tuple(_key(one) for one in _list(keys)),
        measures=tuple(_measure(one) for one in _list(measures)),
    )
