"""Relations of every kind, for tests of what is done with them."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from privlab.query.expr import Ref
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
from tests.query.shapes import conditions, numbers

names = st.text(max_size=3)
scanned = st.builds(Scan, names, st.integers(0, 1 << 40))
values = st.one_of(
    st.just(UnitValue(UnitKind.ROWS)),
    st.builds(
        UnitValue,
        st.sampled_from([UnitKind.ROWS, UnitKind.DISTINCT, UnitKind.MIN, UnitKind.MAX]),
        numbers,
    ),
    st.builds(
        lambda kind, of, low, length, step: UnitValue(
            kind, of, low * step, (low + length) * step, step
        ),
        st.sampled_from([UnitKind.SUM, UnitKind.MEAN]),
        numbers,
        st.integers(-9, 9),
        st.integers(0, 9),
        st.sampled_from([Fraction(1), Fraction(1, 4), Fraction(2, 3)]),
    ),
)


@st.composite
def public(draw: st.DrawFn) -> PublicRows:
    columns = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    cell = st.none() | st.integers(-3, 3)
    rows = draw(st.lists(st.tuples(*[cell] * len(columns)), max_size=3))
    return PublicRows(tuple((one, Kind.INT) for one in columns), tuple(rows))


@st.composite
def relations(draw: st.DrawFn, depth: int = 2) -> Relation:
    """A private relation at most so deep."""
    if depth == 0:
        return draw(scanned)
    inner = relations(depth - 1)
    named = draw(st.lists(names, max_size=4, unique=True))
    where = draw(st.none() | conditions)
    match draw(st.sampled_from(["scan", "project", "per_unit", "join", "union"])):
        case "project":
            return Project(draw(inner), where, tuple((one, draw(numbers)) for one in named))
        case "per_unit":
            keys, columns = named[:1], named[1:]
            return PerUnit(
                draw(inner),
                where,
                tuple((one, draw(numbers)) for one in keys),
                tuple((one, draw(values)) for one in columns),
            )
        case "join":
            left, right = draw(inner), draw(inner | public())
            unit = is_private(right)
            return Join(
                left,
                right,
                ((Ref("a", Kind.INT), Ref("b", Kind.INT)),),
                unit,
                draw(st.booleans()),
                tuple((one, one + "_right") for one in named),
                draw(st.tuples(st.integers(1, 9), st.integers(1, 9))) if unit else None,
            )
        case "union":
            return Union(tuple(draw(st.lists(inner, min_size=2, max_size=3))))
    return draw(scanned)
