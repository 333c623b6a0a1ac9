"""What the text of a ``%%private`` cell mentions.

The cell is text and stays text: it is scanned for names, so that their values
can be sent beside it, and it is never executed and never has anything pasted
into it.  Whether the question makes sense is the curator's to say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from privlab.errors import BadQuery, Caret

_COMMENT = re.compile(r"\s+|--[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL)
_SQL = re.compile(r"\(|(?:select|with|from)\b", re.IGNORECASE)
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)\s*<<\s*")
_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*'?            # a text
    | "(?:[^"]|"")*"?            # a quoted name
    | --[^\n]* | /\*.*?(?:\*/|\Z)  # comments
    | ::                         # a cast
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_SCALARS = (bool, int, float, str, Decimal, Fraction, date, type(None))
_LISTS = (list, tuple, set, frozenset, range)


def is_sql(text: str) -> bool:
    """Whether the first token after comments is SELECT, WITH, FROM or ``(``."""
    return _SQL.match(text, _start(text)) is not None


def split_assignment(text: str) -> tuple[str, str]:
    """``by_ward << SELECT …`` as its name and its question; no name is ``""``."""
    start = _start(text)
    found = _ASSIGNED.match(text, start)
    if found is None:
        return "", text
    return found[1], text[:start] + text[found.end() :]


def parameters(text: str, names: Mapping[str, object]) -> dict[str, object]:
    """The values of the names that ``text`` mentions, and of no others.

    ``:name`` in SQL must be there.  In Polars text a free name is sent when the
    notebook holds a value that can be sent; the others are tables, or the
    curator says what they are.

    :raises BadQuery: PL110, a ``:name`` without a value, or of a type that
        cannot be sent.
    """
    if not is_sql(text):
        mentioned = [name for name in _free_names(text) if name in names]
        return {name: plain(names[name]) for name in mentioned if sendable(names[name])}
    found: dict[str, object] = {}
    for token in _TOKEN.finditer(text):
        name = token["name"]
        if name is None or name in found:
            continue
        if name not in names:
            raise BadQuery(
                f"the question mentions :{name}, and the notebook has no such variable",
                code="PL110",
                hint=f"set it in a cell before this one: {name} = …",
                caret=Caret(text, token.start(), token.end()),
            )
        if not sendable(names[name]):
            raise BadQuery(
                f":{name} is a {type(names[name]).__name__}, which cannot be part of a question",
                code="PL110",
                hint="send a number, a text, a date, or a list or series of them",
                caret=Caret(text, token.start(), token.end()),
            )
        found[name] = plain(names[name])
    return found


def frames(given: Sequence[str], names: Mapping[str, object]) -> dict[str, object]:
    """``--public wards=df``, or ``--public wards``: notebook frames by their names in the question.

    :raises BadQuery: PL114, one is not there, or one name is given twice.
    """
    found: dict[str, object] = {}
    for text in given:
        name, sign, variable = text.partition("=")
        variable = variable if sign else name
        if variable not in names:
            raise BadQuery(
                f"--public names {variable}, and the notebook has no such variable",
                code="PL114",
                hint=f"set it in a cell before this one: {variable} = …",
            )
        if name in found:
            raise BadQuery(
                f"--public names {name} twice", code="PL114", hint="give each its own name"
            )
        found[name] = names[variable]
    return found


def sendable(value: object) -> bool:
    """Whether ``value`` is a scalar, a date, or a list or series."""
    return isinstance(value, (*_SCALARS, *_LISTS)) or _is_array(value)


def plain(value: object) -> object:
    """``value`` without NumPy, pandas or Polars around it.

    NumPy counts nanoseconds in bare integers, so such times are first cut to
    microseconds, which Python has a type for.
    """
    if isinstance(value, _LISTS):
        return list(value)
    if isinstance(value, _SCALARS) or not _is_array(value):
        return value
    if str(getattr(value, "dtype", "")) == "datetime64[ns]" and hasattr(value, "astype"):
        value = value.astype("datetime64[us]")
    convert = getattr(value, "to_list", None) or getattr(value, "tolist", None)
    return convert() if callable(convert) else value


def _is_array(value: object) -> bool:
    """A NumPy scalar, a one-dimensional array, or a series: it has a dtype and a list."""
    if not hasattr(value, "dtype") or isinstance(value, type):
        return False
    shape = getattr(value, "shape", ())
    return len(shape) <= 1 and (hasattr(value, "to_list") or hasattr(value, "tolist"))


def _start(text: str) -> int:
    at = 0
    while found := _COMMENT.match(text, at):
        at = found.end()
    return at


def _free_names(text: str) -> list[str]:
    """Names used as values in Polars text, in order; ``pl`` and ``x`` of ``x.y`` are not."""
    tree = None
    for attempt in (text, f"({text}\n)"):
        try:
            tree = ast.parse(attempt.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        break
    if tree is None:
        return []
    bases = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    free = [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in bases
    ]
    return list(dict.fromkeys(free))
