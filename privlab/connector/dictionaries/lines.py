"""Statements about a column as lines of a contract, each with where it is from.

What does not fit the column's type is left out by a comment: a draft must be a
contract once its open fields are filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from privlab.connector.column import MAX_KEYS
from privlab.connector.dictionaries.stated import Said, Stated
from privlab.connector.fields import is_plain
from privlab.terms.catalog import Kind

LONGEST_ABOUT = 200
_KEYED = (Kind.INT, Kind.TEXT)


def stated_lines(kind: Kind, said: Stated) -> Iterator[str]:
    """Lines of a ``[columns.NAME]`` section, without its head and its type."""
    if said.about is not None:
        about = " ".join(said.about.value.split())[:LONGEST_ABOUT]
        if about and about != "?" and is_plain(about):
            yield commented(f"about = {quoted(about)}", said.about.where)
    if said.required is not None:
        yield commented("nullable = false", said.required.where)
    if said.keys is not None and kind is not Kind.BOOL:
        yield from _keys(kind, said.keys)
    if said.low is not None or said.high is not None:
        yield from _range(kind, said.low, said.high)
    if said.withheld is not None:
        what = f"{said.withheld.value}, {said.withheld.where}; drop = true would not store it"
        yield commented("withheld = true", what)
    for note in said.notes:
        yield from _comment(note)


def _keys(kind: Kind, said: Said[tuple[str, ...]]) -> Iterator[str]:
    literals = list(dict.fromkeys(literal(kind, value) for value in said.value))
    if kind not in _KEYED:
        yield from _comment(f"{said.where}: a {kind} has no keys")
    elif None in literals or not 1 <= len(literals) <= MAX_KEYS:
        words = f"{said.where}: not 1 to {MAX_KEYS:,} values of type {kind}, so no keys"
        yield from _comment(words)
    else:
        yield commented(f"keys = [{', '.join(filter(None, literals))}]", said.where)


def _range(kind: Kind, low: Said[str] | None, high: Said[str] | None) -> Iterator[str]:
    if low is None or high is None:
        one = low or high
        if one is not None:
            yield from _comment(f"{one.where} is {one.value}; a range has two ends")
        return
    ends = literal(kind, low.value), literal(kind, high.value)
    where = low.where if low.where == high.where else f"{low.where}, {high.where}"
    if kind in (Kind.TEXT, Kind.BOOL) or None in ends or not _rises(kind, low.value, high.value):
        yield from _comment(f"{where}: no range of type {kind}")
        return
    yield commented(f"range = [{ends[0]}, {ends[1]}]", where)
    if kind is Kind.FLOAT:
        yield commented('step = "?"', "the grid that sums are computed on, for example 0.01")


def _rises(kind: Kind, low: str, high: str) -> bool:
    if kind.is_time:
        return low[:10] <= high[:10]
    return Decimal(low) < Decimal(high)


def literal(kind: Kind, value: str) -> str | None:
    """A text as TOML of this kind; None: it is none."""
    match kind:
        case Kind.TEXT:
            return quoted(value) if is_plain(value) and value != "?" else None
        case Kind.INT:
            whole = re.fullmatch(r"[+-]?[0-9]{1,19}(?:\.0+)?", value)
            number = int(value.partition(".")[0]) if whole else None
            return str(number) if number is not None and abs(number) < 1 << 63 else None
        case Kind.FLOAT:
            return _decimal(value)
        case Kind.DATE | Kind.DATETIME:
            try:
                return date.fromisoformat(value[:10]).isoformat() if len(value) >= 10 else None
            except ValueError:
                return None
    return None


def _decimal(value: str) -> str | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 18 or len(value) > 40:
        return None
    return f"{number:f}"


def _comment(words: str) -> Iterator[str]:
    """A line of its own, if the words can stand in one."""
    if is_plain(words):
        yield f"# {words}"


def commented(line: str, comment: str) -> str:
    """A line with where it is from, as far as that can stand in a comment."""
    return f"{line.ljust(23)} # {comment}" if is_plain(comment) else line


def listed(values: Sequence[str]) -> str:
    """A list of texts."""
    return f"[{', '.join(map(quoted, values))}]"


def quoted(text: str) -> str:
    """A TOML string of a text without control characters."""
    return json.dumps(text, ensure_ascii=False)
