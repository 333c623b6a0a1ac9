"""What an asker calls the columns of a subquery, whose names in a plan nobody chose.

The names say nothing to a plan or its id: they are for captions, notes and refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from privlab.query.expr import Call, Expr, Ref
from privlab.query.plan_text import expression_text


@dataclass
class Said:
    """names: of columns by those of the plan; None of what has several.

    limits: of counts and sums of one unit's rows, how many rows of which table enter at
    most, as in "8 visits".
    """

    names: dict[str, str | None] = field(default_factory=dict)
    limits: dict[str, str | None] = field(default_factory=dict)

    def call(self, column: str, name: str) -> None:
        """Remember that a column is called so."""
        self.names[column] = name if self.names.get(column, name) == name else None

    def limit(self, column: str, words: str) -> None:
        """Remember how many rows a count is of."""
        self.limits[column] = words if self.limits.get(column, words) == words else None

    def known(self) -> dict[str, str]:
        return {column: name for column, name in self.names.items() if name is not None}


def said(expr: Expr, names: Mapping[str, str]) -> str:
    """An expression in words, with the names that the asker gave."""
    return expression_text(_called(expr, names) if names else expr)


def _called(expr: Expr, names: Mapping[str, str]) -> Expr:
    match expr:
        case Ref(column=column, kind=kind):
            return Ref(names.get(column, column), kind)
        case Call(op=op, args=args):
            return Call(op, tuple(_called(arg, names) for arg in args))
    return expr
