"""GROUP BY of SQL: expressions, aliases (looked up later), positions and ALL (here)."""

from __future__ import annotations

from sqlglot import exp

from privlab.query.ask import Group, Item, aggregates
from privlab.query.hints import ON_THE_FRAME
from privlab.query.sql_expressions import Expressions, given

TOTALS = (exp.Rollup, exp.Cube, exp.GroupingSets)
FREE = f"add counts and sums up with SUM(...) OVER (PARTITION BY ...), or {ON_THE_FRAME}"


def read_groups(
    reader: Expressions, node: exp.Group | None, items: tuple[Item, ...]
) -> tuple[Group, ...]:
    """The keys of one GROUP BY.

    :raises BadQuery: PL106, a position that is none, or one of an aggregate; ROLLUP and
        its like.
    """
    if node is None:
        return ()
    totals = given(node) & {"rollup", "cube", "grouping_sets"}
    if totals or any(isinstance(one, TOTALS) for one in node.expressions):
        raise reader.refuse(node, "one question forms one set of groups", FREE)
    if node.args.get("all"):
        reader.only(node, "all")
        keys = [one for one in items if not aggregates(one.value)]
        return tuple(Group(one.value, one.name, one.span) for one in keys)
    reader.only(node, "expressions")
    groups = []
    for one in node.expressions:
        if isinstance(one, exp.Literal) and not one.is_string:
            item = _position(reader, one, items)
            if aggregates(item.value):
                raise reader.refuse(
                    one,
                    "an aggregate cannot be a group key",
                    f"group by a column, and {ON_THE_FRAME}",
                )
            groups.append(Group(item.value, None, item.span))
        else:
            groups.append(Group(reader.expression(one), None, reader.at(one)))
    return tuple(groups)


def _position(reader: Expressions, node: exp.Literal, items: tuple[Item, ...]) -> Item:
    text = node.name
    if not text.isdigit() or not 1 <= int(text) <= len(items):
        raise reader.refuse(
            node,
            f"position {text} is not one of the {len(items)} selected columns",
            "name the column",
        )
    return items[int(text) - 1]
