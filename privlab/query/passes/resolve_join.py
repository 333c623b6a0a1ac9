"""Joins: which rows may meet, and what is known of the pairs.

Private rows meet private rows of the same unit alone, so that the pairs of a unit are a
function of its own rows.  They meet public rows under any equality.  What would tell
of the rows of all people is refused: rows of nobody, and joins without the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from privlab.errors import BadQuery
from privlab.query import hints
from privlab.query.ask import Name, Node
from privlab.query.passes.bound_source import bound_source
from privlab.query.passes.found_source import Found, Sources
from privlab.query.passes.join_conditions import Conditions, pair_text, sort_conditions
from privlab.query.passes.resolve_member import resolve_member
from privlab.query.passes.resolve_names import Names, met, renamed
from privlab.query.passes.settle_source import renamed as renamed_expr
from privlab.query.passes.side_table import Side, joined_table, preserved
from privlab.query.plan import Expr, Ref
from privlab.query.relations import Join
from privlab.query.rows import How, Joined


def resolve_join(sources: Sources, base: Joined) -> Found:
    """The rows of a join.

    :raises BadQuery: PL102 no such table, PL104 no such column, PL106 it is no join of
        the language, PL111 the sides do not compare.
    """
    left = sources.rows(base.left, base.left_as)
    right = sources.rows(base.right, base.right_as)
    if not left.private and not right.private:
        raise refuse(
            sources,
            base,
            "both sides of this join are public",
            "join them in the notebook, and pass the result",
        )
    both = left.private and right.private
    if both and left.table.dataset != right.table.dataset:
        raise refuse(
            sources,
            base,
            f"{left.table.name} and {right.table.name} are of two datasets, "
            "each with a privacy unit of its own",
            "ask once per dataset and combine the answers",
        )
    asked = sort_conditions(sources, base, left, right)
    if both and not asked.unit:
        raise refuse(
            sources,
            base,
            "this join lets rows of different people meet",
            hints.join_unit(left.table.unit, right.table.name, sql=sources.source.sql),
        )
    if not both and not asked.pairs:
        raise refuse(
            sources, base, "this join has no equality between its sides", "ON a.code = b.code"
        )
    if base.how in (How.SEMI, How.ANTI):
        return resolve_member(sources, base, left, right, asked)
    if base.how is How.LEFT and not left.private:
        raise refuse(
            sources,
            base,
            "a public row that meets none would tell that nobody has it",
            "LEFT JOIN from the private side, or an inner join",
        )
    if left.private:
        return _met(sources, base, left, right, asked)
    turned = replace(
        base, left=base.right, right=base.left, left_as=base.right_as, right_as=base.left_as
    )
    other = Conditions(asked.unit, _turned(asked.pairs), asked.right, asked.left, asked.both)
    return _met(sources, turned, right, left, other, turned=True)


def _turned(pairs: Sequence[tuple[Expr, Expr]]) -> list[tuple[Expr, Expr]]:
    return sorted(((two, one) for one, two in pairs), key=pair_text)


def refuse(sources: Sources, base: Joined, what: str, hint: str) -> BadQuery:
    return sources.source.refuse("PL106", what, base.span, hint)


def _met(
    sources: Sources,
    base: Joined,
    left: Found,
    right: Found,
    asked: Conditions,
    *,
    turned: bool = False,
) -> Found:
    """The pairs, with a private left side.  turned: the sides were written the other way."""
    keep_left = base.how is How.LEFT
    if keep_left and (asked.left or asked.both):
        node = (asked.left or asked.both)[0]
        raise sources.source.refuse(
            "PL106",
            "a preserving join takes equalities, and conditions on its right side",
            node.span,
            "put it in WHERE, or write JOIN" if sources.source.sql else "filter first",
        )
    left = _filtered(sources, left, asked.left)
    right = _filtered(sources, right, asked.right)
    unit = left.private and right.private
    side = preserved(sources, right, base.span) if keep_left else Side(right)
    most = None
    if unit:
        sizes = [
            bound_source(one, sources.facts, frozenset()).bound.rows
            for one in (left.relation, side.found.relation)
        ]
        most = (sizes[0], sizes[1])
    table, new = joined_table(left, side.found, asked.pairs, keep_left=keep_left)
    relation = Join(
        left.relation,
        side.found.relation,
        tuple(asked.pairs),
        unit,
        keep_left,
        tuple(sorted(new.items())),
        most,
    )
    bounds = bound_source(relation, sources.facts, frozenset(one.name for one in table.columns))
    table = replace(table, bound=bounds.bound, row_cap=bounds.row_cap)
    back = {} if keep_left else _same(asked.pairs)
    unit_name = left.table.unit or right.table.unit
    to = {**new, **back}
    if right.table.unit:
        to[right.table.unit] = unit_name
    mark = new.get(side.mark, "")
    where = list(left.where)
    where += [renamed_expr(one, to) for one in side.found.where]
    kept = unit_name if keep_left and unit else ""
    names = _names(base, left, side.found, to, kept, mark, turned=turned)
    absent = dict(left.absent)
    if mark:
        sure = [one.name for one in side.found.table.columns if not one.nullable]
        absent |= {new[name]: mark for name in sure if name in new and new[name] != mark}
    found = Found(relation, table, names, tuple(where), absent)
    for node in asked.both:
        found = replace(
            found,
            where=(
                *found.where,
                *sources.condition(names.rewritten(node, sources.source), found),
            ),
        )
    return found


def _filtered(sources: Sources, side: Found, nodes: Sequence[Node]) -> Found:
    for node in nodes:
        side = replace(side, where=(*side.where, *sources.condition(node, side)))
    return side


def _same(pairs: Sequence[tuple[Expr, Expr]]) -> dict[str, str]:
    """Columns of the right side that equal one of the left in every pair."""
    return {
        two.column: one.column
        for one, two in reversed(pairs)
        if isinstance(one, Ref) and isinstance(two, Ref)
    }


def _names(
    base: Joined,
    left: Found,
    right: Found,
    to: dict[str, str],
    kept: str,
    mark: str,
    *,
    turned: bool,
) -> Names:
    """The names of both sides, each behind its words.

    kept: the unit, where it is null for rows that meet none of the right side.
    """

    def moved(node: Node) -> Node:
        if kept and isinstance(node, Name) and node.name == right.table.unit:
            return met(kept, mark)
        return renamed(node, to)

    views = [(word, dict(view)) for word, view in left.names.views]
    others = [
        (word, {name: moved(node) for name, node in view.items()})
        for word, view in right.names.views
    ]
    if base.suffix is None:
        merged = base.merged | left.names.merged | right.names.merged
        return Names((*views, *others), merged)
    whole = left.names.visible()
    added = {name: moved(node) for name, node in right.names.visible().items()}
    if turned:
        whole, added = added, whole
    for name, node in added.items():
        if name not in base.merged:
            whole[name if name not in whole else name + base.suffix] = node
    return Names((("", whole),))
