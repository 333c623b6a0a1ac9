"""Notebook frames as public tables: by value, typed, and small.

A frame may be of Polars, pandas or pyarrow, or a dict of lists.  None of those
libraries is imported: a frame is asked for its own lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

from privlab.client.parameters import scalar
from privlab.errors import BadQuery
from privlab.wire.messages import (
    MAX_LIST,
    MAX_PUBLIC_BYTES,
    MAX_PUBLIC_COLUMNS,
    PublicColumn,
    PublicTable,
)

HINT = 'public={"wards": {"ward": ["A", "B"], "region": ["north", "south"]}}'


def public_tables(given: Mapping[str, object] | None) -> dict[str, PublicTable]:
    """Frames by the name that a question calls them, as the wire carries them.

    :raises BadQuery: PL114, a name that is none, something that is no frame, a value
        that has no meaning in a question, or more than 10,000 rows, 64 columns or 1 MB.
    """
    return {name: public_table(name, frame) for name, frame in (given or {}).items()}


def public_table(name: str, frame: object) -> PublicTable:
    """One frame; see `public_tables`."""
    if not name.isidentifier():
        raise _refused(f"{name!r} cannot be the name of a table", f"name it plainly: {HINT}")
    columns = _columns(name, frame)
    if not columns or len(columns) > MAX_PUBLIC_COLUMNS:
        raise _refused(
            f"{name} has {len(columns)} columns",
            f"send 1 to {MAX_PUBLIC_COLUMNS}: those that the question names",
        )
    sizes = {len(values) for values in columns.values()}
    if len(sizes) > 1:
        raise _refused(f"the columns of {name} are of different lengths", HINT)
    if (rows := sizes.pop()) > MAX_LIST:
        raise _refused(f"{name} has {rows:,} rows", f"send at most {MAX_LIST:,}")
    found = PublicTable(
        columns=tuple(_column(name, column, values) for column, values in columns.items())
    )
    size = len(found.model_dump_json())
    if size > MAX_PUBLIC_BYTES:
        raise _refused(
            f"{name} takes {size:,} bytes",
            f"send at most {MAX_PUBLIC_BYTES:,}: the columns and rows that the question needs",
        )
    return found


def _refused(what: str, hint: str) -> BadQuery:
    return BadQuery(what, code="PL114", hint=hint)


def _columns(name: str, frame: Any) -> dict[str, list[object]]:
    """The columns of a frame as lists."""
    if isinstance(frame, Mapping):
        pairs: Iterable[tuple[object, object]] = frame.items()
    elif callable(getattr(frame, "to_pydict", None)):  # pyarrow
        pairs = frame.to_pydict().items()
    elif callable(getattr(frame, "get_columns", None)):  # Polars
        pairs = ((one.name, one) for one in frame.get_columns())
    elif hasattr(frame, "columns") and hasattr(frame, "iloc"):  # pandas
        pairs = ((label, frame.iloc[:, at]) for at, label in enumerate(frame.columns))
    else:
        raise _refused(f"{name} is a {type(frame).__name__}, which is no table", HINT)
    found: dict[str, list[object]] = {}
    for label, values in pairs:
        if str(label) in found:
            raise _refused(f"{name} has two columns called {label}", "rename one")
        found[str(label)] = _listed(name, str(label), values)
    return found


def _listed(name: str, column: str, values: Any) -> list[object]:
    convert: Callable[[], list[object]] | None = None
    if str(getattr(values, "dtype", "")) == "datetime64[ns]" and hasattr(values, "astype"):
        values = values.astype("datetime64[us]")
    for method in ("to_list", "tolist"):
        convert = convert or getattr(values, method, None)
    if callable(convert):
        values = convert()
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _refused(f"{column} of {name} is no list of values", HINT)
    return [None if _missing(one) else one for one in values]


def _missing(value: object) -> bool:
    """Null, NaN, and what pandas calls NaT and NA."""
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return True
    return isinstance(value, Real) and math.isnan(value)


def _column(name: str, column: str, values: list[object]) -> PublicColumn:
    """Values of one kind.  Whole numbers that pandas made decimals for a null are whole again."""
    whole = [one for one in values if one is not None]
    if len(whole) < len(values) and whole and all(_is_whole(one) for one in whole):
        values = [None if one is None else int(one) for one in values]  # type: ignore[call-overload]
    typed = [None if one is None else scalar(f"{column} of {name}", one) for one in values]
    kinds = {one[0] for one in typed if one is not None}
    if kinds == {"int", "float"}:
        kinds = {"float"}
    if len(kinds) > 1:
        raise _refused(
            f"{column} of {name} mixes {' and '.join(sorted(kinds))}", "send values of one type"
        )
    kind = kinds.pop() if kinds else "text"
    texts = tuple(None if one is None else one[1] for one in typed)
    return PublicColumn(name=column, kind=kind, text=texts)  # type: ignore[arg-type]


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()
