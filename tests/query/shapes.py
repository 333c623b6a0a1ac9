"""Random well-typed expressions and rows, for the promises of the passes."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

from hypothesis import strategies as st

from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar

AGE = Ref("age", Kind.INT)
STAY = Ref("stay_days", Kind.INT)
COST = Ref("cost", Kind.FLOAT)
SEX = Ref("sex", Kind.TEXT)
URGENT = Ref("urgent", Kind.BOOL)
ADMITTED = Ref("admitted", Kind.DATE)
SEEN = Ref("seen", Kind.DATETIME)

whole = st.integers(-5, 5)
decimals = st.builds(Fraction, st.integers(-20, 20), st.sampled_from([1, 2, 4]))
days = st.dates(date(2023, 1, 1), date(2024, 12, 31))
moments = st.datetimes(datetime(2023, 1, 1), datetime(2024, 12, 31))  # noqa: DTZ001


def plain(value: Fraction | int) -> Literal:
    return Literal(int(value) if value == int(value) else value)


numbers_flat: st.SearchStrategy[Expr] = st.one_of(
    st.sampled_from([AGE, STAY, COST]), whole.map(Literal), decimals.map(plain)
)


def _clip(value: Expr, one: int, two: int, sides: int) -> Expr:
    low, high = min(one, two), max(one, two)
    return Call(
        Op.CLIP,
        (value, Literal(low if sides != 1 else None), Literal(high if sides != 2 else None)),
    )


numbers: st.SearchStrategy[Expr] = st.recursive(
    numbers_flat,
    lambda inner: st.one_of(
        st.builds(
            lambda op, a, b: Call(op, (a, b)),
            st.sampled_from([Op.ADD, Op.SUB, Op.MUL]),
            inner,
            inner,
        ),
        st.builds(lambda op, a: Call(op, (a,)), st.sampled_from([Op.NEG, Op.ABS]), inner),
        st.builds(_clip, inner, whole, whole, st.integers(0, 2)),
        st.builds(
            lambda op, a: Call(op, (a,)),
            st.sampled_from([Op.YEAR, Op.MONTH, Op.DAY]),
            st.sampled_from([ADMITTED, SEEN, Call(Op.TO_DATE, (SEEN,))]),
        ),
    ),
    max_leaves=6,
)

comparisons = st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE])
equalities = st.sampled_from([Op.EQ, Op.NE])


def _pair(op: Op, a: Expr, b: Expr) -> Expr:
    return Call(op, (a, b))


conditions_flat: st.SearchStrategy[Expr] = st.one_of(
    st.just(URGENT),
    st.booleans().map(Literal),
    st.builds(_pair, comparisons, numbers, numbers),
    st.builds(_pair, comparisons, st.just(ADMITTED), days.map(Literal)),
    st.builds(_pair, comparisons, days.map(Literal), st.just(Call(Op.WEEK, (SEEN,)))),
    st.builds(_pair, comparisons, st.just(SEEN), moments.map(Literal)),
    st.builds(_pair, equalities, st.just(SEX), st.sampled_from("fm").map(Literal)),
    st.builds(_pair, equalities, st.just(URGENT), st.booleans().map(Literal)),
    st.builds(
        lambda value, listed: Call(Op.IS_IN, (value, *map(Literal, listed))),
        st.sampled_from([AGE, STAY]),
        st.lists(whole, min_size=1, max_size=4),
    ),
    st.sampled_from([AGE, COST, SEX, SEEN]).map(lambda ref: Call(Op.IS_NULL, (ref,))),
)

conditions: st.SearchStrategy[Expr] = st.recursive(
    conditions_flat,
    lambda inner: st.one_of(
        st.builds(_pair, st.sampled_from([Op.AND, Op.OR]), inner, inner),
        inner.map(lambda one: Call(Op.NOT, (one,))),
    ),
    max_leaves=5,
)

Row = dict[str, Scalar | None]

rows: st.SearchStrategy[Row] = st.fixed_dictionaries(
    {
        "age": st.integers(0, 110),
        "stay_days": st.none() | st.integers(0, 60),
        "cost": st.none() | st.builds(Fraction, st.integers(0, 100), st.sampled_from([1, 4])),
        "sex": st.none() | st.sampled_from("fm"),
        "urgent": st.booleans(),
        "admitted": days,
        "seen": st.none() | moments,
    }
)
