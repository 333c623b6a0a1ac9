"""Mistakes that show in the question and the contract, before anything is charged.

A contract's range says where values are clamped, and its keys which groups are
shown.  Neither promises what rows hold: a value outside is stored as it is, and a
condition sees it so.  Hence what no value at all can satisfy is refused, and what
only unstated values can satisfy is answered, with a note.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from privlab.query.ask import Source, Span
from privlab.query.evaluate import evaluate
from privlab.query.kinds import COMPARISONS, columns_of, conjuncts, kind_of, parts_of, substituted
from privlab.query.passes.infer_interval import Interval, infer_interval
from privlab.query.plan import Call, Expr, Literal, MeasureKind, Op, Plan, Question, Ref
from privlab.query.plan_text import decimal, expression_text, scalar_text
from privlab.query.post.tree import KeyOut
from privlab.query.relations import PerUnit, unbounded_values
from privlab.query.said import Said, said
from privlab.query.words import plural
from privlab.terms.catalog import Column, Kind, Scalar, Table

SHOWN = 3
"""Values that a note names."""

MAX_TRIED = 1_000
"""Listed values that are tried against the other conditions."""

NOBODYS: Mapping[str, str] = {}
"""No column has a name that its asker gave."""

_SELF = "the value itself"


def refuse_contradiction(
    where: Expr | None, table: Table, source: Source, span: Span, names: Mapping[str, str] = NOBODYS
) -> None:
    """Refuse a WHERE that holds for no row, whatever the rows are.

    names: what the asker calls columns, here and below.

    :raises BadQuery: PL111.
    """
    word = "WHERE" if source.sql else "filter"
    if isinstance(where, Literal) and where.value is not True:
        raise source.refuse("PL111", f"this {word} holds for no row", span, "leave it out")
    bare = without_ranges(table)
    for left in _compared(where):
        if _is_empty(infer_interval(left, bare, where)) or _all_fail(left, where):
            words = said(left, names)
            can = _range(left, infer_interval(left, bare, None))
            raise source.refuse(
                "PL111",
                f"no value of {words} can pass this {word}",
                span,
                f"{words} is in {can}" if can else f"check the conditions on {words}",
            )


def holds_for_no_row(where: Expr | None, table: Table) -> bool:
    """Whether a condition cannot hold, whatever the rows are."""
    if isinstance(where, Literal) and where.value is not True:
        return True
    bare = without_ranges(table)
    return any(
        _is_empty(infer_interval(left, bare, where)) or _all_fail(left, where)
        for left in _compared(where)
    )


def without_ranges(table: Table) -> Table:
    """The table as rows may be: a contract's range does not promise what they hold."""
    return replace(table, columns=tuple(replace(c, low=None, high=None) for c in table.columns))


def notes_on(plan: Plan, table: Table, names: Mapping[str, str] = NOBODYS) -> tuple[str, ...]:
    """What the asker may not have meant, one sentence each."""
    found: dict[str, None] = {}
    for left in _compared(plan.where):
        if _is_empty(infer_interval(left, table, plan.where)):
            words, stated = said(left, names), _range(left, infer_interval(left, table, None))
            found[
                f"no {words} in its stated range {stated} passes the condition, "
                "so only rows outside of it can count"
            ] = None
    exprs = [plan.where, *(key.expr for key in plan.keys), *(m.of for m in plan.measures)]
    for expr in exprs:
        for part in () if expr is None else parts_of(expr):
            if (note := _unlisted(part, table)) is not None:
                found[note] = None
    return tuple(found)


def notes_on_counts(plan: Plan, table: Table, of: Said) -> tuple[str, ...]:
    """Of values made of counts of one unit's rows: how many of those the contract lets count.

    A clip that lies beyond is not what decides.
    """
    bare, found, names = without_ranges(table), dict[str, None](), of.known()
    for measure in plan.measures:
        if measure.of is None or measure.kind not in (MeasureKind.SUM, MeasureKind.QUANTILE):
            continue
        high = infer_interval(measure.of, bare, plan.where).high
        stated = infer_interval(measure.of, table, plan.where).high
        if (high is not None and high <= measure.high) or stated != measure.high:
            continue
        for column in sorted(columns_of(measure.of)):
            limit = of.limits.get(column)
            if limit is not None:
                name = names.get(column, column)
                found[f"at most {limit} per {table.unit_word} count in {name}"] = None
    return tuple(found)


