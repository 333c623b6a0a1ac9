"""What names mean in one question: its table, its parameters, its WHERE."""

from __future__ import annotations

from fractions import Fraction

from privlab.query.ask import Node, Source
from privlab.query.kinds import depth, kind_of, parts_of
from privlab.query.passes.bind_parameters import Parameters, bind_parameters
from privlab.query.passes.check_types import MAX_DEPTH, MAX_SIZE, check_types
from privlab.query.passes.limit_size import MAX_GROWTH, MAX_WORK, growth, work_of
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind, Scalar, Table

ALWAYS = Literal(value=True)


class Scope:
    """Turns parsed row expressions into canonical ones.

    where: what is known of the rows: the question's own condition, and what holds
    already of what it reads.
    """

    def __init__(
        self,
        source: Source,
        table: Table,
        parameters: Parameters,
        where: Node | None,
        known: Expr | None = None,
    ) -> None:
        self.source = source
        self.table = table
        self.parameters = parameters
        self.work = 0
        self.where = None if where is None else self.condition(where)
        if known is not None:
            both = known if self.where is None else Call(Op.AND, (known, self.where))
            self.where = normalise(both)

    def expression(self, node: Node) -> Expr:
        """The canonical form of a row expression.

        :raises BadQuery: see `bind_parameters` and `check_types`; PL106, it is
            nested too deeply or has too many terms.
        """
        try:
            bound = bind_parameters(node, self.parameters, self.source)
            self.work += work_of(bound)
            if self.work > MAX_WORK:
                raise self.source.refuse(
                    "PL106",
                    "the lists of this question are nested too deeply for their length",
                    node.span,
                    "put the long list first, joined with AND, or ask in parts",
                )
            expr = normalise(check_types(bound, self.table, self.source))
            self._fits(expr, node)
            if depth(expr) <= MAX_DEPTH:
                return expr
        except RecursionError:
            pass
        raise self.source.refuse(
            "PL106",
            "this expression has too many terms",
            node.span,
            "write fewer conditions, or IN",
        )

    def _fits(self, expr: Expr, node: Node) -> None:
        """What constants came to, and how long texts may become."""
        for part in parts_of(expr):
            value = part.value if isinstance(part, Literal) else None
            if isinstance(value, (int, Fraction)) and abs(Fraction(value)) >= MAX_SIZE:
                what = "this number is too large for any column"
                raise self.source.refuse("PL111", what, node.span, "write a smaller one")
        if growth(expr) > MAX_GROWTH:
            raise self.source.refuse(
                "PL106",
                f"a text here could be more than {MAX_GROWTH} times as long as those of the row",
                node.span,
                "compare the texts before they are joined or replaced",
            )

    def constant(self, node: Node) -> Scalar | None:
        """The value of an expression that reads no column, else None."""
        expr = self.expression(node)
        return expr.value if isinstance(expr, Literal) else None

    def condition(self, node: Node) -> Expr | None:
        """The predicate; None when it holds for every row.

        :raises BadQuery: PL111, it is none.
        """
        expr = self.expression(node)
        if kind_of(expr) is not Kind.BOOL:
            raise self.source.refuse(
                "PL111", "this is not a condition", node.span, "compare it, as in >= 1"
            )
        return None if expr == ALWAYS else expr
