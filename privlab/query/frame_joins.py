"""``join`` of Polars: its arguments, and the joined rows they ask for."""

from __future__ import annotations

import ast
from collections.abc import Callable

from privlab.query import hints
from privlab.query.ask import Name, Node, Span
from privlab.query.frame_expressions import Expressions
from privlab.query.rows import How, Joined, Rows

HOW = {"inner": How.INNER, "left": How.LEFT, "semi": How.SEMI, "anti": How.ANTI}
SUFFIX = "_right"


def read_join(
    reader: Expressions, call: ast.Call
) -> tuple[ast.expr, Callable[[Rows, Rows], Joined]]:
    """The other side of a join as it was typed, and what makes the join of both sides.

    :raises BadQuery: PL106, a kind of join that the language does not have.
    """
    other, on, how, left_on, right_on, suffix, _ = reader.arguments(
        call, "other", "on", "how", "left_on", "right_on", "suffix", "maintain_order"
    )
    if other is None:
        raise reader.refuse(call, "join takes another table", '.join(labs, on="patient_id")')
    kind = HOW.get(_text(how, "inner"))
    if kind is None or (how is not None and not isinstance(how, ast.Constant)):
        raise reader.refuse(
            how or call,
            "a join is one of inner, left, semi",
            hints.NO_FULL_POLARS,
        )
    ends = SUFFIX if suffix is None else _text(suffix, SUFFIX)
    here, there = _names(reader, on or left_on), _names(reader, on or right_on)
    if not here or len(here) != len(there):
        raise reader.refuse(
            call,
            "a join names what is equal on both sides",
            '.join(labs, on="patient_id"), or left_on and right_on of one length',
        )
    merged = frozenset(one.name for one in there if isinstance(one, Name))
    end = reader.place.of(call.func).end
    span = Span(end - len("join"), end)

    def joined(left: Rows, right: Rows) -> Joined:
        pairs = tuple(zip(here, there, strict=True))
        return Joined(left, right, kind, span, pairs=pairs, merged=merged, suffix=ends)

    return other, joined


def _text(node: ast.expr | None, default: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return default


def _names(reader: Expressions, node: ast.expr | None) -> list[Node]:
    """Columns by name, or expressions, over the names that are in force where they stand."""
    if node is None:
        return []
    plain = Expressions(reader.source, reader.place)
    listed = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [plain.column_or(one) for one in listed]
