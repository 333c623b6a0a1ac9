"""Joins of SQL, and the conditions that are joins: IN (SELECT ...) and EXISTS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from privlab.query import hints
from privlab.query.ask import Name, Node
from privlab.query.nodes import Builder
from privlab.query.projection import Projection
from privlab.query.rows import Grouped, How, Joined, Rows, Stacked

if TYPE_CHECKING:
    from privlab.query.sql_rows import RowsReader

Tables = tuple[str, ...]


def read_join(
    reader: RowsReader, left: Rows, tables: Tables, node: exp.Join
) -> tuple[Rows, Tables]:
    """One JOIN behind what FROM has so far, and the words that then stand before columns.

    :raises BadQuery: PL106, a join that would tell of all rows, or one without a condition.
    """
    expressions = reader.expressions
    expressions.only(node, "this", "side", "kind", "method", "on", "using")
    side, kind, method = (str(node.args.get(one) or "") for one in ("side", "kind", "method"))
    right, added = reader.table(node.this)
    twice = [one for one in added if one in tables]
    if twice:
        raise expressions.refuse(
            node.this, f"two tables are called {twice[0]}", f"{twice[0]} AS other"
        )
    on, using = node.args.get("on"), node.args.get("using") or ()
    if method:
        raise expressions.refuse(
            node.this, f"{method} is not in the language", "name the columns: USING (patient_id)"
        )
    if side == "FULL":
        raise expressions.refuse(node.this, "FULL JOIN is not in the language", hints.NO_FULL)
    if on is None and not using:
        what = "CROSS JOIN" if kind == "CROSS" else "a join without ON or USING, or a comma,"
        raise expressions.refuse(
            node.this, f"{what} pairs the rows of all people", hints.JOIN_UNIT_SQL
        )
    how = {"SEMI": How.SEMI, "ANTI": How.ANTI}.get(kind, How.INNER)
    if how is How.INNER and side:
        how = How.LEFT
    both = (*tables, *added)
    expressions.tables, expressions.joined, expressions.names = both, True, Projection()
    condition = None if on is None else expressions.expression(on)
    names = [(Name(one.name, expressions.at(one)),) * 2 for one in using]
    sides = (left, right) if side != "RIGHT" else (right, left)
    words = (_word(tables), _word(added)) if side != "RIGHT" else (_word(added), _word(tables))
    joined = Joined(
        *sides,
        how,
        expressions.at(node.this),
        *words,
        condition,
        tuple(names),
        frozenset(one.name for one in using),
    )
    return Rows(joined), tables if how in (How.SEMI, How.ANTI) else both


def _word(tables: Tables) -> str:
    return tables[0] if len(tables) == 1 else ""


def conditions(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND joins."""
    if isinstance(node, exp.Paren) and isinstance(node.this, exp.And | exp.Paren):
        return conditions(node.this)
    if isinstance(node, exp.And):
        return [*conditions(node.this), *conditions(node.expression)]
    return [node]


def read_member(
    reader: RowsReader, left: Rows, tables: Tables, node: exp.Expr
) -> tuple[Joined, Node | None] | None:
    """A condition that asks whether other rows are there, and what must hold besides.

    None for any other condition.
    Of names in an EXISTS that stand alone, those of its own tables come first.
    """
    inner, how = node, How.SEMI
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.Not):
        inner, how = inner.this, How.ANTI
        while isinstance(inner, exp.Paren):
            inner = inner.this
    if isinstance(inner, exp.Exists):
        return _exists(reader, left, tables, inner, how), None
    if isinstance(inner, exp.In) and inner.args.get("query") is not None:
        return _in(reader, left, tables, inner, how)
    return None


def _in(
    reader: RowsReader, left: Rows, tables: Tables, node: exp.In, how: How
) -> tuple[Joined, Node | None]:
    expressions = reader.expressions
    expressions.only(node, "this", "query")
    right = reader.selected(node.args["query"])
    names = list(right.names.made)
    if right.names.open and isinstance(right.base, Grouped):
        names = [str(item.name) for item in right.base.items]
    if right.names.open and isinstance(right.base, Stacked):
        names = list(right.base.parts[0].names.made)
    if len(names) != 1:
        raise expressions.refuse(
            node, "IN takes one column of the SELECT", "IN (SELECT patient_id FROM ...)"
        )
    expressions.tables, expressions.joined, expressions.names = tables, True, Projection()
    span = expressions.at(node)
    value = expressions.expression(node.this)
    joined = Joined(
        left, right, how, span, _word(tables), "", None, ((value, Name(names[0], span)),)
    )
    known = Builder(span).known(value) if how is How.ANTI else None  # null is in no list, or in it
    return joined, known


def _exists(reader: RowsReader, left: Rows, tables: Tables, node: exp.Exists, how: How) -> Joined:
    expressions = reader.expressions
    expressions.only(node, "this")
    select = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    if not isinstance(select, exp.Select):
        raise expressions.refuse(node, "EXISTS takes a SELECT", hints.SOURCES)
    expressions.only(select, "expressions", "from_", "joins", "where", "limit")
    right, added = reader.source(select)
    where = select.args.get("where")
    span = expressions.at(node)
    if where is None:
        raise expressions.refuse(
            node, "this EXISTS asks about the rows of all people", hints.JOIN_UNIT_SQL
        )
    both = (*(one for one in tables if one not in added), *added)
    expressions.tables, expressions.joined, expressions.names = both, True, Projection()
    on = expressions.expression(where.this)
    expressions.tables = tables
    return Joined(left, right, how, span, _word(tables), _word(added), on)
