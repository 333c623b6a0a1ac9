"""What stands behind FROM, once it is known: rows, their table, and how parts are resolved."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from privlab.query.ask import Node, Source
from privlab.query.passes.bind_parameters import Parameters
from privlab.query.passes.bound_source import Facts
from privlab.query.passes.limit_size import limit_nodes
from privlab.query.passes.normalise import normalise
from privlab.query.passes.public_table import public_table
from privlab.query.passes.public_work import PublicWork
from privlab.query.passes.resolve_names import Names
from privlab.query.passes.settle_source import conjunction
from privlab.query.plan import Call, Expr, Op, Ref
from privlab.query.relations import PublicRows, Relation, Scan, is_private
from privlab.query.rows import Base, Named, Rows
from privlab.query.scope import Scope
from privlab.terms.catalog import Catalog, Kind, Table

Public = Mapping[str, PublicRows]


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that are known: those of ``relation`` for which all of ``where`` hold.

    Both are over the columns of ``table``; ``names`` says which names stand for what.
    absent: columns that are null only where a preserving join met no row, and the column
    that says so.
    """

    relation: Relation
    table: Table
    names: Names
    where: tuple[Expr, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        return is_private(self.relation)


@dataclass
class Sources:
    """The parts of one question.  resolve: what finds the rows of any of them."""

    source: Source
    catalog: Catalog
    public: Public
    parameters: Parameters
    resolve: Callable[[Sources, Base], Found]
    public_work: PublicWork
    facts: Facts = field(default_factory=Facts)
    work: int = 0

    def named(self, base: Named) -> Found:
        """A table of the catalog, or a public frame."""
        table = self.catalog.table(base.name)
        if base.name in self.public:
            if table is not None:
                raise self.source.refuse(
                    "PL102",
                    f"{base.name} is a table and a public frame",
                    base.span,
                    f"give the frame another name: --public my_{base.name}=...",
                )
            rows = self.public[base.name]
            self.public_work.read(base.name, rows, base.span)
            table = public_table(base.name, rows)
            return Found(rows, table, Names.of(table))
        if table is None:
            raise self.unknown(base)
        self.facts.tables[table.name] = table
        return Found(Scan(table.name, table.version), table, Names.of(table))

    def unknown(self, base: Named) -> Exception:
        known = [one.name for one in self.catalog.tables]
        known += [f"{one.dataset}.{one.name}" for one in self.catalog.tables]
        near = difflib.get_close_matches(base.name, [*known, *self.public], 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "%private tables lists what there is"
        if base.name.isidentifier():
            hint += f"; a frame of yours is sent with --public {base.name}=..."
        return self.source.refuse("PL102", f"there is no table {base.name}", base.span, hint)

    def rows(self, rows: Rows, word: str) -> Found:
        """The rows of one side: their base, their conditions, their names behind ``word``."""
        found = self.resolve(self, rows.base)
        names = found.names
        if rows.where is not None:
            condition = self.condition(names.rewritten(rows.where, self.source), found)
            found = replace(found, where=(*found.where, *condition))
        return replace(found, names=names.projected(rows.names, word, self.source))

    # --- expressions ---

    def scope(self, found: Found) -> Scope:
        """What reads expressions over the columns of ``found``, on the rows that it keeps."""
        scope = Scope(self.source, found.table, self.parameters, None)
        scope.where = conjunction(found.where)
        return scope

    def expression(self, node: Node, found: Found) -> Expr:
        """A row expression whose names are found already."""
        limit_nodes([node], self.source)
        scope = self.scope(found)
        scope.work = self.work
        expr = scope.expression(node)
        self.work = scope.work
        return expr

    def condition(self, node: Node, found: Found) -> tuple[Expr, ...]:
        """Conditions that all hold; none for one that always does."""
        limit_nodes([node], self.source)
        scope = self.scope(found)
        scope.work = self.work
        expr = scope.condition(node)
        self.work = scope.work
        return () if expr is None else (marked(expr, found.absent),)


def marked(where: Expr, absent: Mapping[str, str]) -> Expr:
    """A condition that asks one way alone whether a row was met.

    Before               After
    ------               -----
    kind is null         met is null   (kind is never null in a row)
    """
    if not absent:
        return where
    match where:
        case Call(op=Op.AND | Op.NOT as op, args=args):
            return normalise(Call(op, tuple(marked(arg, absent) for arg in args)))
        case Call(op=Op.IS_NULL, args=(Ref(column=name),)) if name in absent:
            return Call(Op.IS_NULL, (Ref(absent[name], Kind.INT),))
    return where
