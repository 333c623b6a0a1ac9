"""Names of columns that are made of others: what they say, and no two the same.

Texts of expressions are for eyes: long lists are cut, and a constant may read like a
column.  So what has another meaning and the same text gets a number behind it, in an
order that nobody chose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from privlab.query.encoding import canonical_text, encode_expr
from privlab.query.plan import Expr
from privlab.query.plan_text import expression_text

Made = tuple[Expr, ...]
"""What one column is, in each part of a union; else one expression."""


def name_columns(columns: Iterable[Made], taken: Collection[str] = ()) -> dict[Made, str]:
    """A name for each column, after its first expression; none of them is ``taken``.

    The same columns have the same names, in whichever order they come.
    """
    form = {made: canonical_text([encode_expr(expr) for expr in made]) for made in columns}
    text = {made: expression_text(made[0]) for made in form}
    used, named = set(taken), dict[Made, str]()
    for made in sorted(form, key=lambda one: (text[one], form[one])):
        name, count = text[made], 1
        while name in used:
            count += 1
            name = f"{text[made]}_{count}"
        used.add(name)
        named[made] = name
    return named


def name_expressions(exprs: Iterable[Expr], taken: Collection[str] = ()) -> dict[Expr, str]:
    """As `name_columns`, of single expressions."""
    named = name_columns(((expr,) for expr in exprs), taken)
    return {expr: name for (expr,), name in named.items()}
