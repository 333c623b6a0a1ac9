"""Name a column of the answer that was given no name."""

from __future__ import annotations

from privlab.query.ask import (
    Aggregate,
    AggregateKind,
    Apply,
    Item,
    Name,
    Node,
    Source,
    Surface,
    Windowed,
    walk,
)
from privlab.query.plan import Op

FUNCTIONS = {
    AggregateKind.ROWS: "count",
    AggregateKind.UNITS: "count",
    AggregateKind.SUM: "sum",
    AggregateKind.MEAN: "avg",
    AggregateKind.QUANTILE: "quantile",
    AggregateKind.MIN: "min",
    AggregateKind.MAX: "max",
}


def name_output(item: Item, source: Source) -> str:
    """The given name, else the one its surface is known for.

    What                    SQL           Polars
    ----                    ---           ------
    COUNT(*), pl.len()      count         len
    AVG(x), x.mean()        avg_x         x
    ward                    ward          ward
    YEAR(d), d.dt.year()    year          d
    """
    if item.name is not None:
        return item.name
    value = item.value
    root = _root(value)
    if source.surface is Surface.POLARS:
        return root or ("len" if isinstance(value, Aggregate) else "literal")
    match value:
        case Aggregate(kind=kind):
            word = FUNCTIONS.get(kind, kind.value)
            return word if root is None else f"{word}_{root}"
        case Windowed(kind=kind):
            return kind.value if root is None else f"{kind.value}_{root}"
        case Apply(op=op):
            return op.value.removeprefix("to_")
    return root or "literal"


def _root(value: Node) -> str | None:
    """The leftmost column a value is made of."""
    if isinstance(value, Apply) and value.op is Op.CASE:
        value = value.args[1]  # the first value it gives, as Polars has it
    return next((part.name for part in walk(value) if isinstance(part, Name)), None)
