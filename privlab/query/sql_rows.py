"""What stands behind FROM: tables, joins, and SELECTs in the place of tables.

Derived tables and CTEs that only name and filter rows are flattened: their columns
are names for expressions, their WHERE is one more condition.  Those that group make
one row per privacy unit.
"""

from __future__ import annotations

from sqlglot import exp

from privlab.query import hints
from privlab.query.ask import Apply, Group, Item, Name, Node
from privlab.query.passes.name_output import name_output
from privlab.query.plan import Op
from privlab.query.projection import Projection
from privlab.query.rows import Grouped, Named, Rows, Stacked
from privlab.query.sql_expressions import Expressions
from privlab.query.sql_groups import read_groups
from privlab.query.sql_joins import conditions, read_join, read_member
from privlab.query.sql_outputs import is_aggregate


class RowsReader:
    """Reads FROM clauses of one text, and its WITH.

    expressions: what reads row expressions; after each method that takes a SELECT, the
    names of that SELECT's rows are in force there.
    """

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.known: dict[str, Rows] = {}
        self.unused: dict[str, exp.Expr] = {}

    def of(self, node: exp.Select) -> Rows:
        """The rows that the outermost SELECT reads."""
        with_ = node.args.get("with_")
        if with_ is not None:
            self.expressions.only(with_, "expressions")
            for one in with_.expressions:
                self.named(one)
        rows = self.read(node)
        for name, unused in self.unused.items():
            if with_ is not None:
                raise self.expressions.refuse(unused, f"{name} is not used", "leave it out")
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

    # --- FROM and WHERE ---

    def read(self, node: exp.Select) -> Rows:
        """FROM, its joins, and WHERE."""
        first, tables = self.source(node)
        self.look(first, tables)
        rows = first
        where = node.args.get("where")
        if where is None:
            return rows
        reader, plain, found = self.expressions, list[exp.Expr](), list[Node]()
        for one in conditions(where.this):
            member = read_member(self, rows, tables, one)
            if member is None:
                plain.append(one)
                continue
            joined, further = member
            rows = Rows(joined)
            found += [] if further is None else [further]
            reader.tables, reader.joined, reader.names = tables, True, Projection()
        whole = [where.this] if rows.base is first.base else plain
        for condition in [*found, *map(reader.expression, whole)]:
            rows = Rows(rows.base, self.both(rows.where, condition, where), rows.names)
        return rows

    def both(self, before: Node | None, condition: Node, clause: exp.Expr) -> Node:
        """One more condition."""
        if before is None:
            return condition
        return Apply(Op.AND, (before, condition), self.expressions.at(clause))

    def look(self, rows: Rows, tables: tuple[str, ...]) -> None:
        """Put the names of these rows in force."""
        reader = self.expressions
        reader.tables, reader.joined = tables, len(tables) > 1
        reader.names = rows.names

    def source(self, node: exp.Expr) -> tuple[Rows, tuple[str, ...]]:
        """What FROM names, and the words that may stand before its columns."""
        source = node.args.get("from_")
        if source is None:
            raise self.expressions.refuse(
                node, "this SELECT has no FROM", self.expressions.source.example, "PL101"
            )
        rows, tables = self.table(source.this)
        for join in node.args.get("joins") or ():
            rows, tables = read_join(self, rows, tables, join)
        return rows, tables

    def table(self, table: exp.Expr) -> tuple[Rows, tuple[str, ...]]:
        """One table, a SELECT in its place, or a join in parentheses."""
        reader = self.expressions
        if isinstance(table, exp.Subquery):
            reader.only(table, "this", "alias")
            if isinstance(table.this, exp.Table) and not table.alias:
                rows, tables = self.table(table.this)
                for join in table.this.args.get("joins") or ():
                    rows, tables = read_join(self, rows, tables, join)
                return rows, tables
            if table.args.get("alias") is not None:
                reader.only(table.args["alias"], "this")
            return self.selected(table.this), (table.alias,)
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise reader.refuse(table, "FROM takes tables and SELECTs", hints.SOURCES)
        reader.only(table, "this", "db", "alias", "joins")
        if table.args.get("alias") is not None:
            reader.only(table.args["alias"], "this")
        if not table.db and table.name in self.known:
            self.unused.pop(table.name, None)
            return self.known[table.name], (table.alias or table.name,)
        name = f"{table.db}.{table.name}" if table.db else table.name
        return Rows(Named(name, reader.at(table.this))), (table.alias or table.name,)

    # --- SELECTs in the place of tables ---

    def selected(self, node: exp.Expr, *, named: bool = True) -> Rows:
        """A SELECT that names and filters rows, or makes one per unit; or several, stacked.

        named: its columns must have names; a later part of a union has those of the first.
        """
        reader = self.expressions
        if isinstance(node, exp.SetOperation):
            return self.stacked(node)
        if isinstance(node, exp.Subquery):
            reader.only(node, "this")
            return self.selected(node.this, named=named)
        if not isinstance(node, exp.Select):
            raise reader.refuse(node, "a table's place is taken by a SELECT", hints.SOURCES)
        grouped = any(node.args.get(one) is not None for one in ("group", "having", "distinct"))
        if grouped:
            reader.only(
                node, "expressions", "from_", "joins", "where", "group", "having", "distinct"
            )
        else:
            reader.only(node, "expressions", "from_", "joins", "where")
        rows = self.read(node)
        return self.grouped(node, rows) if grouped else self.projected(node, rows, named=named)

    def projected(self, node: exp.Select, rows: Rows, *, named: bool) -> Rows:
        """The rows under the names of this SELECT."""
        reader, made = self.expressions, dict[str, Node]()
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
            if any(is_aggregate(part) for part in inner.walk()):
                raise reader.refuse(item, hints.ACROSS, hints.PER_UNIT_SQL)
            value = reader.expression(inner)
            plain = named or isinstance(item, exp.Alias | exp.Column)
            made[self.name_of(item, value) if plain else f"column {len(made) + 1}"] = value
        names = rows.names.also(made) if starred else rows.names.only(made)
        return Rows(rows.base, rows.where, names)

    def grouped(self, node: exp.Select, rows: Rows) -> Rows:
        """One row per unit: GROUP BY, or DISTINCT columns."""
        reader = self.expressions
        items = []
        for one in node.expressions:
            inner = one
            if isinstance(one, exp.Alias):
                reader.only(one, "this", "alias")
                inner = one.this
            if isinstance(inner, exp.Star):
                raise reader.refuse(one, "* names no key", "name the columns")
            value = reader.output(inner)
            item = Item(value, None, reader.at(inner))
            name = one.alias if isinstance(one, exp.Alias) else ""
            name = name or (inner.name if isinstance(inner, exp.Column) else "")
            items.append(Item(value, name or name_output(item, reader.source), item.span))
        found = tuple(items)
        groups = read_groups(reader, node.args.get("group"), found)
        having = node.args.get("having")
        if node.args.get("distinct") is not None:
            reader.only(node.args["distinct"])
            if groups or having is not None:
                raise reader.refuse(
                    node, "DISTINCT says nothing beside GROUP BY", "leave DISTINCT out"
                )
            groups = tuple(Group(item.value, None, item.span) for item in found)
        tests = () if having is None else (reader.output(having.this),)
        return Rows(Grouped(rows, groups, found, tests, reader.at(node)))

    def stacked(self, node: exp.SetOperation) -> Rows:
        """UNION ALL."""
        reader = self.expressions
        parts: list[Rows] = []
        by_name = bool(node.args.get("by_name"))
        at: exp.Expr = node
        while isinstance(at, exp.SetOperation):
            reader.only(at, "this", "expression", "distinct", "by_name")
            if not isinstance(at, exp.Union):
                raise reader.refuse(
                    at,
                    f"{at.key.upper()} is not in the language",
                    "WHERE patient_id IN (SELECT patient_id FROM ...) keeps units",
                )
            if at.args.get("distinct"):
                raise reader.refuse(
                    at,
                    "UNION looks for equal rows, which may be of different people",
                    "write UNION ALL",
                )
            if bool(at.args.get("by_name")) is not by_name:
                raise reader.refuse(at, "BY NAME is for all parts or for none", "UNION ALL")
            parts.append(self.selected(at.expression, named=by_name))
            at = at.this
        parts.append(self.selected(at))
        return Rows(Stacked(tuple(reversed(parts)), by_name, reader.at(node)))

    def name_of(self, item: exp.Expr, value: Node) -> str:
        if isinstance(item, exp.Alias):
            return str(item.alias)
        if isinstance(item, exp.Column):
            return str(item.name)
        if isinstance(value, Name):
            return value.name
        raise self.expressions.refuse(item, "this column has no name", "give it one with AS")
