"""What an owner is told of damage: the place, exactly; and a child that lies is not believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.connector.manifest import UNITS_FILE_COLUMNS
from privlab.connector.modules import Module, Spot
from privlab.connector.parts import footer_length
from privlab.engine.audit import Audit, Finding, found
from privlab.engine.handle import Engine
from privlab.engine.stored import Stored
from privlab.query.plan import Measure, MeasureKind


def audit_of(place: Any) -> Audit:
    manifest = place.manifest
    columns = frozenset(c.name for c in manifest.described().columns if c.name != "patient")
    table = Stored.of(manifest, place.folder, columns, 300_000, place.custody)
    return Audit(manifest.dataset, table)


def change(audit: Audit, how: Callable[[bytes], bytes], at: int = 0) -> str:
    name = audit.table.parts[at].facts.rows.name
    path = Path(audit.table.folder) / name
    path.write_bytes(how(path.read_bytes()))
    return name


def flip(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


def first_page(raw: bytes) -> int:
    """A byte of the page that follows the first header."""
    return 4 + 4 + int.from_bytes(raw[4:8], "little") + 4 + 12


def test_a_table_that_nobody_changed_has_no_damage(engine: Engine, place: Any) -> None:
    assert engine.audit(audit_of(place)) == ()


def test_a_changed_page_is_named_with_its_part_and_column(engine: Engine, fresh: Any) -> None:
    audit = audit_of(fresh)
    name = change(audit, lambda raw: flip(raw, first_page(raw)))

    (one,) = engine.audit(audit)

    assert one.file == name
    assert one.column in audit.table.parts[0].keys
    assert one.spot in (Spot(Module.DATA_PAGE, 0, 0, 0), Spot(Module.DICTIONARY_PAGE, 0, 0))
    assert str(one).startswith(f"{name}, column {one.column}: ")
    assert str(one).endswith("in row group 1")


def test_the_units_are_gone_through_as_the_rows_are(engine: Engine, fresh: Any) -> None:
    audit = audit_of(fresh)
    units = audit.table.parts[0].facts.units.name
    path = Path(audit.table.folder) / units
    path.write_bytes(flip(path.read_bytes(), first_page(path.read_bytes())))

    (one,) = engine.audit(audit)

    assert one.file == units
    assert one.column in UNITS_FILE_COLUMNS


def test_a_changed_header_is_named_as_one(engine: Engine, fresh: Any) -> None:
    audit = audit_of(fresh)
    change(audit, lambda raw: flip(raw, 4 + 4 + 12))

    (one,) = engine.audit(audit)

    assert one.spot is not None
    assert one.spot.module in (Module.DATA_HEADER, Module.DICTIONARY_HEADER)


def test_a_part_that_is_another_file_is_named_whole(engine: Engine, fresh: Any) -> None:
    audit = audit_of(fresh)
    name = change(audit, lambda raw: flip(raw, len(raw) - footer_length(raw[-8:]) + 40))

    assert engine.audit(audit) == (Finding(name, "", None),)


def test_filler_is_nobodys(engine: Engine, fresh: Any) -> None:
    """What is not authenticated is not read either."""
    audit = audit_of(fresh)
    change(audit, lambda raw: flip(raw, len(raw) - footer_length(raw[-8:]) - 5))

    assert engine.audit(audit) == ()


def test_every_damage_is_told_and_not_the_first_alone(fresh: Any) -> None:
    audit = audit_of(fresh)
    names = {change(audit, lambda raw: flip(raw, first_page(raw)), at) for at in (0, 1)}

    listed = audit.findings(json.dumps(found(audit)).encode())

    assert {one.file for one in listed} == names


@pytest.mark.parametrize(
    "raw",
    [
        [["elsewhere.parquet", "ward", None]],
        [["", "ward", None]],
        [["PART", "a value", [2, 0, 0, 0]]],
        [["PART", "ward", [99, 0, 0, 0]]],
        [["PART", "ward", [2, 0, 0, 1 << 40]]],
        [["PART", "ward", [2, 0, 0, "x"]]],
        [["PART", "ward", [2, 0, 0, True]]],
        [["PART", "ward"]],
        {"PART": 1},
        7,
    ],
)
def test_a_child_that_says_something_else_is_not_believed(place: Any, raw: Any) -> None:
    audit = audit_of(place)
    text = json.dumps(raw).replace("PART", audit.table.parts[0].facts.rows.name)

    with pytest.raises((ValueError, TypeError, LookupError)):
        audit.findings(text.encode())


def test_an_audit_is_read_back_and_nothing_else_is_one(place: Any) -> None:
    audit = audit_of(place)
    assert Audit.decode(audit.encode()) == audit
    assert Audit.is_encoded(audit.encode())
    job = place.job(place.plan(Measure(MeasureKind.ROWS)))
    assert not Audit.is_encoded(job.encode())
    for raw in (job.encode(), b"{}", b"", audit.encode()[:-1], b'{"audit": 1, "dataset": 1}'):
        with pytest.raises(ValueError, match="not an audit"):
            Audit.decode(raw)
