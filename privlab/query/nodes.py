"""Row expressions that both surfaces write as several operations, built once for both."""

from __future__ import annotations

from fractions import Fraction

from privlab.query.ask import Aggregate, Apply, Const, Name, Node, Param, Span, Windowed
from privlab.query.plan import Op
from privlab.terms.catalog import Kind, Scalar

MICROSECONDS = {
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Builder:
    """Builds nodes that all stand at one place of the text."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def call(self, op: Op, *args: Node | Scalar | None) -> Apply:
        """An operation; bare values are constants."""
        return Apply(op, tuple(map(self.node, args)), self.span)

    def node(self, arg: Node | Scalar | None) -> Node:
        if isinstance(arg, (Name, Const, Param, Apply, Aggregate, Windowed)):
            return arg
        return Const(arg, self.span)

    def not_(self, condition: Node) -> Apply:
        return self.call(Op.NOT, condition)

    def known(self, value: Node) -> Apply:
        """value IS NOT NULL."""
        return self.not_(self.call(Op.IS_NULL, value))

    def all(self, conditions: list[Node]) -> Node:
        found = conditions[0]
        for one in conditions[1:]:
            found = self.call(Op.AND, found, one)
        return found

    def any(self, conditions: list[Node]) -> Node:
        found = conditions[0]
        for one in conditions[1:]:
            found = self.call(Op.OR, found, one)
        return found

    def between(self, value: Node, low: Node, high: Node) -> Apply:
        """low <= value <= high."""
        return self.call(Op.AND, self.call(Op.GE, value, low), self.call(Op.LE, value, high))

    def between_either(self, value: Node, one: Node, other: Node) -> Apply:
        """Between two values of which either may be the lower one."""
        match one, other:
            case Const(value=int() | Fraction() as a), Const(value=int() | Fraction() as b):
                ends = (one, other) if a <= b else (other, one)
                return self.between(value, *ends)
        both = self.between(value, one, other), self.between(value, other, one)
        return self.call(Op.OR, *both)

    def tuple_of(self, values: list[Node]) -> Apply:
        """A text that different values side by side never share; null when one of them is.

        Each but the last is told apart by its length.
        """
        texts = [self.cast(one, Kind.TEXT, "round") for one in values]
        sizes = [self.cast(self.call(Op.LENGTH, one), Kind.TEXT, "round") for one in texts[:-1]]
        heads = [part for size, one in zip(sizes, texts, strict=False) for part in (size, ":", one)]
        return self.call(Op.CONCAT, *heads, texts[-1])

    def named(self, value: Node, names: tuple[str, ...]) -> Apply:
        """The name of a number, one of 1, 2, ... or null."""
        pairs = [
            part
            for at, name in enumerate(names[:-1], 1)
            for part in (self.call(Op.EQ, value, at), self.node(name))
        ]
        return self.call(Op.CASE, *pairs, self.known(value), names[-1], None)

    def where(self, condition: Node, value: Node | None) -> Apply:
        """The value where a condition holds, else null; 1 for no value."""
        return self.call(Op.CASE, condition, 1 if value is None else value, None)

    def same(self, left: Node, right: Node) -> Apply:
        """Equal, or both null; never null."""
        null = self.call(Op.IS_NULL, left)
        if isinstance(right, Const):
            equal = self.call(Op.EQ, left, right)
            return null if right.value is None else self.truth(equal)
        nulls = self.call(Op.AND, null, self.call(Op.IS_NULL, right))
        return self.call(Op.COALESCE, self.call(Op.EQ, left, right), nulls)

    def truth(self, condition: Node) -> Apply:
        """IS TRUE: null is false."""
        return self.call(Op.COALESCE, condition, False)  # noqa: FBT003

    def cast(self, value: Node, to: Kind, rounding: str) -> Apply:
        return self.call(Op.CAST, value, to.value, rounding)

    def floor(self, value: Node) -> Apply:
        return self.call(Op.FLOOR_DIV, value, 1)

    def ceil(self, value: Node) -> Apply:
        return self.call(Op.NEG, self.floor(self.call(Op.NEG, value)))

    def power(self, value: Node, exponent: int) -> Node:
        """A value times itself."""
        found = value
        for _ in range(exponent - 1):
            found = self.call(Op.MUL, found, value)
        return found

    def cut(
        self, value: Node, breaks: list[Node], labels: list[str], *, left_closed: bool
    ) -> Apply:
        """The label of the bin that holds a value."""
        below = Op.LT if left_closed else Op.LE
        pairs: list[Node | Scalar] = []
        for end, label in zip(breaks, labels, strict=False):
            pairs += [self.call(below, value, end), label]
        return self.call(Op.CASE, *pairs, self.known(value), labels[-1], None)

    def bucket(self, value: Node, low: Node, high: Node, count: Node) -> Apply:
        """WIDTH_BUCKET: 1 to count from low to high, 0 below, count + 1 from high on."""
        width = self.call(Op.SUB, high, low)
        place = self.call(Op.MUL, self.call(Op.SUB, value, low), count)
        inside = self.call(Op.ADD, self.call(Op.FLOOR_DIV, place, width), 1)
        above = self.call(Op.ADD, count, 1)
        return self.call(
            Op.CASE,
            self.call(Op.LT, value, low),
            0,
            self.call(Op.GE, value, high),
            above,
            inside,
        )

    def since(self, later: Node, earlier: Node, unit: str) -> Apply:
        """Whole units of time from one to the other, towards zero."""
        return self.call(Op.TRUNC_DIV, self.call(Op.ELAPSED, later, earlier), MICROSECONDS[unit])
