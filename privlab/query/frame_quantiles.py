"""Which quantile is meant in Polars text: ``median()`` and ``quantile(q)``.

How values between two others are made up (``interpolation``) changes nothing: an
answer is a value on the grid of the column, chosen near the quantile.
"""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import TYPE_CHECKING

from privlab.query.ask import Const, Node

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions


def which(read: Expressions, node: ast.Call, at: ast.Call) -> Node | None:
    """The q of a median or a quantile; None of other aggregates.

    :raises BadQuery: PL106, it is not one number.
    """
    match node.func:
        case ast.Attribute(attr="median"):
            return Const(Fraction(1, 2), read.place.of(at))
        case ast.Attribute(attr="quantile"):
            return _share(read, node, at)
    return None


def _share(read: Expressions, node: ast.Call, at: ast.Call) -> Node:
    named = {one.arg: one.value for one in node.keywords}
    named.pop("interpolation", None)
    given = [*node.args, *named.values()]
    if len(given) == 1 and set(named) <= {"quantile"} and not isinstance(given[0], ast.List):
        return read.node(given[0])
    raise read.refuse(at, "quantile takes one number", 'pl.col("x").quantile(0.9)')
