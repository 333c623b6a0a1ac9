"""The table of pairs: what is known of the columns of both sides of a join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from privlab.query.ask import Name, Span
from privlab.query.evaluate import evaluate
from privlab.query.kinds import kind_of
from privlab.query.passes.derive_column import derive_column
from privlab.query.passes.found_source import Found, Sources
from privlab.query.passes.name_columns import name_expressions
from privlab.query.passes.public_table import passing, values_of
from privlab.query.passes.resolve_names import MET, Names, column
from privlab.query.passes.settle_source import conjunction
from privlab.query.plan import Expr, Literal, Ref
from privlab.query.relations import Project, PublicRows, Relation
from privlab.terms.catalog import Column, Kind, Scalar, Table


@dataclass(frozen=True, slots=True)
class Side:
    """The right side of a join.  mark: its column that is 1 on every row, or ""."""

    found: Found
    mark: str = ""


def fresh(name: str, taken: set[str]) -> str:
    """``name``, or the first name after it that is free."""
    while name in taken:
        name += "_right"
    return name


def preserved(sources: Sources, right: Found, span: Span) -> Side:
    """The right side of a join that preserves the left one, as rows of its own.

    Its conditions stay with it, since a row that meets none passes them too.  So do
    expressions that are not null where it has no row.
    """
    table = right.table
    where = conjunction(right.where)
    plain = [one for one in table.columns if one.name != table.unit]
    columns: dict[str, Expr] = {one.name: Ref(one.name, one.kind) for one in plain}
    facts = {one.name: one for one in plain}
    for one in plain:
        if not one.withheld:
            ref = Ref(one.name, one.kind)
            facts[one.name] = derive_column(one.name, ref, table, where, sources.source, span)
    nothing: dict[str, Scalar | None] = {one.name: None for one in table.columns}
    present: dict[tuple[int, str], Expr] = {}
    for at, (_, view) in enumerate(right.names.views):
        for name, node in view.items():
            if isinstance(node, Name):
                continue
            expr = sources.expression(node, right)
            if not isinstance(expr, Ref) and evaluate(expr, nothing) is not None:
                present[at, name] = expr
    named = name_expressions(present.values(), columns)
    for expr, made in named.items():
        columns[made] = expr
        facts[made] = derive_column(made, expr, table, where, sources.source, span)
    views = []
    for at, (word, view) in enumerate(right.names.views):
        kept = dict(view)
        for name, node in view.items():
            if (at, name) in present:
                kept[name] = replace(column(named[present[at, name]]), span=node.span)
        views.append((word, kept))
    mark = ""
    if table.unit:
        mark = fresh(MET, set(columns))
        columns[mark] = Literal(1)
        facts[mark] = Column(mark, Kind.INT, False, Fraction(1), Fraction(1))  # noqa: FBT003
    unit = [one for one in table.columns if one.name == table.unit]
    listed = tuple(sorted(columns.items(), key=lambda pair: pair[0]))
    found = replace(
        right,
        relation=_projected(sources, right.relation, where, listed),
        table=replace(table, columns=(*unit, *facts.values())),
        names=Names(tuple(views)),
        where=(),
    )
    return Side(found, mark)


def _projected(
    sources: Sources,
    relation: Relation,
    where: Expr | None,
    columns: tuple[tuple[str, Expr], ...],
) -> Relation:
    """Rows that pass, with these columns; of public rows, those rows themselves."""
    if not isinstance(relation, PublicRows):
        return Project(relation, where, columns)
    sources.public_work.evaluate(relation, where, *(expr for _, expr in columns))
    kept = passing(relation, where)
    kinds = tuple((name, kind_of(expr) or Kind.TEXT) for name, expr in columns)
    return PublicRows(kinds, tuple(values_of(kept, [expr for _, expr in columns])))


def joined_table(
    left: Found, right: Found, pairs: Sequence[tuple[Expr, Expr]], *, keep_left: bool
) -> tuple[Table, dict[str, str]]:
    """The columns of pairs, and the names that those of the right side get.

    In pairs of an inner join, equal columns have the values that both sides state.
    """
    base = left.table if left.private else right.table
    columns = {one.name: one for one in left.table.columns}
    taken, new = set(columns) | {left.table.unit, right.table.unit}, dict[str, str]()
    for one in right.table.columns:
        if one.name == right.table.unit:
            if not left.private:
                columns.setdefault(one.name, one)
            continue
        name = fresh(one.name, taken)
        taken.add(name)
        new[one.name] = name
        columns[name] = replace(one, name=name, nullable=one.nullable or keep_left)
    for mine, theirs in () if keep_left else pairs:
        if isinstance(mine, Ref) and isinstance(theirs, Ref):
            stated = right.table.column(theirs.column)
            columns[mine.column] = _narrowed(columns[mine.column], stated)
    names = [side.table.name for side in (left, right)]
    found = replace(base, name=" and ".join(dict.fromkeys(names)), columns=tuple(columns.values()))
    return found, new


def _narrowed(one: Column, two: Column | None) -> Column:
    """A column whose values another one has as well."""
    if two is None:
        return replace(one, nullable=False)
    keys = one.keys if two.keys is None else two.keys
    if one.keys is not None and two.keys is not None:
        stated = set(two.keys)
        keys = tuple(value for value in one.keys if value in stated) or one.keys
    low, high = (one.low, one.high) if one.low is not None else (two.low, two.high)
    return replace(one, nullable=False, keys=keys, low=low, high=high)
