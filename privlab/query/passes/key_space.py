"""Find the public values of a group key."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span
from privlab.query.evaluate import evaluate, grain
from privlab.query.hints import equal_steps, key_of, listed
from privlab.query.kinds import (
    BOOLEAN,
    DAY_PARTS,
    GRAINS,
    SHIFTS,
    columns_of,
    conjuncts,
    kind_of,
    parts_of,
    substituted,
)
from privlab.query.magnitude import magnitudes
from privlab.query.passes.choose_step import grid
from privlab.query.passes.find_mistakes import holds_for_no_row
from privlab.query.passes.infer_interval import Interval, infer_interval, taken
from privlab.query.passes.infer_null import branches, can_be_null
from privlab.query.plan import Call, Expr, Key, Literal, Op, Ref
from privlab.terms.catalog import Column, Kind, Scalar, Table
from privlab.terms.loss import Currency

MAX_CELLS = 1_000_000
"""Most groups of one question."""

MAX_RANGE = 1_000
"""Widest stated range of a whole number that is taken as a list of keys."""

MAX_POINTS = 50_000
"""Most values of columns on which a key is worked out, and most parts of it all together."""

DAILY = DAY_PARTS | GRAINS | {Op.DAYS, Op.IS_NULL}
"""Operations for which a time is its day and no more."""

NULL = Literal(None)
_SELF = "the key itself"


def key_space(expr: Expr, table: Table, where: Expr | None, source: Source, span: Span) -> Key:
    """The key with every value it can show, in the order they are reported.

    Values come from the contract: its list of keys, true and false, a short
    range of whole numbers, the calendar inside a range of dates; from the
    question: the values that a CASE names; and from both: what an expression
    makes of the values of its columns.  A key that may be null has a cell for
    null.  Values that WHERE rules out, whatever the rows hold, are left away:
    that is public too.

    Where none of this tells, the values that WHERE names are the key's; else the
    key has none: they are not public, and a threshold decides which are shown.

    :raises BadQuery: PL107 the values are not public in a pure dataset, or cannot
        be shown by a threshold, or WHERE leaves none; PL113 there are more than a million.
    """
    kind = kind_of(expr)
    if kind is None or not columns_of(expr):
        raise source.refuse(
            "PL106", "a group key is a column or made from one", span, f"group by {key_of(table)}"
        )
    try:
        found = _Space(table, source, span).values(expr, where)
    except _NotPublic as unlisted:
        named = _named(expr, kind, where)
        if not named:
            return _unknown(expr, kind, table, unlisted.refusal)
        found = named
    values: list[Scalar | None] = list(itertools.islice(found, MAX_CELLS + 1))
    if len(values) > MAX_CELLS:
        raise source.refuse("PL113", f"this key has more than {MAX_CELLS:,} values", span)
    if can_be_null(expr, table, where):
        values.append(None)
    for condition in conjuncts(where):
        about_key = substituted(condition, expr, Ref(_SELF, kind))
        if columns_of(about_key) == {_SELF}:
            values = [one for one in values if evaluate(about_key, {_SELF: one}) is True]
    if not values:
        known = table.column(expr.column) if isinstance(expr, Ref) else None
        hint = "" if known is None else listed(known)
        raise source.refuse("PL107", "WHERE leaves none of this key's public values", span, hint)
    return Key(expr, kind, tuple(values))


class _NotPublic(Exception):
    """Neither the contract nor the expression tells which values there are."""

    def __init__(self, refusal: BadQuery) -> None:
        super().__init__(refusal.what)
        self.refusal = refusal


def _unknown(expr: Expr, kind: Kind, table: Table, refusal: BadQuery) -> Key:
    """The key without its values, for a threshold to show some of them.

    Moments are hardly ever shared by many units, so only hours of them are.

    :raises BadQuery: PL107, there is no threshold in a pure dataset, or none for this kind.
    """
    moment = kind is Kind.DATETIME and not (isinstance(expr, Call) and expr.op is Op.TO_HOUR)
    if kind is Kind.FLOAT or moment:
        raise refusal
    if table.currency is Currency.PURE:
        refusal.what += f", and {table.dataset} is pure, so no threshold can show some of them"
        raise refusal
    return Key(expr, kind, ())


def _named(expr: Expr, kind: Kind, where: Expr | None) -> list[Scalar]:
    """The values that WHERE names, when it names all that it lets through."""
    for condition in conjuncts(where):
        match condition:
            case Call(op=Op.EQ | Op.IS_IN, args=(one, *others)) if one == expr:
                given = [other.value for other in others if isinstance(other, Literal)]
                fitting = [
                    value
                    for value in given
                    if value is not None and type(value) is _WRITTEN.get(kind)
                ]
                if len(fitting) == len(others):
                    return list(dict.fromkeys(fitting))
    return []


_WRITTEN: dict[Kind, type] = {Kind.TEXT: str, Kind.INT: int, Kind.DATE: date}
"""Constants that are of a kind as they are written; a decimal is no whole number."""


class _Space:
    """Finds the values that are not null."""

    def __init__(self, table: Table, source: Source, span: Span) -> None:
        self.table = table
        self.source = source
        self.span = span

    def values(self, expr: Expr, where: Expr | None) -> Iterable[Scalar]:
        kind = kind_of(expr)
        match expr:
            case Ref(column=name, kind=kind):
                return self.column(name, kind, where)
            case Literal(value=value):
                return () if value is None else (value,)
            case Call(op=op) if op in BOOLEAN or kind is Kind.BOOL:
                return (False, True)
            case Call(op=Op.CASE, args=args):
                sure = [one for one in branches(args, self.table, where) if one[0] != NULL]
                possible = [not holds_for_no_row(one[1], self.table) for one in sure]
                parts = itertools.compress(taken(args, where), possible)
                return self.union([self.values(*one) for one in parts], kind)
            case Call(op=Op.COALESCE, args=args):
                return self.union([self.values(arg, where) for arg in args], kind)
            case Call(op=op, args=(Ref(column=name, kind=inner),)) if (
                inner.is_time and op in DAY_PARTS | GRAINS and not self.listed(name)
            ):
                days = _calendar(infer_interval(expr.args[0], self.table, where))
                if days is None:
                    raise self.not_public(name, inner)
                return _parts(op, days) if op in DAY_PARTS else _grains(op, days)
        if kind is Kind.FLOAT:
            hint = "make whole numbers of it, as in FLOOR(x / 10), or compare it with a constant"
            hint = hint if self.source.sql else hint.replace("FLOOR(x / 10)", "x // 10")
            raise self.source.refuse("PL107", "decimals do not form groups", self.span, hint)
        image = self.image(expr, where)
        return image if image is not None else self.whole_numbers(expr, where)

    def union(self, parts: list[Iterable[Scalar]], kind: Kind | None) -> Iterable[Scalar]:
        """Each value once: numbers and times in their order, texts in that of the question."""
        every = itertools.islice(itertools.chain.from_iterable(parts), MAX_CELLS + 1)
        distinct = list(dict.fromkeys(every))
        return distinct if kind is Kind.TEXT else sorted(distinct)

    def listed(self, name: str) -> bool:
        column = self.table.column(name)
        return column is not None and column.keys is not None

    def column(self, name: str, kind: Kind, where: Expr | None) -> Iterable[Scalar]:
        column = self.table.column(name)
        if column is not None and column.keys is not None:
            return column.keys
        if kind is Kind.BOOL:
            return (False, True)
        interval = infer_interval(Ref(name, kind), self.table, where)
        days = _calendar(interval)
        if kind is Kind.DATE and days is not None:
            return _days(days)
        if column is not None and column.low is not None and kind is Kind.INT:
            short = _whole(interval, Fraction(1))
            if short is not None:
                return short
        raise self.not_public(name, kind)

    def image(self, expr: Expr, where: Expr | None) -> Iterable[Scalar] | None:
        """What ``expr`` is on all public values of its columns, if they are few."""
        names = sorted(columns_of(expr))
        kinds = {part.column: part.kind for part in parts_of(expr) if isinstance(part, Ref)}
        if not _by_day(expr):
            return None
        domains = [self.points(name, kinds[name], where) for name in names]
        known = [one for one in domains if one is not None]
        size = sum(1 for _ in parts_of(expr))
        count = size
        for one in known:
            count *= len(one)
        if len(known) < len(names) or count > MAX_POINTS * 4:
            return None
        tests = [one for one in conjuncts(where) if columns_of(one) <= set(names)]
        found: dict[Scalar, None] = {}
        for point in itertools.product(*known):
            row: Mapping[str, Scalar | None] = dict(zip(names, point, strict=True))
            if all(evaluate(test, row) is True for test in tests):
                value = evaluate(expr, row)
                if value is not None:
                    found[value] = None
        return self.union([found], kind_of(expr))

    def points(self, name: str, kind: Kind, where: Expr | None) -> list[Scalar | None] | None:
        """The public values of one column, with null where it can be; None when there are none."""
        column = self.table.column(name)
        ref = Ref(name, kind)
        interval = infer_interval(ref, self.table, where)
        days = _calendar(interval)
        found: Iterable[Scalar] | None = None
        if column is not None and column.keys is not None:
            found = column.keys
        elif kind is Kind.BOOL:
            found = (False, True)
        elif kind.is_time and days is not None and len(days) <= MAX_POINTS:
            found = _days(days) if kind is Kind.DATE else map(_midnight, _days(days))
        elif kind is Kind.INT and column is not None and column.low is not None:
            found = _whole(interval, Fraction(1), MAX_POINTS)
        if found is None:
            return None
        return [*found, *((None,) if can_be_null(ref, self.table, where) else ())]

    def whole_numbers(self, expr: Expr, where: Expr | None) -> Iterable[Scalar]:
        """A short range of whole numbers, or the hours of a range of days."""
        match expr:
            case Call(op=Op.TO_HOUR, args=(inner,)):
                days = _calendar(infer_interval(inner, self.table, where))
                if days is not None:
                    return _hours(days)
            case Call(op=Op.MAGNITUDE, args=(inner, *_)):
                ends = infer_interval(expr, self.table, where)
                if ends.low is not None and ends.high is not None:
                    whole = kind_of(inner) is Kind.INT
                    return magnitudes(int(ends.low), int(ends.high), whole=whole)
            case _ if kind_of(expr) is Kind.INT:
                interval = infer_interval(expr, self.table, where)
                short = _whole(interval, grid(expr, self.table) or Fraction(1))
                if short is not None:
                    return short
        name = min(columns_of(expr))
        column = self.table.column(name)
        raise self.not_public(name, Kind.TEXT if column is None else column.kind, inside=True)

    def not_public(self, name: str, kind: Kind, *, inside: bool = False) -> _NotPublic:
        """PL107 where no threshold helps, and what the owner writes into the contract to make the keys public."""
        column = self.table.column(name)
        if kind is Kind.DATETIME:
            hint = f"group by the day, week or month of {name}"
            if column is None or column.low is None:
                hint = f"the owner can state a range of dates for {name} in the contract"
        elif kind is Kind.DATE:
            hint = f"the owner can state a range of dates for {name} in the contract"
        elif kind is Kind.FLOAT or (inside and kind is Kind.INT):
            example = _example(column)
            hint = f"compare {name} with a constant, as in {name} >= {example}, and group by that"
            if bins := equal_steps(column, sql=self.source.sql):
                hint += f"; or in equal steps: {bins}"
        else:
            hint = f"the owner can list keys for {name} in the contract: keys = [...]"
        what = f"the values of {name} are not public"
        return _NotPublic(self.source.refuse("PL107", what, self.span, hint))


def _by_day(expr: Expr, *, daily: bool = False) -> bool:
    """Whether of each time no more than its day matters."""
    match expr:
        case Ref(kind=kind):
            return daily or kind is not Kind.DATETIME
        case Call(op=op, args=args):
            inside = op in DAILY or (daily and op in SHIFTS)
            return all(_by_day(arg, daily=inside) for arg in args)
    return True


def _whole(interval: Interval, step: Fraction, most: int = MAX_RANGE) -> range | None:
    """The whole numbers of an interval that are multiples of ``step``, if they are few."""
    if interval.low is None or interval.high is None:
        return None
    by = max(1, int(step))
    low, high = -int(-interval.low // by) * by, int(interval.high // by) * by
    return range(low, high + 1, by) if high - low < most * by else None


def _calendar(interval: Interval) -> range | None:
    """The days of an interval, as ordinals; None when an end is open or no day."""
    low, high = interval.low, interval.high
    if low is None or high is None or not low >= 1 or high > date.max.toordinal():
        return None
    return range(int(low), int(high) + 1)


def _days(days: range) -> Iterator[date]:
    return (date.fromordinal(day) for day in days)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 times have no zone here


def _hours(days: range) -> Iterator[datetime]:
    return (_midnight(day) + timedelta(hours=hour) for day in _days(days) for hour in range(24))


def _grains(op: Op, days: range) -> Iterator[date]:
    """The first day of each grain that holds a day of the range."""
    if not days:
        return
    last = date.fromordinal(days[-1])
    reach = {Op.WEEK: 7, Op.TO_MONTH: 32, Op.TO_QUARTER: 93, Op.TO_YEAR: 367}.get(op, 1)
    at = grain(op, date.fromordinal(days[0]))
    while at <= last:
        yield at
        if (date.max - at).days < reach:
            return
        at = grain(op, at + timedelta(days=reach))


def _parts(op: Op, days: range) -> list[int]:
    """Each year, or each number of a part that the range has."""
    if op is Op.YEAR:
        if not days:
            return []
        first, last = (date.fromordinal(day).year for day in (days[0], days[-1]))
        return list(range(first, last + 1))
    cycle = _days(days[: 28 * 366])  # the calendar repeats itself, but for its centuries
    seen = (evaluate(Call(op, (Literal(day),)), {}) for day in cycle)
    return sorted({int(part) for part in seen if isinstance(part, int)})


def _example(column: Column | None) -> str:
    if column is None or column.low is None or column.high is None:
        return "10"
    if isinstance(column.low, date) or isinstance(column.high, date):
        return "10"
    return str(int((column.low + column.high) / 2))
