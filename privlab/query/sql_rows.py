"""What stands behind FROM: a table, or SELECTs that only name and filter its rows.

Derived tables and CTEs over one table are flattened: their columns are names
for expressions, their WHERE is one more condition.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from privlab.query.ask import Apply, Name, Node, Span
from privlab.query.hints import ONE_TABLE
from privlab.query.plan import Op
from privlab.query.projection import Projection
from privlab.query.sql_expressions import Expressions
from privlab.query.sql_outputs import is_aggregate

AGGREGATING = "subqueries that aggregate are not in the language yet"


@dataclass(frozen=True, slots=True)
class Rows:
    """A table, the condition on its rows, and the names of their columns."""

    table: str
    span: Span
    where: Node | None
    names: Projection


class RowsReader:
    """Reads FROM clauses of one text, and its WITH."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.known: dict[str, Rows] = {}
        self.unused: dict[str, exp.Expr] = {}

    def of(self, node: exp.Select) -> Rows:
        """The rows that a SELECT reads; its names are in force afterwards."""
        with_ = node.args.get("with_")
        if with_ is not None:
            self.expressions.only(with_, "expressions")
            for one in with_.expressions:
                self.named(one)
        rows, alias = self.source(node)
        for name, unused in self.unused.items():
            if with_ is not None:
                raise self.expressions.refuse(unused, f"{name} is not used", "leave it out")
        self.expressions.table = alias
        self.expressions.names = rows.names
        return rows

    def named(self, node: exp.CTE) -> None:
        """One table of WITH."""
        self.expressions.only(node, "this", "alias")
        self.expressions.only(node.args["alias"], "this")
        name = node.alias
        if name in self.known:
            raise self.expressions.refuse(node, f"two tables are called {name}", "rename one")
        self.known[name] = self.selected(node.this)
        self.unused[name] = node.args["alias"]

    def source(self, node: exp.Select) -> tuple[Rows, str]:
        """What FROM names, and the name that may stand before its columns."""
        source = node.args.get("from_")
        if source is None:
            raise self.expressions.refuse(
                node, "this SELECT has no FROM", self.expressions.source.example, "PL101"
            )
        table = source.this
        if isinstance(table, exp.Subquery):
            self.expressions.only(table, "this", "alias")
            if table.args.get("alias") is not None:
                self.expressions.only(table.args["alias"], "this")
            return self.selected(table.this), table.alias
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise self.expressions.refuse(source, "FROM takes one table", ONE_TABLE)
        self.expressions.only(table, "this", "db", "alias")
        if table.args.get("alias") is not None:
            self.expressions.only(table.args["alias"], "this")
        if not table.db and table.name in self.known:
            self.unused.pop(table.name, None)
            return self.known[table.name], table.alias or table.name
        name = f"{table.db}.{table.name}" if table.db else table.name
        span = self.expressions.at(table.this)
        return Rows(name, span, None, Projection()), table.alias or table.name

    def selected(self, node: exp.Expr) -> Rows:
        """A SELECT that only names and filters rows."""
        reader = self.expressions
        if not isinstance(node, exp.Select):
            raise reader.refuse(node, "a subquery is one SELECT over one table", ONE_TABLE)
        for clause in ("group", "having", "distinct"):
            if node.args.get(clause) is not None:
                raise reader.refuse(node, AGGREGATING, ONE_TABLE)
        if node.args.get("joins"):
            raise reader.refuse(node, "joins are not in the language yet", ONE_TABLE)
        reader.only(node, "expressions", "from_", "where")
        rows, alias = self.source(node)
        reader.table, reader.names = alias, rows.names
        names, made = rows.names, dict[str, Node]()
        starred = False
        for item in node.expressions:
            inner = item.this if isinstance(item, exp.Alias) else item
            if isinstance(item, exp.Alias):
                reader.only(item, "this", "alias")
            column = isinstance(inner, exp.Column)
            if isinstance(inner, exp.Star) or (column and isinstance(inner.this, exp.Star)):
                reader.only(inner, *(("this", "table") if column else ()))
                starred = True
                continue
            if is_aggregate(inner):
                raise reader.refuse(item, AGGREGATING, ONE_TABLE)
            value = reader.expression(inner)
            made[self.name_of(item, value)] = value
        where = self.both(rows.where, node.args.get("where"))
        names = names.also(made) if starred else names.only(made)
        return Rows(rows.table, rows.span, where, names)

    def name_of(self, item: exp.Expr, value: Node) -> str:
        if isinstance(item, exp.Alias):
            return str(item.alias)
        if isinstance(item, exp.Column):
            return str(item.name)
        if isinstance(value, Name):
            return value.name
        raise self.expressions.refuse(item, "this column has no name", "give it one with AS")

    def both(self, before: Node | None, clause: exp.Where | None) -> Node | None:
        """The conditions of a subquery and of the SELECT around it."""
        if clause is None:
            return before
        condition = self.expressions.expression(clause.this)
        if before is None:
            return condition
        return Apply(Op.AND, (before, condition), self.expressions.at(clause))
