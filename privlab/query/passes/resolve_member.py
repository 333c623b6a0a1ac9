"""Whether rows are met: semi-joins, and the anti-joins that are public.

On private rows, a semi-join on the unit is a join with one row per unit.  On public
rows it is a list of constants.
"""

from __future__ import annotations

from dataclasses import replace

from privlab.query.expr import Call, Literal, Op, Ref
from privlab.query.kinds import kind_of
from privlab.query.passes.bound_source import bound_source
from privlab.query.passes.found_source import Found, Sources
from privlab.query.passes.join_conditions import Conditions
from privlab.query.passes.name_columns import name_expressions
from privlab.query.passes.normalise import normalise
from privlab.query.passes.public_table import passing, values_of
from privlab.query.passes.settle_source import conjunction
from privlab.query.plan import Expr
from privlab.query.relations import Join, PerUnit, Project, PublicRows, Relation
from privlab.query.rows import How, Joined
from privlab.terms.catalog import Kind


def resolve_member(
    sources: Sources, base: Joined, left: Found, right: Found, asked: Conditions
) -> Found:
    """The rows of the left side that meet one of the right side, or that meet none.

    :raises BadQuery: PL106, an anti-join on private rows, or conditions over both sides
        that are no equalities.
    """
    source = sources.source
    if asked.both:
        raise source.refuse(
            "PL106",
            "here a condition over both sides is an equality",
            asked.both[0].span,
            "JOIN takes other conditions; COUNT(DISTINCT ...) of the unit counts each once"
            if source.sql
            else 'how="inner", then filter',
        )
    if not left.private:
        raise source.refuse(
            "PL106",
            "which public rows are met would tell of all people",
            base.span,
            "join, and group by the public column",
        )
    for node in asked.right:
        right = replace(right, where=(*right.where, *sources.condition(node, right)))
    for node in asked.left:
        left = replace(left, where=(*left.where, *sources.condition(node, left)))
    if not right.private:
        return _listed(sources, base, left, right, asked)
    if base.how is How.ANTI:
        unit = left.table.unit
        raise source.refuse(
            "PL106",
            "rows that meet none of the private rows are not asked for directly",
            base.span,
            f"LEFT JOIN {right.table.name} o USING ({unit}) WHERE o.{unit} IS NULL"
            if source.sql
            else f'.join(..., on="{unit}", how="left"), then filter what is null',
        )
    sizes = bound_source(left.relation, sources.facts, frozenset()).bound.rows
    met = _per_unit(sources, right, asked)
    one = bound_source(met, sources.facts, frozenset()).bound.rows
    named = name_expressions(theirs for _, theirs in asked.pairs)
    pairs = tuple(
        (mine, Ref(named[theirs], kind_of(theirs) or Kind.TEXT)) for mine, theirs in asked.pairs
    )
    relation = Join(
        left.relation,
        met,
        pairs,
        unit=True,
        keep_left=False,
        right_names=(),
        most=(sizes, one),
    )
    return replace(left, relation=relation)


def _per_unit(sources: Sources, right: Found, asked: Conditions) -> Relation:
    """The units of the right side, each once, or once for each value of its equalities."""
    where = conjunction(right.where)
    bound = bound_source(right.relation, sources.facts, frozenset()).bound
    named = name_expressions(theirs for _, theirs in asked.pairs)
    keys = tuple(sorted(((name, expr) for expr, name in named.items()), key=lambda one: one[0]))
    if bound.rows == 1 and not keys:
        return right.relation if where is None else Project(right.relation, where, ())
    return PerUnit(right.relation, where, keys, ())


def _listed(sources: Sources, base: Joined, left: Found, right: Found, asked: Conditions) -> Found:
    """Public rows as the list that they are."""
    source = sources.source
    if len(asked.pairs) != 1 or not isinstance(right.relation, PublicRows):
        raise source.refuse(
            "PL106",
            "one column is compared with a public list",
            base.span,
            "join the public table on several columns",
        )
    ((mine, theirs),) = asked.pairs
    where = conjunction(right.where)
    sources.public_work.evaluate(right.relation, where)
    rows = passing(right.relation, where)
    values = {row[0] for row in values_of(rows, [theirs])} - {None}
    if not values:
        raise source.refuse("PL111", "this public list holds no values", base.span)
    listed = tuple(Literal(value) for value in values)
    test: Expr = normalise(Call(Op.IS_IN, (mine, *listed)))
    if base.how is How.ANTI:
        test = normalise(Call(Op.NOT, (Call(Op.COALESCE, (test, Literal(value=False))),)))
    return replace(left, where=(*left.where, test))
