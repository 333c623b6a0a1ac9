"""Text to a question: the passes, in order.

Pure: the same text, parameters and catalog give the same question, and the
same question asked in SQL or in Polars gives the same plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from privlab.query.ask import NO_TABLES, Ask, Group, Item, Name, Node, aggregates
from privlab.query.encoding import canonical_text, encode_expr
from privlab.query.frame import parse_frame
from privlab.query.outputs import Outputs
from privlab.query.passes.bind_parameters import Parameters
from privlab.query.passes.bound_source import bare, bound_source
from privlab.query.passes.find_bounds import found_words
from privlab.query.passes.find_mistakes import (
    notes_on,
    notes_on_counts,
    notes_on_keys,
    refuse_contradiction,
)
from privlab.query.passes.found_source import Public, marked
from privlab.query.passes.join_quantiles import join_quantiles
from privlab.query.passes.key_space import MAX_CELLS, key_space
from privlab.query.passes.limit_answer import limit_answer
from privlab.query.passes.limit_relation import limit_relation
from privlab.query.passes.limit_size import limit_size, limit_sources
from privlab.query.passes.order_measures import order_measures
from privlab.query.passes.resolve_source import NO_PUBLIC, resolve_source
from privlab.query.passes.settle_rows import settled
from privlab.query.passes.settle_source import refs, settle_source
from privlab.query.plan import Finish, Key, Order, Out, Plan, Question
from privlab.query.rows import Named
from privlab.query.scope import Scope
from privlab.query.sql import parse_sql
from privlab.terms.catalog import Catalog, Table

_COMMENTS = re.compile(r"(?:\s+|--[^\n]*|#[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SQL = re.compile(
    r"[(\s]*(?:SELECT|WITH|FROM|INSERT|UPDATE|DELETE|MERGE|CREATE|DROP|ALTER"
    r"|EXPLAIN|SHOW|DESCRIBE|DESC)\b(?!\s*[.=]|\()",
    re.IGNORECASE,
)


def compile_question(
    text: str, parameters: Parameters, catalog: Catalog, public: Public = NO_PUBLIC
) -> Question:
    """What ``text`` asks: measures of one plan, and what is made of them.

    public: the tables that the analyst brought, by name.

    :raises BadQuery: PL1xx, with a caret at the trouble and what to type instead.
    :raises PolicyDenied: PL201, a withheld column, or the privacy unit used for
        anything but counting it.
    """
    ask = parse(text, catalog)
    if not isinstance(ask.base, Named):
        limit_sources(ask)
        limit_size(ask)
    resolved = resolve_source(ask, catalog, public, parameters)
    ask, table = resolved.ask, resolved.table
    groups = _groups(ask, table)
    limit_size(replace(ask, groups=tuple(groups)))
    scope = Scope(ask.source, table, parameters, ask.where, resolved.where)
    scope.where = None if scope.where is None else marked(scope.where, resolved.absent)
    if ask.where is not None:
        called = resolved.facts.said.known()
        refuse_contradiction(scope.where, table, ask.source, ask.where.span, called)
    keys = _keys(groups, scope)
    outputs = Outputs(scope, keys)
    if not all(key.public for key in keys):
        outputs.count_units()
    listed = [Item(group.node, group.name, group.span) for group in groups if ask.keys_first]
    outputs.add_all([*listed, *ask.items])
    having = _conditions(outputs, ask.having, after=False)
    qualify = _conditions(outputs, ask.qualify, after=True)
    order: dict[Out, Order] = {}
    for one in map(outputs.sorting, ask.order):
        order.setdefault(one.by, one)  # a second sort by one value changes nothing
    limit = outputs.limit(ask.limit)
    offset = outputs.limit(ask.offset, "an offset") or 0
    of_keys = refs(*(key.expr for key in keys))
    read = of_keys | refs(*(measure.of for measure in outputs.measures))
    source, where = settle_source(resolved.relation, scope.where, read, resolved.public_work)
    limit_relation(source, resolved, ask)
    as_is = bare(key.expr for key in keys)
    bounds = bound_source(source, resolved.facts, frozenset(ref.column for ref in of_keys), as_is)
    plan = Plan(
        dataset=table.dataset,
        unit=table.unit,
        source=source,
        bound=bounds.bound,
        row_cap=bounds.row_cap,
        where=where,
        keys=tuple(keys),
        measures=join_quantiles(tuple(outputs.measures)),
    )
    measured = tuple(dict.fromkeys((*resolved.facts.measured, *outputs.found)))
    views = sorted({one.found.view for one in measured if one.found is not None})
    plan = replace(plan, bounds_from=tuple(views))
    most = plan.row_cap if plan.thresholded else plan.cells
    plan = replace(plan, bound=plan.bound.for_cells(most))
    asked = Finish(tuple(outputs.columns), having, qualify, tuple(order.values()), limit, offset)
    question = order_measures(plan, asked)
    question = replace(question, finish=settled(question.finish))
    limit_answer(question, ask.source, groups[-1].span if groups else None)
    whole = replace(question.plan, where=scope.where)
    said = resolved.facts.said
    called = said.known()
    meant = replace(question, plan=whole, sql=ask.source.sql)
    return replace(
        question,
        rows=table.rows,
        units=table.units,
        notes=(
            *found_words(measured),
            *notes_on(whole, table, called),
            *notes_on_counts(whole, table, said),
            *notes_on_keys(meant, table, called),
        ),
        currency=table.currency,
        sql=ask.source.sql,
        public=tuple(sorted(resolved.public_work.names)),
        said=tuple(sorted(called.items())),
    )


def parse(text: str, catalog: Catalog = NO_TABLES) -> Ask:
    """SQL if the first word says so, else Polars.  ``catalog`` serves the hints alone.

    Comments of either language may come before it; they are blanked, not cut,
    so that carets stay in place.
    """
    begin = _COMMENTS.match(text)
    end = begin.end() if begin else 0
    rest = text[end:]
    bare = re.sub(r"[^\n]", " ", text[:end]) + rest
    return parse_sql(bare, catalog) if _SQL.match(rest) else parse_frame(bare, catalog)


def _conditions(outputs: Outputs, nodes: Sequence[Node], *, after: bool) -> tuple[Out, ...]:
    """Conditions that all hold, each once, as they were typed."""
    found = [one for node in nodes for one in outputs.test(node, after=after)]
    return tuple(dict.fromkeys(found))


def _groups(ask: Ask, table: Table) -> list[Group]:
    """Group keys; a name that is no column may be the alias of a selected expression."""
    aliases = {item.name: item.value for item in ask.items if item.name is not None}
    groups = []
    for group in ask.groups:
        node = group.node
        unknown = isinstance(node, Name) and (node.hidden or table.column(node.name) is None)
        if isinstance(node, Name) and unknown and node.name in aliases:
            meant = aliases[node.name]
            if aggregates(meant):
                what = f"{node.name} is an aggregate, not a group key"
                raise ask.source.refuse(
                    "PL106", what, group.span, "group by a column, or what is made of one"
                )
            group = replace(group, node=meant)
        groups.append(group)
    return groups


def _keys(groups: Sequence[Group], scope: Scope) -> list[Key]:
    """Keys in an order that no analyst chose, each once; their product is capped."""
    found: dict[str, Key] = {}
    cells = 1
    for group in groups:
        expr = scope.expression(group.node)
        text = canonical_text(encode_expr(expr))
        if text in found:
            continue
        found[text] = key_space(expr, scope.table, scope.where, scope.source, group.span)
        cells *= max(1, len(found[text].values))
        if cells > MAX_CELLS:
            raise scope.source.refuse(
                "PL113",
                f"these keys make {cells:,} groups, and one question has at most {MAX_CELLS:,}",
                group.span,
                "group by fewer or coarser keys, or narrow them in WHERE",
            )
    return [found[text] for text in sorted(found)]
