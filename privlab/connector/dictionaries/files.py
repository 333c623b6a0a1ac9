"""A dictionary's file: which form it has, and its tree of texts, of bounded size.

JSON is read by the standard library.  Of YAML the events of PyYAML's parser are
read, so that no tag makes an object and every scalar is its own spelling: ``no``
among accepted values is a word, not false.  Anchors and aliases are refused, since a few of them name more than any
memory holds.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from privlab.connector.dictionaries import dbt, frictionless
from privlab.connector.dictionaries.stated import Sheet, unreadable

MAX_BYTES = 1 << 20
"""Of a dictionary's file: a thousand columns take a few hundred kilobytes."""

MAX_DEPTH = 50
"""Of lists and mappings in YAML."""


def read(file: Path, table: str, rows: str = "") -> Sheet:
    """What a dictionary says of a table.

    rows: the name of the file with the rows, by which a data package knows it too.

    :raises BadContract: PL151, it is no dictionary, too large, or of other tables.
    """
    name = file.name if file.name.isprintable() else "the dictionary"
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError:
        raise unreadable(name, "there is no such file") from None
    if len(raw) > MAX_BYTES:
        raise unreadable(name, f"it is larger than {MAX_BYTES:,} bytes")
    lowered = file.name.lower()
    try:
        if lowered.endswith(".json"):
            return frictionless.sheet(json.loads(raw), table, rows, name)
        if lowered.endswith((".yml", ".yaml")):
            return dbt.sheet(tree(raw), table, name)
    except _AliasError as error:
        raise unreadable(name, str(error)) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise unreadable(name, "it is not well-formed, or nested too deeply") from None
    raise unreadable(name, "its name ends neither in .json nor in .yml")


class _AliasError(ValueError):
    """An alias, which may make much of little."""


def tree(raw: bytes) -> object:
    """The first YAML document as dicts, lists and texts alone.

    :raises yaml.YAMLError, ValueError: not YAML, with aliases, too deep.
    """
    root: list[object] = []
    open_: list[list[object]] = [root]
    ends = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
    for event in yaml.parse(raw, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _AliasError("it has anchors and aliases; write what they stand for")
        if isinstance(event, yaml.ScalarEvent):
            open_[-1].append(event.value)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            open_.append([])
            if len(open_) > MAX_DEPTH:
                raise ValueError("too deep")
        elif isinstance(event, ends):
            items = open_.pop()
            whole = isinstance(event, yaml.SequenceEndEvent)
            open_[-1].append(items if whole else _mapping(items))
        elif isinstance(event, yaml.DocumentEndEvent):
            break
    return root[0] if root else None


def _mapping(items: list[object]) -> dict[object, object]:
    """Keys and values in turn; a key that is no text is left out with its value."""
    pairs = zip(items[::2], items[1::2], strict=True)
    return {key: value for key, value in pairs if isinstance(key, str)}
