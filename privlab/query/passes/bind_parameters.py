"""Put the values of parameters where their names stand."""

from __future__ import annotations

from collections.abc import Mapping

from privlab.query.ask import Apply, Const, Node, Param, Source
from privlab.query.plan import Op
from privlab.terms.catalog import Scalar

Parameters = Mapping[str, Scalar | tuple[Scalar | None, ...] | None]


def bind_parameters(node: Node, parameters: Parameters, source: Source) -> Node:
    """``node`` without parameters.  A list opens inside IN and nowhere else.

    Before               parameters           After
    ------               ----------           -----
    age >= :limit        limit = 65           age >= 65
    ward IN (:wards)     wards = ("A", "B")   ward IN ("A", "B")

    :raises BadQuery: PL110, a name without a value, or a list out of place.
    """
    match node:
        case Param(name=name, span=span):
            if name not in parameters:
                hint = "" if not parameters else f"there is {', '.join(sorted(parameters))}"
                raise source.refuse("PL110", f"the parameter {name} has no value", span, hint)
            value = parameters[name]
            if isinstance(value, tuple):
                raise source.refuse(
                    "PL110", f"the parameter {name} is a list, and a list only stands in IN", span
                )
            return Const(value, span)
        case Apply(op=Op.IS_IN, args=(first, *rest), span=span):
            values: list[Node] = []
            for one in rest:
                bound = parameters.get(one.name) if isinstance(one, Param) else None
                if isinstance(bound, tuple):
                    values += [Const(value, one.span) for value in bound]
                else:
                    values.append(bind_parameters(one, parameters, source))
            return Apply(Op.IS_IN, (bind_parameters(first, parameters, source), *values), span)
        case Apply(op=op, args=args, span=span):
            bound_args = tuple(bind_parameters(arg, parameters, source) for arg in args)
            return Apply(op, bound_args, span)
        case _:
            return node
