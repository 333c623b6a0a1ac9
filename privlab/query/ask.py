"""What was typed, before it means anything: the form both surfaces parse into.

``sql.py`` and ``frame.py`` turn text into an `Ask`; everything after works on
it alone, so a question has one meaning whichever way it was typed.  Names are
not looked up yet and nothing has a type; every part knows its place in the
analyst's text, for the caret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from privlab.errors import BadQuery, Caret
from privlab.query import hints
from privlab.query.plan import Op
from privlab.query.post.tree import Over
from privlab.terms.catalog import Catalog, Scalar, Table

if TYPE_CHECKING:
    from privlab.query.rows import Base

NO_TABLES = Catalog()
"""Of a text that is read without a catalog: its hints are patterns."""


class Surface(StrEnum):
    """The language the analyst typed in; hints are written in the same one."""

    SQL = "sql"
    POLARS = "polars"


@dataclass(frozen=True, slots=True)
class Span:
    """0-based offsets into the text, end excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name to look up: a column, or an output once groups are formed.

    hidden: no column of this name is seen where it stands, whatever the table has.
    table: the word that stands before it, where several tables are joined.
    found: it is a column of what the question reads, and never one of the answer.
    """

    name: str
    span: Span
    hidden: bool = False
    table: str = ""
    found: bool = False


@dataclass(frozen=True, slots=True)
class Const:
    """A value written in the text, or bound from a parameter."""

    value: Scalar | None
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    """``:name`` in SQL, a free name in Polars text.

    listed: it stands where a list must, as in ``IN :name`` or ``is_in(name)``.
    """

    name: str
    span: Span
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation.  A CLIP bound that was not given is `Const` None."""

    op: Op
    args: tuple[Node, ...]
    span: Span


class AggregateKind(StrEnum):
    """The aggregates of the language."""

    ROWS = "rows"  # all rows, or the rows where `of` is not null
    UNITS = "units"  # distinct values of `of`: of the privacy unit, or of anything else
    SUM = "sum"
    MEAN = "mean"
    QUANTILE = "quantile"  # of `of`; `other` is the constant that says which
    MIN = "min"
    MAX = "max"
    VAR_POP = "var_pop"
    VAR_SAMP = "var_samp"
    STDDEV_POP = "stddev_pop"
    STDDEV_SAMP = "stddev_samp"
    COVAR_POP = "covar_pop"  # of `of` and `other`, as those below
    COVAR_SAMP = "covar_samp"
    CORR = "corr"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call, of one value, or of two."""

    kind: AggregateKind
    of: Node | None
    span: Span
    other: Node | None = None


@dataclass(frozen=True, slots=True)
class Windowed:
    """A window over the rows of the answer; see `WindowOut` for its parts.

    order None: the order in which the answer shows its keys.
    """

    kind: Over
    of: Node | None
    partition: tuple[Node, ...]
    order: tuple[Sort, ...]
    span: Span
    running: bool = False
    offset: int = 0


Node = Name | Const | Param | Apply | Aggregate | Windowed
"""Of rows where no part is an aggregate or a window, else of the answer's rows."""


@dataclass(frozen=True, slots=True)
class Item:
    """A column of the answer: what it is, and the name it was given, if any."""

    value: Node
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """What rows are grouped by, and the name it was given, if any."""

    node: Node
    name: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Sort:
    """Sort by an output: its name, its position (a `Const`), or what it computes."""

    by: Node
    descending: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Source:
    """The analyst's own text: where carets point, and which language and tables hints use."""

    text: str
    surface: Surface
    catalog: Catalog = NO_TABLES

    @property
    def sql(self) -> bool:
        return self.surface is Surface.SQL

    @property
    def table(self) -> Table | None:
        """The table that the text names, as far as that can be told without a parser."""
        return hints.at_hand(self.text, self.catalog)

    @property
    def example(self) -> str:
        """A whole question in this language, of the table at hand."""
        return hints.example(self.table, sql=self.sql)

    def refuse(self, code: str, what: str, span: Span | None, hint: str = "") -> BadQuery:
        """An error of this text, with a caret under ``span``.  Raise what it returns."""
        hint = hint or hints.fallback(code, self.table, sql=self.sql)
        return BadQuery(what, code=code, hint=hint, caret=self.caret(span))

    def caret(self, span: Span | None) -> Caret | None:
        return None if span is None else Caret(self.text, span.start, span.end)

    def quote(self, span: Span) -> str:
        """The analyst's own words at ``span``, on one line."""
        return " ".join(self.text[span.start : span.end].split())


@dataclass(frozen=True, slots=True)
class Ask:
    """One parsed question.

    base: the rows that ``where`` filters.  groups: what rows are grouped
    by; names in it may be aliases of items.  keys_first: the groups are columns
    of the answer without being listed (Polars), before the items.  having:
    conditions on the answer's rows that all hold; qualify: those that hold after
    windows have seen the rows.
    """

    source: Source
    base: Base
    where: Node | None
    groups: tuple[Group, ...]
    items: tuple[Item, ...]
    keys_first: bool
    having: tuple[Node, ...] = ()
    qualify: tuple[Node, ...] = ()
    order: tuple[Sort, ...] = ()
    limit: Node | None = None
    offset: Node | None = None


def leaves(node: Node) -> list[Name | Const | Param]:
    """The leaves of a node, left to right, those of its aggregates too."""
    match node:
        case Apply() | Aggregate() | Windowed():
            return [leaf for arg in inside(node) for leaf in leaves(arg)]
        case _:
            return [node]


def inside(node: Node) -> tuple[Node, ...]:
    """What a node is made of, one level down, left to right."""
    match node:
        case Apply(args=args):
            return args
        case Aggregate(of=of, other=other):
            return tuple(one for one in (of, other) if one is not None)
        case Windowed():
            sorts = tuple(one.by for one in node.order)
            return (*(() if node.of is None else (node.of,)), *node.partition, *sorts)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything inside it, left to right; a shared part comes once.

    A text of a few hundred characters can have 2^40 parts that way.
    """
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += reversed(inside(one))


def aggregates(node: Node) -> bool:
    """Whether an aggregate or a window takes part."""
    return any(isinstance(part, (Aggregate, Windowed)) for part in walk(node))
