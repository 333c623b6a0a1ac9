"""More rows, fewer units: the next version holds exactly them, and no budget comes back."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privlab.client.owner import keys_message, parts_message
from privlab.connector.bucket import open_bucket
from privlab.connector.contract import parse
from privlab.connector.manifest import MANIFEST_FILE, Manifest
from privlab.connector.protect import protect
from privlab.connector.pseudonyms import pseudonym
from privlab.curator import catalog, succession
from privlab.errors import PrivlabError
from privlab.wire.catalog import SourceOf
from privlab.wire.owner import Append, Forget, PrepareAppend, PrepareForget
from tests.conftest import CANARY_TEXT, VISITS
from tests.curator.conftest import Inside, question

OLD = f"{CANARY_TEXT}-1"
"""A patient of version 1."""


def refusal(act: Callable[[], Any]) -> PrivlabError:
    with pytest.raises(PrivlabError) as caught:
        act()
    return caught.value


def rows(inside: Inside, version: int | None = None) -> pl.DataFrame:
    """All rows of a version, each with its pseudonym, in the order they are stored."""
    manifest = inside.desk.registered.manifests["clinic", "visits"]
    if version is not None:
        folder = inside.desk.workspace.table_folder("clinic", "visits", version)
        manifest = Manifest.load(folder / MANIFEST_FILE, inside.desk.signer.public)
    folder = inside.desk.workspace.table_folder("clinic", "visits", manifest.version)
    manifest.verify_parts(folder)
    table = manifest.described()
    names = [c.name for c in table.columns if c.name != table.unit]
    keys = manifest.data_keys(names, inside.desk.custody)
    return pl.concat(
        open_bucket(folder, "clinic", "visits", part, keys[part.bucket]).with_ids()
        for part in manifest.parts
    ).collect()


def more(inside: Inside, count: int = 40, first: str = "n") -> Path:
    """A file of new rows: ids are ``first`` and a number, the first one a patient there is."""
    frame = pl.DataFrame(
        {
            "patient_id": [OLD, *(f"{first}{n}" for n in range(count - 1))],
            "ward": "surgery",
            "age": 50,
            "stay_days": 2.5,
            "amount": 7,
        }
    )
    contract = parse(VISITS)
    there = {c.name for c in contract.stated.columns}
    frame = frame.with_columns(
        pl.lit(None).alias(name) for name in sorted(there - set(frame.columns))
    )
    file = inside.folder / "more.parquet"
    frame.write_parquet(file)
    return file


def delta(inside: Inside, file: Path) -> Append:
    got = succession.prepare_append(inside.desk, inside.who, PrepareAppend(table="visits"))
    prepared = got.prepared
    done = protect(
        file,
        parse(got.contract),
        version=prepared.version,
        unit_key=base64.b64decode(prepared.unit_key),
        order_key=base64.b64decode(prepared.order_key),
        folder=Path(prepared.folder),
    )
    return Append(
        table="clinic.visits",
        version=prepared.version,
        parts=parts_message(done.parts),
        keys=keys_message(done.keys),
    )


def units(inside: Inside, *ids: str) -> Forget:
    got = succession.prepare_forget(inside.desk, inside.who, PrepareForget(dataset="clinic"))
    key = base64.b64decode(got.unit_key)
    named = tuple(base64.b64encode(pseudonym(key, one)).decode() for one in ids)
    return Forget(dataset="clinic", tables=dict.fromkeys(got.tables, named))


def content(frame: pl.DataFrame) -> Counter[Any]:
    return Counter(frame.rows())


def halves(inside: Inside, unit: str) -> tuple[int, int]:
    raw = pseudonym(inside.desk.custody.derive("unit", "clinic"), unit)
    return int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big")


def left_over(inside: Inside) -> list[str]:
    table = inside.desk.workspace.table_folder("clinic", "visits", 1).parent
    return sorted(path.name for path in table.iterdir() if path.name.startswith("."))


def test_a_version_with_more_rows_holds_the_old_ones_and_the_new(inside: Inside) -> None:
    before = rows(inside)

    done = succession.append(inside.desk, inside.who, delta(inside, more(inside)))

    after = rows(inside)
    assert done.version == 2
    assert after.height == before.height + 40
    added = content(after) - content(before)
    assert content(before) - content(after) == Counter()
    assert sum(added.values()) == 40
    assert {row[after.columns.index("amount")] for row in added} == {7}
    ids = after.select(after.columns[:2])
    assert ids.equals(ids.sort(ids.columns))
    assert ids.n_unique() == before.select(ids.columns).n_unique() + 39
    assert left_over(inside) == []


def test_what_was_spent_stays_spent_after_an_append_and_a_forget(inside: Inside) -> None:
    inside.answer(question(share="0.1", name="before-it-all"))
    spent = inside.spent()
    assert spent > 0

    succession.append(inside.desk, inside.who, delta(inside, more(inside)))
    assert inside.spent() == spent
    succession.forget(inside.desk, inside.who, units(inside, "n1"))
    assert inside.spent() == spent
    inside.answer(question(share="0.1", name="after-it-all"))
    assert inside.spent() > spent
    kept = inside.desk.ledger.bundle(inside.who.name, "before-it-all")
    assert kept is not None  # a release stays


def test_more_rows_than_the_cap_are_refused_and_change_nothing(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(inside)
    body = delta(inside, more(inside))
    asked: list[Any] = []
    real = inside.desk.engine.rewrite

    def capped(job: Any) -> Any:
        from dataclasses import replace

        asked.append(job)
        return real(replace(job, contract=job.contract.replace("4_000_000", "3_010")))

    monkeypatch.setattr(inside.desk.engine, "rewrite", capped)
    error = refusal(lambda: succession.append(inside.desk, inside.who, body))

    assert error.code == "PL151"
    assert "row_cap" in str(error)
    assert asked
    assert inside.desk.ledger.versions()["clinic", "visits"] == 1
    assert rows(inside).equals(before)
    assert left_over(inside) == []


def test_forgotten_units_are_gone_and_everybody_else_is_there(inside: Inside) -> None:
    succession.append(inside.desk, inside.who, delta(inside, more(inside)))
    before = rows(inside)
    gone = [halves(inside, one) for one in (OLD, "n3", "nobody at all")]

    done = succession.forget(inside.desk, inside.who, units(inside, OLD, "n3", "nobody at all"))

    after = rows(inside)
    expected = Counter(row for row in before.rows() if row[:2] not in gone)
    assert done.versions == {"visits": 3}
    assert 0 < before.height - expected.total() < 10
    assert content(after) == expected
    assert left_over(inside) == []


def test_parts_that_hold_none_of_them_are_the_same_files(inside: Inside) -> None:
    high, _ = halves(inside, OLD)
    manifest = inside.desk.registered.manifests["clinic", "visits"]
    count = len(manifest.parts)
    assert count > 1
    own = high * count >> 64

    succession.forget(inside.desk, inside.who, units(inside, OLD))

    made = inside.desk.registered.manifests["clinic", "visits"]
    assert [part.written for part in made.parts] == [2 if n == own else 1 for n in range(count)]
    folders = [inside.desk.workspace.table_folder("clinic", "visits", n) for n in (1, 2)]
    for part in made.parts:
        for file in part.files:
            same = os.path.samefile(folders[0] / file.name, folders[1] / file.name)
            assert same is (part.bucket != own)
    assert {part.rows.size for part in made.parts} == {part.rows.size for part in manifest.parts}


def test_no_earlier_version_opens_where_they_were(inside: Inside) -> None:
    """Nor does a copy of everything but the keychain."""
    high, _ = halves(inside, OLD)
    old = inside.desk.registered.manifests["clinic", "visits"]
    own = high * len(old.parts) >> 64
    old.unwrapped(["age"], inside.desk.custody)

    succession.forget(inside.desk, inside.who, units(inside, OLD))

    assert refusal(lambda: old.data_keys(["age"], inside.desk.custody)).code == "PL411"
    gone = inside.desk.custody.gone()
    assert [(place.version, place.column) for place in gone] == [(1, f"privlab_bucket_{own:04d}")]
    assert rows(inside).height > 0


def test_the_record_names_versions_and_no_unit(inside: Inside) -> None:
    succession.forget(inside.desk, inside.who, units(inside, OLD))

    entries = [e for e in inside.desk.ledger.entries(100) if e.action == "forget"]
    assert len(entries) == 1
    assert "visits 2 (1 parts)" in entries[0].subject
    assert OLD not in entries[0].subject
    raw = pseudonym(inside.desk.custody.derive("unit", "clinic"), OLD)
    assert raw.hex() not in entries[0].subject


def test_what_the_ledger_holds_for_shredded_is_destroyed_at_the_next_start(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the entry and the keychain."""
    from privlab.curator import keys

    def killed(*_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(succession.keys, "destroy", killed)
    with pytest.raises(KeyboardInterrupt):
        succession.forget(inside.desk, inside.who, units(inside, OLD))
    assert inside.desk.custody.gone() == ()
    assert inside.desk.ledger.versions()["clinic", "visits"] == 2

    keys.finish(inside.desk)

    assert [place.version for place in inside.desk.custody.gone()] == [1]
    inside.desk.reload()
    assert halves(inside, OLD) not in set(rows(inside).select(pl.first(), pl.nth(1)).rows())


def test_the_lineage_of_a_table_is_all_that_brought_rows(inside: Inside) -> None:
    first, second = "1" * 64, "2" * 64
    inside.register(inside.next_version().model_copy(update={"tool": "one", "source": first}))
    body = delta(inside, more(inside)).model_copy(update={"tool": "two", "source": second})
    succession.append(inside.desk, inside.who, body)
    succession.forget(inside.desk, inside.who, units(inside, OLD))

    (table,) = catalog.stored(inside.desk, inside.who, "visits").tables
    assert [(one.version, one.tool) for one in table.lineage] == [(2, "one"), (3, "two")]
    for source, brought in ((first, (2,)), (second, (3,)), ("3" * 64, ())):
        asked = SourceOf(table="visits", source=source)
        assert catalog.came_from(inside.desk, inside.who, asked).brought == brought