def notes_on_keys(
    question: Question, table: Table, names: Mapping[str, str] = NOBODYS
) -> tuple[str, ...]:
    """Of groups by a number of one unit's rows: whoever has more than the groups reach is in none.

    The bounds of such a number are those that one unit may add to an answer, and no
    promise that there are no busier ones.
    """
    plan = question.plan
    busy = unbounded_values(plan.source)
    bare = without_ranges(table)
    shown = {
        one.out.index: one.name for one in question.finish.outputs if isinstance(one.out, KeyOut)
    }
    single = isinstance(plan.source, PerUnit) and not plan.source.keys
    who = plural(table.unit_word) if single else "rows"
    found = []
    for at, key in enumerate(plan.keys):
        if key.kind is not Kind.INT or not columns_of(key.expr) & busy:
            continue
        reach = [value for value in key.values if isinstance(value, int)]
        high = infer_interval(key.expr, bare, plan.where).high
        if not reach or (high is not None and high <= max(reach)):
            continue
        name, top = shown.get(at, said(key.expr, names)), max(reach)
        note = f"{who} whose {name} is above {top} are in no group"
        of, clipped = key.expr, False
        if isinstance(of, Call) and of.op is Op.CLIP and isinstance(of.args[0], Ref):
            of, clipped = of.args[0], True
        if isinstance(of, Ref) and at in shown:
            of_what = said(of, names) if clipped else name
            least = (
                f"LEAST({of_what}, {top})"
                if question.sql
                else f'pl.col("{of_what}").clip(0, {top})'
            )
            note += f"; {least} in its place puts them into the last"
        found.append(note)
    return tuple(found)


def _compared(where: Expr | None) -> Iterator[Expr]:
    """What the conditions compare with constants, each once."""
    seen: dict[str, Expr] = {}
    for condition in conjuncts(where):
        match condition:
            case Call(op=op, args=(left, Literal(), *_)) if op in COMPARISONS or op is Op.IS_IN:
                seen.setdefault(expression_text(left), left)
    yield from seen.values()


def _is_empty(interval: Interval) -> bool:
    return interval.low is not None and interval.high is not None and interval.low > interval.high


def _all_fail(left: Expr, where: Expr | None) -> bool:
    """Whether each of the values that one condition lists fails another condition."""
    kind = kind_of(left)
    if kind is None:
        return False
    about = [substituted(one, left, Ref(_SELF, kind)) for one in conjuncts(where)]
    about = [one for one in about if columns_of(one) == {_SELF}]
    for one in about:
        match one:
            case Call(op=Op.EQ | Op.IS_IN, args=(Ref(), *listed)) if len(listed) <= MAX_TRIED:
                values = [value.value for value in listed if isinstance(value, Literal)]
                return len(about) > 1 and not any(
                    all(evaluate(test, {_SELF: value}) is True for test in about)
                    for value in values
                )
    return False


def _range(left: Expr, interval: Interval) -> str:
    """An interval in the expression's own unit; "" when it is open."""
    if interval.low is None and interval.high is None:
        return ""
    kind = kind_of(left)
    return f"{_end(interval.low, kind)}..{_end(interval.high, kind)}"


def _end(end: Fraction | None, kind: Kind | None) -> str:
    if end is None:
        return ""
    if kind is not None and kind.is_time:
        return date.fromordinal(int(end)).isoformat()
    return decimal(end)


def _unlisted(part: Expr, table: Table) -> str | None:
    """A note on constants that a column with stated keys is compared with."""
    match part:
        case Call(op=Op.EQ | Op.NE | Op.IS_IN, args=(Ref(column=name), *listed)):
            column = table.column(name)
            if column is None or column.keys is None or column.kind is Kind.BOOL:
                return None
            known = set(column.keys)
            values = [one.value for one in listed if isinstance(one, Literal)]
            unknown = [value for value in values if value not in known]
            return _words(unknown, column) if unknown else None
    return None


def _words(unknown: Sequence[Scalar | None], column: Column) -> str:
    shown = ", ".join(scalar_text(value) for value in unknown[:SHOWN])
    rest = len(unknown) - SHOWN
    more = f" and {rest:,} more" if rest > 0 else ""
    verb = "is" if len(unknown) == 1 else "are"
    note = f"{shown}{more} {verb} not among the stated keys of {column.name}"
    meant = _nearest(unknown[0], column)
    return note if meant is None else f"{note}; did you mean {scalar_text(meant)}?"


def _nearest(value: Scalar | None, column: Column) -> str | None:
    """The key that ``value`` was meant to be: in another case, or misspelt."""
    if not isinstance(value, str):
        return None
    folded = {key.casefold(): key for key in column.keys or () if isinstance(key, str)}
    near = difflib.get_close_matches(value.casefold(), list(folded), 1)
    return folded[near[0]] if near else None
