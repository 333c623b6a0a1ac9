"""Refuse a question whose expressions are too large, before anything walks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from privlab.query.ask import Apply, Ask, Node, Source, inside
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.query.rows import Base, Grouped, Joined, Rows, Stacked

MAX_NODES = 20_000
"""Most parts of all expressions of one question together."""

MAX_NESTING = 64
"""Deepest nesting of one expression; a chain of AND, OR, sums, products or texts is one level."""

MAX_SOURCES = 64
"""Most tables, joins and subqueries behind FROM together."""

MAX_TERMS = 128
"""Longest chain."""

MAX_WORK = 4_000_000
"""Most work to bring the expressions of one question into their one form; about
three seconds.  A part is looked at once per pair of unlike operations around it."""

MAX_GROWTH = 16
"""How many times as long as the texts of a row a text that is made of them may be."""

CHAINS = frozenset({Op.AND, Op.OR, Op.ADD, Op.MUL})

FLAT = {op: op for op in (*CHAINS, Op.CONCAT)} | {Op.SUB: Op.ADD}
"""What chains with what, however it is nested."""


class Size(NamedTuple):
    """Parts, nesting, the longest chain inside, and the terms of the one on top."""

    size: int
    depth: int
    longest: int
    terms: int


def limit_size(ask: Ask) -> None:
    """Count the parts of a question as the passes will meet them.

    A part that two operations share, as the value in BETWEEN, counts twice, so
    a text of a few hundred characters can have 2^40 parts.  They are counted
    without walking them: each shared part is measured once.

    :raises BadQuery: PL106, more than 20,000 parts, nested deeper than 64, or a chain of
        more than 128.
    """
    limit_nodes(_expressions(ask), ask.source)


def limit_sources(ask: Ask) -> None:
    """Count the tables, joins and subqueries of a question; one that is named twice counts twice.

    CTEs that name each other twice are 2^n for n of them, so nothing walks them before.

    :raises BadQuery: PL106, more than 64.
    """
    waiting, count = [ask.base], 0
    while waiting:
        count += 1
        if count > MAX_SOURCES:
            raise ask.source.refuse(
                "PL106",
                f"this question has more than {MAX_SOURCES} tables, joins and subqueries",
                ask.base.span,
                "ask in parts",
            )
        base = waiting.pop()
        match base:
            case Joined(left=left, right=right):
                waiting += [left.base, right.base]
            case Grouped(of=of):
                waiting.append(of.base)
            case Stacked(parts=parts):
                waiting += [part.base for part in parts]


def limit_nodes(nodes: Iterable[Node], source: Source) -> None:
    """Count the parts of some expressions of a question, as `limit_size` does."""
    measured: dict[int, Size] = {}
    total = 0
    for node in nodes:
        size, depth, terms, _ = _measure(node, measured)
        if terms > MAX_TERMS:
            what = f"a sum or a condition has at most {MAX_TERMS} terms"
            raise source.refuse("PL106", what, node.span, "write fewer conditions, or IN")
        if depth > MAX_NESTING:
            what = f"this expression is nested more than {MAX_NESTING} deep"
            raise source.refuse("PL106", what, node.span, "write fewer conditions, or IN")
        total += size
        if total > MAX_NODES:
            raise source.refuse(
                "PL106",
                f"the expressions of this question have more than {MAX_NODES:,} parts",
                node.span,
                "pass long lists as a parameter, and split the question",
            )


def work_of(node: Node) -> int:
    """How often parts of a bound expression are looked at to bring it into its one form.

    The lists of parameters are open here, unlike in `limit_size`.  A chain of one
    operation is one operation however long it is.
    """
    size, deepest = 0, 1
    waiting: list[tuple[Node, int, Op | None]] = [(node, 1, None)]
    while waiting:
        one, depth, above = waiting.pop()
        size, deepest = size + 1, max(deepest, depth)
        if isinstance(one, Apply):
            op = Op.ADD if one.op is Op.SUB else one.op
            inside = depth if op is above and op in CHAINS else depth + 1
            waiting += [(arg, inside, op) for arg in one.args]
    return size * deepest**2


def _expressions(ask: Ask) -> Iterator[Node]:
    yield from typed_below(ask.base)
    if ask.where is not None:
        yield ask.where
    yield from (group.node for group in ask.groups)
    yield from (item.value for item in ask.items)
    yield from ask.having
    yield from ask.qualify
    yield from (sort.by for sort in ask.order)


def typed_below(base: Base) -> Iterator[Node]:
    """Every expression that was typed behind FROM."""
    match base:
        case Joined():
            yield from (one for pair in base.pairs for one in pair)
            yield from () if base.on is None else (base.on,)
            yield from _of_rows(base.left)
            yield from _of_rows(base.right)
        case Grouped(of=of):
            yield from (group.node for group in base.groups)
            yield from (item.value for item in base.items)
            yield from base.having
            yield from _of_rows(of)
        case Stacked(parts=parts):
            for part in parts:
                yield from _of_rows(part)


def _of_rows(rows: Rows) -> Iterator[Node]:
    yield from () if rows.where is None else (rows.where,)
    yield from rows.names.made.values()
    yield from typed_below(rows.base)


def _measure(root: Node, measured: dict[int, Size]) -> Size:
    """Of ``root``.  The parsed text keeps every node alive: ids stay."""
    waiting = [root]
    while waiting:
        node = waiting[-1]
        args = inside(node)
        unknown = [arg for arg in args if id(arg) not in measured]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        measured[id(node)] = _joined(node, [(arg, measured[id(arg)]) for arg in args])
    return measured[id(root)]


def _joined(node: Node, parts: list[tuple[Node, Size]]) -> Size:
    size, depth, longest, terms = 1, 0, 0, 0
    for arg, inner in parts:
        size += inner.size
        along = _chain(node) is not None and _chain(arg) is _chain(node)
        depth = max(depth, inner.depth if along else inner.depth + 1)
        longest = max(longest, inner.longest)
        terms += inner.terms if along else 1
    return Size(size, depth, max(longest, terms if _chain(node) else 0), terms)


def _chain(node: Node) -> Op | None:
    return FLAT.get(node.op) if isinstance(node, Apply) else None


def growth(expr: Expr) -> int:
    """How many times as long as the longest text of a row a text may become."""
    match expr:
        case Ref():
            return 1
        case Call(op=Op.CONCAT, args=args):
            return sum(map(growth, args))
        case Call(
            op=Op.REPLACE, args=(text, Literal(value=str() as old), Literal(value=str() as new))
        ):
            return growth(text) * max(1, -(-len(new) // max(1, len(old))))
        case Call(args=args):
            return max(map(growth, args))
    return 0
