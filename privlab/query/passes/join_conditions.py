"""What a join asks of its rows, sorted by the sides that it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field

from privlab.query.ask import Apply, Name, Node, Span, walk
from privlab.query.encoding import canonical_text, encode_expr
from privlab.query.kinds import kind_of
from privlab.query.passes.align_kinds import WORDS
from privlab.query.passes.found_source import Found, Sources
from privlab.query.passes.resolve_names import Names
from privlab.query.plan import Expr, Op
from privlab.query.relations import PublicRows
from privlab.query.rows import How, Joined
from privlab.terms.catalog import Kind


@dataclass
class Conditions:
    """What a join asks of its rows, sorted by whom it concerns.

    unit: whether the units are equal.  pairs: equal expressions, each over its side.
    left, right: conditions on one side.  both: those over the pairs, with the names of
    each side behind it.
    """

    unit: bool = False
    pairs: list[tuple[Expr, Expr]] = field(default_factory=list)
    left: list[Node] = field(default_factory=list)
    right: list[Node] = field(default_factory=list)
    both: list[Node] = field(default_factory=list)


def sort_conditions(sources: Sources, base: Joined, left: Found, right: Found) -> Conditions:
    """The conditions of a join.

    :raises BadQuery: PL104 a name stands for nothing, or for a column of both sides;
        PL111 two sides do not compare.
    """
    found = Conditions()
    for one, two in base.pairs:
        first = left.names.rewritten(one, sources.source)
        second = right.names.rewritten(two, sources.source)
        _equal(sources, found, left, right, first, second, one.span)
    for condition in () if base.on is None else _listed(base.on):
        _sort(sources, base, found, left, right, condition)
    found.pairs = sorted({pair_text(pair): pair for pair in found.pairs}.values(), key=pair_text)
    return found


def pair_text(pair: tuple[Expr, Expr]) -> str:
    """By which pairs are put into an order that nobody chose."""
    return canonical_text([encode_expr(one) for one in pair])


def _listed(node: Node) -> list[Node]:
    """The conditions that AND joins."""
    if isinstance(node, Apply) and node.op is Op.AND:
        return [part for arg in node.args for part in _listed(arg)]
    return [node]


def _sort(
    sources: Sources, base: Joined, found: Conditions, left: Found, right: Found, node: Node
) -> None:
    side = _side(sources, base, left, right, node)
    if side == "left":
        found.left.append(left.names.rewritten(node, sources.source))
    elif side == "right":
        found.right.append(right.names.rewritten(node, sources.source))
    elif isinstance(node, Apply) and node.op is Op.EQ:
        sides = [_side(sources, base, left, right, arg) for arg in node.args]
        if sorted(sides) != ["left", "right"]:
            found.both.append(node)
            return
        one, two = node.args if sides[0] == "left" else node.args[::-1]
        first = left.names.rewritten(one, sources.source)
        second = right.names.rewritten(two, sources.source)
        _equal(sources, found, left, right, first, second, node.span)
    else:
        found.both.append(node)


def _side(sources: Sources, base: Joined, left: Found, right: Found, node: Node) -> str:
    """Which side the names of a node are of: "left", "right" or "both"."""
    sides: set[str] = set()
    for name in walk(node):
        if isinstance(name, Name):
            sides.add(_side_of(sources, base, left, right, name))
    return sides.pop() if len(sides) == 1 else "both" if sides else "left"


def _side_of(sources: Sources, base: Joined, left: Found, right: Found, name: Name) -> str:
    there = right.names.find(name, sources.source)
    if there is not None and base.how in (How.SEMI, How.ANTI):
        return "right"
    here = left.names.find(name, sources.source)
    if here is not None and there is not None:
        words = [base.left_as or "the left table", base.right_as or "the right table"]
        raise sources.source.refuse(
            "PL104",
            f"{name.name} is a column of {' and of '.join(words)}",
            name.span,
            f"write {base.right_as or base.left_as}.{name.name}",
        )
    if here is None and there is None:
        raise Names((*left.names.views, *right.names.views)).unknown(name, sources.source)
    return "left" if here is not None else "right"


def _equal(
    sources: Sources,
    found: Conditions,
    left: Found,
    right: Found,
    one: Node,
    two: Node,
    span: Span,
) -> None:
    """An equality of one expression of each side."""
    units = [
        isinstance(node, Name) and bool(side.table.unit) and node.name == side.table.unit
        for node, side in ((one, left), (two, right))
    ]
    if all(units):
        found.unit = True
        return
    pair = sources.expression(one, left), sources.expression(two, right)
    kinds = [kind_of(expr) for expr in pair]
    if kinds[0] is not kinds[1] or kinds[0] is None or kinds[0] is Kind.FLOAT:
        words = " and ".join(WORDS[kind] for kind in kinds)
        raise sources.source.refuse(
            "PL111",
            f"{words} do not join" if kinds[0] is not kinds[1] else "decimals do not join",
            span,
            "CAST(code AS INT)" if sources.source.sql else ".cast(pl.Int64)",
        )
    for side, expr in zip((left, right), pair, strict=True):
        if isinstance(side.relation, PublicRows):
            sources.public_work.evaluate(side.relation, expr)
    found.pairs.append(pair)
