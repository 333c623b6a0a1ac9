"""What the names of a question stand for, where several tables have names.

A name that is found is replaced by a column of the one table that everything after
knows, or by what a subquery made of such columns.  What stands for nothing is left
where it may be a column of the answer, and refused everywhere else.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from privlab.errors import BadQuery
from privlab.query.ask import (
    Aggregate,
    AggregateKind,
    Apply,
    Ask,
    Const,
    Group,
    Item,
    Name,
    Node,
    Sort,
    Source,
    Span,
    Windowed,
)
from privlab.query.passes.name_output import name_output
from privlab.query.plan import Op
from privlab.query.projection import Projection
from privlab.terms.catalog import Table

NO_NAMES: frozenset[str] = frozenset()

_NOWHERE = Span(0, 0)

MET = "met"
"""The column of a preserving join that is 1 where a row was met, else null."""


@dataclass(frozen=True, slots=True)
class Names:
    """views: per word that may stand before a name, the names behind it.

    merged: names that mean the same in every view that has them, without a word.
    """

    views: tuple[tuple[str, Mapping[str, Node]], ...]
    merged: frozenset[str] = NO_NAMES

    @staticmethod
    def of(table: Table) -> Names:
        """The columns of a table under their own names."""
        names = [*(one.name for one in table.columns), *([table.unit] if table.unit else [])]
        return Names((("", {name: column(name) for name in names}),))

    def find(self, name: Name, source: Source) -> Node | None:
        """What ``name`` stands for; None for nothing.

        :raises BadQuery: PL104, it stands for columns of several tables.
        """
        views = [view for word, view in self.views if name.table in ("", word)]
        found = [view[name.name] for view in views if name.name in view]
        if not found:
            return None
        if not name.table and name.name in self.merged:
            found = found[:1]
        forms = {_form(one) for one in found}
        if len(forms) > 1:
            plain: list[Node] = [one for one in found if isinstance(one, Name)]
            words = [word for word, view in self.views if name.name in view]
            if len({_form(one) for one in plain}) == 1 and len(plain) < len(found):
                found = plain  # the unit itself, and the unit where a row was met
            else:
                raise source.refuse(
                    "PL104",
                    f"{name.name} is a column of {' and of '.join(words)}",
                    name.span,
                    f"write {words[0]}.{name.name}",
                )
        node = found[0]
        return replace(node, span=name.span) if isinstance(node, Name) else node

    def visible(self) -> dict[str, Node]:
        """Every name that needs no word before it, in order."""
        found: dict[str, Node] = {}
        twice: set[str] = set()
        for _, view in self.views:
            for name, node in view.items():
                other = name in found and _form(found[name]) != _form(node)
                if other and name not in self.merged:
                    twice.add(name)
                found.setdefault(name, node)
        return {name: node for name, node in found.items() if name not in twice}

    def projected(self, projection: Projection, word: str, source: Source) -> Names:
        """The names that a subquery or steps leave, behind ``word``."""
        plain = projection.open and not projection.made and not projection.gone
        if plain and not word:
            return self
        memo: dict[int, Node] = {}
        made = {
            name: self.rewritten(node, source, memo=memo) for name, node in projection.made.items()
        }
        kept: dict[str, Node] = {}
        if projection.open:
            kept = {n: node for n, node in self.visible().items() if n not in projection.gone}
        return Names(((word, {**kept, **made}),))

    def rewritten(
        self,
        node: Node,
        source: Source,
        *,
        left: frozenset[str] = NO_NAMES,
        memo: dict[int, Node] | None = None,
    ) -> Node:
        """``node`` with what its names stand for.

        left: names that may stand for nothing here.

        :raises BadQuery: PL104, a name stands for nothing, or for several columns.
        """
        return replaced(node, lambda name: self._meant(name, source, left), memo)

    def _meant(self, name: Name, source: Source, left: frozenset[str]) -> Node:
        if name.found or name.hidden:
            return name
        found = self.find(name, source)
        if found is not None:
            return found
        if name.name in left and not name.table:
            return replace(name, hidden=True)
        raise self.unknown(name, source)

    def unknown(self, name: Name, source: Source) -> BadQuery:
        """What to raise where a name stands for nothing; the nearest one is in the hint."""
        views = [(word, view) for word, view in self.views if name.table in ("", word)]
        known = list(dict.fromkeys(one for _, view in views for one in view))
        near = difflib.get_close_matches(name.name, known, 1, cutoff=0.5)
        hint = f"its columns are {', '.join(known)}"
        if near:
            words = [word for word, view in views if near[0] in view and word]
            hint = f"did you mean {'.'.join([*words[:1], near[0]])}?"
        where = f"{name.table} has" if name.table else "what this question reads has"
        return source.refuse("PL104", f"{where} no column {name.name}", name.span, hint)


def column(name: str) -> Name:
    """A column of the table that everything after knows."""
    return Name(name, _NOWHERE, found=True)


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """``node`` with other names for the columns that were found."""

    def new(name: Name) -> Node:
        return replace(name, name=names.get(name.name, name.name)) if name.found else name

    return replaced(node, new, None)


def met(unit: str, mark: str) -> Node:
    """The unit of a row of the other side, which is null where there is none."""
    there = Apply(Op.NOT, (Apply(Op.IS_NULL, (column(mark),), _NOWHERE),), _NOWHERE)
    return Apply(Op.CASE, (there, column(unit), Const(None, _NOWHERE)), _NOWHERE)


def replaced(node: Node, new: Callable[[Name], Node], memo: dict[int, Node] | None) -> Node:
    """``node`` with every name replaced; what is shared stays shared."""
    memo = {} if memo is None else memo
    if id(node) not in memo:
        memo[id(node)] = _replaced(node, new, memo)
    return memo[id(node)]


def _replaced(node: Node, new: Callable[[Name], Node], memo: dict[int, Node]) -> Node:
    match node:
        case Name():
            return new(node)
        case Apply(op=op, args=args, span=span):
            inner = tuple(replaced(arg, new, memo) for arg in args)
            if op is Op.IS_NULL and (mark := _mark(inner[0])) is not None:
                inner = (mark,)
            return Apply(op, inner, span)
        case Aggregate(kind=kind, of=of, span=span, other=other):
            value = None if of is None else replaced(of, new, memo)
            if kind is AggregateKind.ROWS and isinstance(value, Apply) and _mark(value):
                value = Apply(Op.CASE, (value.args[0], Const(1, span), value.args[2]), span)
            more = None if other is None else replaced(other, new, memo)
            return Aggregate(kind, value, span, more)
        case Windowed():
            return replace(
                node,
                of=None if node.of is None else replaced(node.of, new, memo),
                partition=tuple(replaced(one, new, memo) for one in node.partition),
                order=tuple(replace(one, by=replaced(one.by, new, memo)) for one in node.order),
            )
        case _:
            return node


def _mark(node: Node) -> Name | None:
    """The column that says whether a row was met, of what `met` gives."""
    match node:
        case Apply(
            op=Op.CASE,
            args=(Apply(op=Op.NOT, args=(Apply(op=Op.IS_NULL, args=(Name() as mark,)),)), *_),
            span=span,
        ) if span == _NOWHERE:  # no text has a place that is empty
            return mark
    return None


def _form(node: Node) -> object:
    return node.name if isinstance(node, Name) else id(node)


def found_names(ask: Ask, names: Names) -> Ask:
    """The question with its names found; the columns of the answer keep theirs."""
    source = ask.source
    memo: dict[int, Node] = {}
    listed = [Item(one.node, one.name, one.span) for one in ask.groups if ask.keys_first]
    outputs = frozenset(name_output(one, source) for one in (*listed, *ask.items))

    def within(node: Node) -> Node:
        return names.rewritten(node, source, left=outputs, memo=memo)

    def after(node: Node) -> Node:
        if isinstance(node, Name) and node.name in outputs and not node.table:
            return node
        return replaced(node, kept, {})

    def kept(name: Name) -> Node:
        if name.name in outputs and not name.table:
            return name
        return within(name)

    def named(item: Item) -> Item:
        return Item(within(item.value), name_output(item, source), item.span)

    def key(group: Group) -> Group:
        name = group.name
        if name is None and ask.keys_first:
            name = name_output(Item(group.node, None, group.span), source)
        return Group(within(group.node), name, group.span)

    def sort(one: Sort) -> Sort:
        return replace(one, by=after(one.by))

    return replace(
        ask,
        where=None if ask.where is None else names.rewritten(ask.where, source, memo=memo),
        groups=tuple(map(key, ask.groups)),
        items=tuple(map(named, ask.items)),
        having=tuple(map(after, ask.having)),
        qualify=tuple(map(after, ask.qualify)),
        order=tuple(map(sort, ask.order)),
    )
