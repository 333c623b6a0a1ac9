"""Turn what stands behind FROM into a relation, and into a table of its rows.

The table is what everything after knows: its columns, their kinds and ranges, the
privacy unit, and what one unit may contribute.  Its columns have names that nobody
chose; `Found` says what the names that were typed stand for there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privlab.query.ask import Ask
from privlab.query.passes.bind_parameters import Parameters
from privlab.query.passes.bound_source import Facts
from privlab.query.passes.found_source import Found, Public, Sources
from privlab.query.passes.public_work import PublicWork
from privlab.query.passes.resolve_join import resolve_join
from privlab.query.passes.resolve_names import found_names
from privlab.query.passes.resolve_per_unit import resolve_per_unit
from privlab.query.passes.resolve_union import resolve_union
from privlab.query.passes.settle_source import conjunction
from privlab.query.plan import Expr
from privlab.query.relations import Relation
from privlab.query.rows import Base, Grouped, Joined, Named, Stacked
from privlab.terms.catalog import Catalog, Table

NO_PUBLIC: Public = {}


def _resolved(sources: Sources, base: Base) -> Found:
    match base:
        case Named():
            return sources.named(base)
        case Joined():
            return resolve_join(sources, base)
        case Grouped():
            return resolve_per_unit(sources, base)
        case Stacked():
            return resolve_union(sources, base)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A question whose names are columns of ``table``, the rows of ``relation``.

    where: what holds on them besides the question's own WHERE.  absent: as in `Found`.
    """

    ask: Ask
    relation: Relation
    table: Table
    where: Expr | None
    facts: Facts
    public_work: PublicWork
    absent: Mapping[str, str]


def resolve_source(ask: Ask, catalog: Catalog, public: Public, parameters: Parameters) -> Resolved:
    """Look up what a question stands on.

    :raises BadQuery: PL102 no such table, PL104 no such column, PL106 a join or a
        subquery that would tell of all rows, PL113 too many rows meet.
    :raises PolicyDenied: PL201, as `find_column`.
    """
    span = ask.base.span
    work = PublicWork(ask.source, span)
    sources = Sources(ask.source, catalog, public, parameters, _resolved, work)
    try:
        found = _resolved(sources, ask.base)
    except RecursionError:
        raise ask.source.refuse("PL106", "this question is nested too deeply", span) from None
    if not found.private:
        raise ask.source.refuse(
            "PL106",
            "this question reads no private table",
            span,
            "compute on your own frame in the notebook: that is free",
        )
    if not isinstance(ask.base, Named):
        ask = found_names(ask, found.names)
    return Resolved(
        ask,
        found.relation,
        found.table,
        conjunction(found.where),
        sources.facts,
        work,
        found.absent,
    )
