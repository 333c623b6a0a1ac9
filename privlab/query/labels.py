"""Labels of shown groups: their order, their JSON, and a plan that has them for cells.

The order of labels is that of their values, key by key, null last, so it tells
nothing but which groups are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from privlab.query.encoding import decode_scalar, encode_scalar
from privlab.query.plan import MOST_LABEL, Key, Plan
from privlab.terms.catalog import Kind, Scalar
from privlab.terms.groups import Label

TYPES: dict[Kind, type] = {
    Kind.BOOL: bool,
    Kind.INT: int,
    Kind.TEXT: str,
    Kind.DATE: date,
    Kind.DATETIME: datetime,
}
"""The values an unknown key may have, by its kind; decimals form no groups."""


def place_of(label: Label) -> tuple[tuple[bool, Any], ...]:
    """What labels are sorted by."""
    return tuple((value is None, 0 if value is None else value) for value in label)


def encode_labels(labels: Sequence[Label]) -> list[list[Any]]:
    """Labels as JSON values."""
    return [[encode_scalar(value) for value in label] for label in labels]


def read_labels(found: Any) -> tuple[Label, ...]:
    """Read `encode_labels` back: labels in their order, each once.

    :raises ValueError: they are anything else.
    """
    try:
        labels = tuple(tuple(decode_scalar(value) for value in label) for label in found)
        sound = all(place_of(one) < place_of(two) for one, two in pairwise(labels))
    except (TypeError, KeyError, IndexError, OverflowError):
        sound = False
    if not sound:
        raise ValueError("these are not labels in their order")
    return labels


def decode_labels(found: Any, keys: Sequence[Key]) -> tuple[Label, ...]:
    """As `read_labels`, of labels that these keys can have.

    :raises ValueError: they are anything else.
    """
    labels = read_labels(found)
    cells = [frozenset((type(value), value) for value in key.values) for key in keys]
    if not all(
        len(label) == len(keys) and all(map(_is_value, label, keys, cells)) for label in labels
    ):
        raise ValueError("these are not labels of the keys")
    return labels


def with_labels(plan: Plan, labels: Sequence[Label]) -> tuple[Plan, list[tuple[int, ...]]]:
    """The plan whose unknown keys have the values that are shown, and the place of each label."""
    keys = tuple(
        key if key.public else replace(key, values=_distinct(labels, at))
        for at, key in enumerate(plan.keys)
    )
    places = [{value: place for place, value in enumerate(key.values)} for key in keys]
    return replace(plan, keys=keys), [
        tuple(known[value] for known, value in zip(places, label, strict=True)) for label in labels
    ]


def _distinct(labels: Sequence[Label], at: int) -> tuple[Scalar | None, ...]:
    return tuple(sorted({label[at] for label in labels}, key=lambda value: place_of((value,))))


def _is_value(value: Scalar | None, key: Key, cells: frozenset[tuple[type, Any]]) -> bool:
    if key.public:
        return (type(value), value) in cells
    if value is None:
        return True
    short = not isinstance(value, str) or len(value) <= MOST_LABEL
    return type(value) is TYPES.get(key.kind) and short
