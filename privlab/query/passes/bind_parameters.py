"""Put the values of parameters where their names stand."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from privlab.query.ask import Apply, Const, Node, Param, Source, leaves
from privlab.query.plan import Op
from privlab.terms.catalog import Scalar

Parameters = Mapping[str, Scalar | tuple[Scalar | None, ...] | None]

MAX_LISTED = 100_000
"""Most values of all lists of one expression together."""


def bind_parameters(node: Node, parameters: Parameters, source: Source) -> Node:
    """``node`` without parameters.  A list opens inside IN and nowhere else.

    Before               parameters           After
    ------               ----------           -----
    age >= :limit        limit = 65           age >= 65
    ward IN (:wards)     wards = ("A", "B")   ward IN ("A", "B")

    :raises BadQuery: PL110, a name without a value, a list out of place, or
        lists of more than 100,000 values together.
    """
    if _listed(node, parameters) > MAX_LISTED:
        what = f"the lists of this question hold more than {MAX_LISTED:,} values"
        raise source.refuse("PL110", what, node.span, "ask in parts, or for a range")
    return _bound(node, parameters, source)


def _listed(node: Node, parameters: Parameters) -> int:
    """How many values the lists of an expression hold."""
    values = (parameters.get(leaf.name) for leaf in leaves(node) if isinstance(leaf, Param))
    return sum(len(value) for value in values if isinstance(value, tuple))


def _bound(node: Node, parameters: Parameters, source: Source) -> Node:
    match node:
        case Param(name=name, span=span, listed=listed):
            if name not in parameters:
                hint = f'give it a value before the cell, or with params={{"{name}": ...}}'
                if parameters:
                    near = difflib.get_close_matches(name, list(parameters), 1)
                    hint = f"did you mean {near[0]}?" if near else hint
                if not source.sql and source.table and source.table.column(name):
                    hint = f'the column of {source.table.name} is pl.col("{name}")'
                raise source.refuse("PL110", f"the parameter {name} has no value", span, hint)
            value = parameters[name]
            if isinstance(value, tuple):
                raise source.refuse(
                    "PL110",
                    f"the parameter {name} is a list, and a list only stands in IN",
                    span,
                    f"IN (:{name})" if source.sql else f".is_in({name})",
                )
            if listed:
                raise source.refuse(
                    "PL110",
                    f"{name} is one value, and this needs a list",
                    span,
                    f"pass a list, or write {f'IN (:{name})' if source.sql else f'is_in([{name}])'}",
                )
            return Const(value, span)
        case Apply(op=Op.IS_IN, args=(first, *rest), span=span):
            values: list[Node] = []
            for one in rest:
                bound = parameters.get(one.name) if isinstance(one, Param) else None
                if isinstance(bound, tuple):
                    values += [Const(value, one.span) for value in bound]
                else:
                    values.append(_bound(one, parameters, source))
            return Apply(Op.IS_IN, (_bound(first, parameters, source), *values), span)
        case Apply(op=op, args=args, span=span):
            bound_args = tuple(_bound(arg, parameters, source) for arg in args)
            return Apply(op, bound_args, span)
        case _:
            return node
