"""Random well-typed relations over three tables, and rows in which much is equal."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import strategies as st

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.engine.reference import UNIT
from privlab.query.expr import Call, Expr, Literal, Op, Ref
from privlab.query.relation_kinds import kind_of_unit_value
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    UnitKind,
    UnitValue,
    is_private,
)
from privlab.terms.catalog import Kind

VALUES: dict[Kind, list[Any]] = {
    Kind.BOOL: [False, True, None],
    Kind.INT: [0, 1, 2, -1, 2**63 - 1, -(2**63), None],
    Kind.FLOAT: [0.0, -0.0, 0.5, 1.0, 0.1, 1e308, -1e308, float("nan"), None],
    Kind.TEXT: ["", "a", "b", "é", None],
    Kind.DATE: [date(2024, 2, 29), date(2024, 3, 1), date(1, 1, 1), None],
    Kind.DATETIME: [datetime(2024, 2, 29), datetime(2024, 3, 1, 5, 6), None],
}
PUBLIC: dict[Kind, list[Any]] = {
    **VALUES,
    Kind.FLOAT: [Fraction(0), Fraction(1, 2), Fraction(1, 10), Fraction(10) ** 400, None],
}
SCHEMAS: dict[str, dict[str, Kind]] = {
    "visits": {"b": Kind.BOOL, "i": Kind.INT, "f": Kind.FLOAT, "t": Kind.TEXT},
    "people": {"i": Kind.INT, "t": Kind.TEXT, "d": Kind.DATE},
    "drugs": {"f": Kind.FLOAT, "j": Kind.INT, "d": Kind.DATE, "c": Kind.DATETIME},
}
UNITS = [(1, 5), (2, 0), (2, 1), (3, 0), ((1 << 64) - 1, (1 << 64) - 1)]

Rows = dict[str, list[dict[str, Any]]]


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    """Rows of every table, units in order; a unit may be in one table only."""
    found = {}
    for name, schema in SCHEMAS.items():
        row = st.fixed_dictionaries(
            {UNIT: st.sampled_from(UNITS)}
            | {column: st.sampled_from(VALUES[kind]) for column, kind in schema.items()}
        )
        found[name] = sorted(draw(st.lists(row, max_size=9)), key=lambda one: one[UNIT])
    return found


def frames(rows: Rows) -> dict[str, pl.LazyFrame]:
    """The same, as they are decrypted."""
    return {name: frame_of(rows[name], schema).lazy() for name, schema in SCHEMAS.items()}


def frame_of(rows: list[dict[str, Any]], schema: dict[str, Kind]) -> pl.DataFrame:
    units = {
        half: pl.Series([row[UNIT][at] for row in rows], dtype=pl.UInt64)
        for at, half in enumerate(UNIT_COLUMNS)
    }
    return pl.DataFrame(
        units
        | {
            name: pl.Series([row[name] for row in rows], dtype=DTYPES[kind])
            for name, kind in schema.items()
        }
    )


@dataclass(frozen=True)
class Typed:
    """A relation and the kinds of its columns."""

    relation: Relation
    schema: dict[str, Kind]


def constant(kind: Kind) -> st.SearchStrategy[Expr]:
    return st.sampled_from(PUBLIC[kind]).map(Literal)


@st.composite
def expressions(draw: st.DrawFn, schema: dict[str, Kind], kind: Kind) -> Expr:
    """An expression of ``kind``, or a bare null."""
    columns = [Ref(name, one) for name, one in schema.items() if one is kind]
    if not columns:
        return draw(constant(kind))
    column = draw(st.sampled_from(columns))
    made: list[Expr] = [
        column,
        column,
        Call(Op.COALESCE, (column, draw(constant(kind)))),
        Literal(None),
    ]
    if kind.is_number:
        made += [Call(Op.NEG, (column,)), Call(Op.ADD, (column, draw(constant(kind))))]
    if kind is Kind.BOOL:
        made += [
            Call(Op.NOT, (column,)),
            *(Call(Op.IS_NULL, (Ref(n, k),)) for n, k in schema.items()),
        ]
    return draw(st.sampled_from(made))


@st.composite
def conditions(draw: st.DrawFn, schema: dict[str, Kind]) -> Expr | None:
    name = draw(st.sampled_from([None, *schema]))
    if name is None:
        return draw(st.sampled_from([None, None, Literal(value=True), Literal(None)]))
    kind = schema[name]
    op = draw(st.sampled_from([Op.EQ, Op.NE]))
    return draw(
        st.sampled_from(
            [
                Call(op, (Ref(name, kind), draw(constant(kind)))),
                Call(Op.NOT, (Call(Op.IS_NULL, (Ref(name, kind),)),)),
            ]
        )
    )


NAMES = ["i", "f", "t", "d", "at", "n"]
kinds = st.sampled_from([*Kind])


@st.composite
def public(draw: st.DrawFn) -> Typed:
    schema = draw(st.dictionaries(st.sampled_from(NAMES), kinds, min_size=1, max_size=3))
    cells = [st.sampled_from(PUBLIC[kind]) for kind in schema.values()]
    rows = draw(st.lists(st.tuples(*cells), max_size=5))
    return Typed(PublicRows(tuple(schema.items()), tuple(rows)), schema)


@st.composite
def projects(draw: st.DrawFn, of: Typed) -> Typed:
    schema = draw(st.dictionaries(st.sampled_from(NAMES), kinds, max_size=3))
    columns = tuple((name, draw(expressions(of.schema, kind))) for name, kind in schema.items())
    return Typed(Project(of.relation, draw(conditions(of.schema)), columns), schema)


@st.composite
def unit_values(draw: st.DrawFn, of: Typed) -> UnitValue:
    kind = draw(st.sampled_from([*UnitKind]))
    if kind in (UnitKind.SUM, UnitKind.MEAN):
        step = draw(st.sampled_from([Fraction(1), Fraction(3), Fraction(1, 4), Fraction(2, 3)]))
        low = draw(st.integers(-20, 5))
        value = draw(expressions(of.schema, draw(st.sampled_from([Kind.INT, Kind.FLOAT]))))
        return UnitValue(kind, value, low * step, (low + draw(st.integers(0, 30))) * step, step)
    if kind is UnitKind.ROWS and draw(st.booleans()):
        return UnitValue(kind)
    return UnitValue(kind, draw(expressions(of.schema, draw(kinds))))


@st.composite
def per_units(draw: st.DrawFn, of: Typed) -> Typed:
    names = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    cut = draw(st.integers(0, len(names)))
    schema = {name: draw(kinds) for name in names[:cut]}
    keys = tuple((name, draw(expressions(of.schema, kind))) for name, kind in schema.items())
    values = tuple((name, draw(unit_values(of))) for name in names[cut:])
    for name, value in values:
        own = kind_of_unit_value(value) or Kind.TEXT
        schema[name] = draw(st.sampled_from([own, Kind.FLOAT])) if own is Kind.INT else own
    return Typed(PerUnit(of.relation, draw(conditions(of.schema)), keys, values), schema)


MEET = [*((kind, kind) for kind in Kind), (Kind.INT, Kind.FLOAT), (Kind.DATETIME, Kind.DATE)]


@st.composite
def joins(draw: st.DrawFn, left: Typed, right: Typed) -> Typed:
    private = is_private(left.relation), is_private(right.relation)
    unit = all(private)
    pairs = draw(st.lists(st.sampled_from(MEET), min_size=0 if unit else 1, max_size=2))
    on = tuple(
        (draw(expressions(left.schema, one)), draw(expressions(right.schema, two)))
        for one, two in pairs
    )
    taken = [name for name in right.schema if draw(st.booleans())]
    names = {old: old + "_right" * (1 + ((old + "_right") in left.schema)) for old in taken}
    relation = Join(
        left.relation,
        right.relation,
        on,
        unit,
        draw(st.booleans()) and private != (False, True),
        tuple(names.items()),
        draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) if unit else None,
    )
    return Typed(relation, left.schema | {new: right.schema[old] for old, new in names.items()})


@st.composite
def unions(draw: st.DrawFn, one: Typed, two: Typed) -> Typed:
    schema = draw(st.dictionaries(st.sampled_from(NAMES), kinds, max_size=3))
    parts = []
    for part in (one, two):
        columns = tuple(
            (name, draw(expressions(part.schema, kind))) for name, kind in schema.items()
        )
        parts.append(Project(part.relation, draw(conditions(part.schema)), columns))
    return Typed(Union(tuple(parts)), schema)


@st.composite
def publics(draw: st.DrawFn) -> Typed:
    """A public relation."""
    match draw(st.integers(0, 3)):
        case 0:
            return draw(projects(draw(public())))
        case 1:
            return draw(joins(draw(public()), draw(public())))
    return draw(public())


@st.composite
def relations(draw: st.DrawFn, depth: int = 2) -> Typed:
    """A private relation at most so deep."""
    name = draw(st.sampled_from([*SCHEMAS]))
    kind = draw(st.sampled_from(["scan", "project", "per_unit", "join", "public", "union"]))
    if not depth or kind == "scan":
        return Typed(Scan(name, 1), SCHEMAS[name])
    inner = relations(depth - 1)
    match kind:
        case "project":
            return draw(projects(draw(inner)))
        case "per_unit":
            return draw(per_units(draw(inner)))
        case "join":
            return draw(joins(draw(inner), draw(inner)))
        case "union":
            return draw(unions(draw(inner), draw(inner)))
    sides = [draw(inner), draw(publics())]
    return draw(joins(*draw(st.permutations(sides))))
