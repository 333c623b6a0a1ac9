"""Relations as JSON: what is written is read back, and nothing else is."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from privlab.query.encoding import canonical_text
from privlab.query.expr import Ref
from privlab.query.relation_encoding import decode_relation, encode_relation
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    UnitKind,
    UnitValue,
)
from privlab.terms.catalog import Kind
from tests.query.relations import relations

A, B = Ref("a", Kind.INT), Ref("b", Kind.TEXT)
WARDS = PublicRows((("ward", Kind.TEXT), ("beds", Kind.INT)), (("A", 3), (None, 4)))
STAYS = PerUnit(Scan("stays", 2), None, (("b", B),), (("n", UnitValue(UnitKind.ROWS)),))
WHOLE: dict[str, Relation] = {
    "wards": Join(Scan("visits", 1), WARDS, ((B, B),), False, True, (("beds", "beds"),)),  # noqa: FBT003
    "stays": Join(Scan("visits", 1), STAYS, (), True, False, (("n", "n"),), (8, 1)),  # noqa: FBT003
    "union": Union((Scan("visits", 1), Scan("stays", 2))),
    "project": Project(Scan("visits", 1), None, (("a", A), ("b", B))),
    "sum": PerUnit(Scan("visits", 1), None, (), (("s", UnitValue(UnitKind.SUM, A)),)),
}


@settings(deadline=None, max_examples=60)
@given(relation=relations())
def test_a_relation_survives_json(relation: Relation) -> None:
    text = canonical_text(encode_relation(relation))
    again = decode_relation(json.loads(text))
    assert again == relation
    assert canonical_text(encode_relation(again)) == text


@pytest.mark.parametrize(
    ("name", "path", "new"),
    [
        ("wards", "join.unit", True),
        ("wards", "join.unit", 0),
        ("wards", "join.most", [1, 1]),
        ("wards", "join.on", []),
        ("wards", "join.more", 1),
        ("wards", "join.right_names", [["beds", "x"], ["ward", "x"]]),
        ("wards", "join.right.public.columns", []),
        ("wards", "join.right.public.rows.0", [["text", "A"]]),
        ("wards", "join.right.public.rows.0.1", ["text", "3"]),
        ("stays", "join.unit", False),
        ("stays", "join.most", None),
        ("stays", "join.most", [0, 1]),
        ("stays", "join.most", [8]),
        ("stays", "join.right.per_unit.columns.0.1.0", "median"),
        ("stays", "join.right.per_unit.columns.0.0", "b"),
        ("stays", "join.right.per_unit.columns.0.1.3", "1"),
        ("union", "union", [{"scan": ["visits", 1]}]),
        ("union", "union.1", {"public": {"columns": [["a", "int"]], "rows": []}}),
        ("union", "other", 1),
        ("project", "project.columns.1.0", "a"),
        ("project", "project.of", []),
        ("sum", "per_unit.columns.0.1.1", None),
        ("sum", "per_unit.columns.0.1.4", "0"),
        ("sum", "per_unit.columns.0.1.3", "1/2"),
        ("sum", "per_unit.columns.0.1.3", "-1"),
        ("sum", "per_unit.of", {"public": {"columns": [["a", "int"]], "rows": []}}),
    ],
)
def test_what_is_no_relation_is_refused(name: str, path: str, new: object) -> None:
    value: Any = copy.deepcopy(encode_relation(WHOLE[name]))
    decode_relation(value)
    place = value
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = new
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        decode_relation(value)


def test_a_public_row_that_meets_none_may_not_stay() -> None:
    value = encode_relation(
        Join(WARDS, Scan("visits", 1), ((B, B),), False, True, (("a", "a"),))  # noqa: FBT003
    )
    with pytest.raises(ValueError, match="would tell of all units"):
        decode_relation(value)
