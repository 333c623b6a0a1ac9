"""The catalog as one asker sees it: with the bounds that her own histograms found.

A question about a column without a stated range is clamped to what her first
histogram of its magnitudes (``query/histogram.py``) gives.  Only her own account is
looked at, so that what she sees depends on nobody else, and only measurements that
were sealed.  They stay until she asks for a histogram anew, which is another view
(``MAGNITUDE(x, 2)``): the last one that gives bounds decides from then on, and the
others stay what they are.  A histogram of an earlier version of the table serves the later ones,
as long as the contract bounds units and rows as it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from privlab.curator.desk import Desk
from privlab.query.canonical import view_id
from privlab.query.compile import compile_question
from privlab.query.histogram import MOST_TIMES, histogram_text
from privlab.query.law import law_of
from privlab.query.plan import Call, Key, Literal, MeasureKind
from privlab.query.relations import Scan
from privlab.terms.catalog import Catalog, Column, Found, Kind, Scalar, Table
from privlab.terms.principal import Principal
from privlab.views.bounds import frozen_bounds


def with_found(desk: Desk, principal: Principal, catalog: Catalog, text: str) -> Catalog:
    """The catalog, with measured bounds in the columns that ``text`` can name."""
    return Catalog(
        tuple(
            bounded(desk, principal, table, (c for c in table.columns if _named(c.name, text)))
            if _named(table.name, text)
            else table
            for table in catalog.tables
        )
    )


def bounded(
    desk: Desk, principal: Principal, table: Table, columns: Iterable[Column] | None = None
) -> Table:
    """The table, with measured bounds in those of ``columns`` that have no range; None is all."""
    open_ones = [c for c in (table.columns if columns is None else columns) if _is_open(c, table)]
    return table.replacing({c.name: _looked_up(desk, principal, table, c) for c in open_ones})


def _named(name: str, text: str) -> bool:
    """Whether a text may name it: a name that needs no quotes is spelled one way."""
    return name in text or not name.isidentifier()


def _is_open(column: Column, table: Table) -> bool:
    return (
        column.kind.is_number
        and column.low is None
        and column.keys is None
        and not column.withheld
        and column.name != table.unit
    )


def _looked_up(desk: Desk, principal: Principal, table: Table, column: Column) -> Column:
    views, sizes = _histograms(table, column.name)
    sealed = desk.ledger.sealed(principal.name, list(views))
    if not sealed:
        return column
    column = replace(column, measured=max(views[view] for view, _, _ in sealed))
    for time in range(column.measured, 0, -1):
        these = [one for one in sealed if views[one[0]] == time]
        bounds = frozen_bounds(
            [(view, measurement) for view, measurement, _ in these],
            sizes,
            law_of(table.currency),
            whole=column.kind is Kind.INT,
        )
        if bounds is not None:
            view, _, at = these[bounds.at]
            return replace(column, found=Found(bounds.low, bounds.high, _words(at), view))
    return replace(column, searched=_words(sealed[-1][2]))


def _words(at: str) -> str:
    """Of an ISO time of the ledger's clock, which is UTC's."""
    return f"your measurement of {at[:10]} {at[11:16]} UTC"


@lru_cache(maxsize=1024)
def _histograms(table: Table, column: str) -> tuple[dict[str, int], tuple[Scalar | None, ...]]:
    """The views of the column's histograms, and the sizes of their cells.

    Of each view in every version so far: which time it is that the bounds were asked for.
    """
    plan = compile_question(histogram_text(table, column), {}, Catalog((table,))).plan
    units = next(at for at, one in enumerate(plan.measures) if one.kind is MeasureKind.UNITS)
    (key,) = plan.keys
    views = {
        view_id(
            replace(plan, source=Scan(table.name, version), keys=(_anew(key, time),)), units
        ): time
        for time in range(1, MOST_TIMES + 1)
        for version in range(1, table.version + 1)
    }
    return views, key.values


def _anew(key: Key, time: int) -> Key:
    """The key of the histogram as it is asked for the second time, and later."""
    if time == 1 or not isinstance(key.expr, Call):
        return key
    return replace(key, expr=Call(key.expr.op, (*key.expr.args, Literal(time))))
