"""UNION ALL: the rows of several tables of a dataset, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Name, Node
from privlab.query.kinds import kind_of
from privlab.query.passes.align_kinds import WORDS
from privlab.query.passes.bound_source import bound_source
from privlab.query.passes.choose_step import divisor
from privlab.query.passes.derive_column import derive_column
from privlab.query.passes.found_source import Found, Sources
from privlab.query.passes.name_columns import Made, name_columns
from privlab.query.passes.resolve_names import Names, column
from privlab.query.passes.settle_source import conjunction
from privlab.query.plan import Expr
from privlab.query.relations import Project, Union
from privlab.query.rows import Stacked
from privlab.terms.catalog import Column, Kind, Scalar


def resolve_union(sources: Sources, base: Stacked) -> Found:
    """The rows of every part, under the names of the first.

    :raises BadQuery: PL106 the parts have not the same columns, or one has no unit;
        PL111 a column is of two kinds.
    """
    parts = [sources.rows(part, "") for part in base.parts]
    views = [part.names.visible() for part in parts]
    for part in parts:
        if not part.private:
            raise _refuse(sources, base, "a part of this union is public", "join it instead")
        if part.table.dataset != parts[0].table.dataset:
            raise _refuse(sources, base, "these tables are of two datasets", "ask once per dataset")
    named = _aligned(sources, base, views)
    unit = parts[0].table.unit
    shown: dict[str, Node] = {}
    whole: dict[str, Made] = {}
    made: list[dict[str, Expr]] = [{} for _ in parts]
    facts: list[list[Column]] = [[] for _ in parts]
    for name, nodes in named.items():
        units = [
            isinstance(node, Name) and node.name == part.table.unit
            for node, part in zip(nodes, parts, strict=True)
        ]
        if all(units):
            shown[name] = column(unit)
            continue
        pairs = zip(nodes, parts, strict=True)
        exprs = tuple(sources.expression(node, part) for node, part in pairs)
        kinds = {kind_of(expr) for expr in exprs} - {None}
        if len(kinds) != 1:
            several = " and ".join(sorted(WORDS[kind] for kind in kinds))
            raise sources.source.refuse(
                "PL111",
                f"{name} is {several or 'NULL'} in the parts of this union",
                base.span,
                "give it one type, with CAST" if sources.source.sql else "give it one type",
            )
        whole[name] = exprs
    words = name_columns(whole.values(), {unit})
    shown |= {name: column(words[exprs]) for name, exprs in whole.items()}
    for exprs, word in words.items():
        for at, (expr, part) in enumerate(zip(exprs, parts, strict=True)):
            made[at][word] = expr
            where = sources.scope(part).where
            facts[at].append(
                derive_column(word, expr, part.table, where, sources.source, base.span)
            )
    relation = Union(
        tuple(
            Project(
                part.relation, conjunction(part.where), tuple(sorted(columns.items(), key=_first))
            )
            for part, columns in zip(parts, made, strict=True)
        )
    )
    columns = [_both(list(states)) for states in zip(*facts, strict=True)]
    bounds = bound_source(relation, sources.facts, frozenset(one.name for one in columns))
    table = parts[0].table
    unit_column = table.column(unit) or Column(unit, Kind.TEXT, nullable=False)
    sizes = [part.table.rows for part in parts]
    names = " and ".join(dict.fromkeys(part.table.name for part in parts))
    table = replace(
        table,
        name=names,
        columns=(unit_column, *columns),
        bound=bounds.bound,
        row_cap=bounds.row_cap,
        rows=sum(size or 0 for size in sizes) if None not in sizes else None,
    )
    return Found(relation, table, Names((("", shown),)))


def _first(pair: tuple[str, Expr]) -> str:
    return pair[0]


def _refuse(sources: Sources, base: Stacked, what: str, hint: str) -> BadQuery:
    return sources.source.refuse("PL106", what, base.span, hint)


def _aligned(
    sources: Sources, base: Stacked, views: list[dict[str, Node]]
) -> dict[str, list[Node]]:
    """Per name of the first part, what stands for it in every part."""
    first = views[0]
    if base.by_name:
        for view in views[1:]:
            odd = sorted(set(first) ^ set(view))
            if odd:
                raise _refuse(
                    sources, base, f"{odd[0]} is not in every part", "select the same columns"
                )
        return {name: [view[name] for view in views] for name in first}
    sizes = {len(view) for view in views}
    if len(sizes) > 1:
        counts = " and ".join(str(len(view)) for view in views)
        raise _refuse(
            sources, base, f"the parts have {counts} columns", "select the same columns in each"
        )
    listed = [list(view.values()) for view in views]
    return {name: [one[at] for one in listed] for at, name in enumerate(first)}


def _both(states: list[Column]) -> Column:
    """What is known of a column of several parts: the widest of each."""
    first = states[0]
    keys: tuple[Scalar, ...] | None = None
    if all(one.keys is not None for one in states):
        keys = tuple(dict.fromkeys(key for one in states for key in one.keys or ()))
    low: Fraction | date | None = None
    high: Fraction | date | None = None
    if all(one.low is not None for one in states):
        low = min((one.low for one in states if one.low is not None), key=_order)
        high = max((one.high for one in states if one.high is not None), key=_order)
    steps = [one.step for one in states]
    return replace(
        first,
        nullable=any(one.nullable for one in states),
        low=low,
        high=high,
        keys=keys,
        step=first.step if len(set(steps)) == 1 else _grid(steps),
        withheld=any(one.withheld for one in states),
    )


def _order(end: Fraction | date) -> Fraction:
    if isinstance(end, datetime | date):
        return Fraction(end.toordinal())
    return end


def _grid(steps: list[Fraction | None]) -> Fraction | None:
    known = [one for one in steps if one is not None]
    return divisor(known) if len(known) == len(steps) else None
