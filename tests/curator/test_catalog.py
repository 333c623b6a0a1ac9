"""What is stored, inside the curator: who may ask, what is exact before a charge, what is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from privlab.connector.modules import Module
from privlab.connector.parts import footer_length
from privlab.connector.reader import Reader
from privlab.curator import catalog
from privlab.errors import CuratorFailed, EngineFailed, PolicyDenied, PrivlabError
from privlab.terms.principal import Role
from privlab.wire.catalog import Checked, CheckedAll, SourceOf
from tests.curator.conftest import Inside, question

SUMS = "SELECT ward, SUM(stay_days) AS d FROM visits GROUP BY ward"


def parts(inside: Inside, version: int = 1) -> list[Path]:
    folder = inside.desk.workspace.table_folder("clinic", "visits", version)
    return sorted(folder.glob("rows-*.parquet"))


def check(inside: Inside) -> Checked:
    (one,) = catalog.checked(inside.desk, inside.who, "visits").tables
    return one


def refused(inside: Inside) -> str:
    """The code of a refusal that spent nothing."""
    before = inside.spent()
    with pytest.raises(PrivlabError) as caught:
        inside.answer(question(SUMS, name="a-question-of-damage"))
    assert inside.spent() == before
    return caught.value.code


def test_an_owner_alone_sees_and_verifies(inside: Inside) -> None:
    analyst = replace(inside.who, name="eve", roles=frozenset({Role.ANALYST, Role.STEWARD}))
    for ask in (catalog.stored, catalog.checked):
        with pytest.raises(PolicyDenied):
            ask(inside.desk, analyst, "visits")
    source = SourceOf(table="visits", source="0" * 64)
    with pytest.raises(PolicyDenied):
        catalog.came_from(inside.desk, analyst, source)
    assert catalog.came_from(inside.desk, inside.who, source).brought == ()
    assert catalog.stored(inside.desk, inside.who, "").tables[0].version == 1
    assert isinstance(catalog.checked(inside.desk, inside.who, "visits"), CheckedAll)


def test_a_part_of_another_bucket_is_refused_and_named(inside: Inside) -> None:
    first, second, *_ = parts(inside)
    first.write_bytes(second.read_bytes())
    assert refused(inside) == "PL402"
    assert check(inside).damage[0].startswith(f"{first.name}: PL402")


def test_a_part_of_another_version_is_refused_and_named(inside: Inside) -> None:
    """The same rows of the same bucket, under the keys and the name of the version before."""
    inside.register(inside.next_version())
    old, new = parts(inside, 1)[0], parts(inside, 2)[0]
    assert old.name == new.name
    shutil.copy(old, new)
    assert refused(inside) == "PL402"
    assert check(inside).damage[0].startswith(f"{new.name}: PL402")


def test_an_earlier_version_in_place_of_the_newest_is_a_roll_back(inside: Inside) -> None:
    inside.register(inside.next_version())
    folder = inside.desk.workspace.table_folder("clinic", "visits", 2)
    shutil.rmtree(folder)
    assert refused(inside) == "PL402"
    assert check(inside).damage[0].startswith("PL405")
    shutil.copytree(inside.desk.workspace.table_folder("clinic", "visits", 1), folder)
    assert check(inside).damage[0].startswith("PL401")


@pytest.mark.parametrize("reader", Reader)
def test_a_changed_page_is_the_uniform_failure_and_exact_for_the_owner_alone(
    inside: Inside, reader: Reader
) -> None:
    inside.desk.workspace = replace(inside.desk.workspace, reader=reader)
    for path in parts(inside):
        raw = bytearray(path.read_bytes())
        end = len(raw) - footer_length(bytes(raw[-8:]))
        for at in range(100, end, 64):
            raw[at] ^= 1
        path.write_bytes(bytes(raw))
    before = inside.spent()

    with pytest.raises(EngineFailed) as caught:
        inside.answer(question(SUMS))

    assert str(caught.value) == str(EngineFailed())
    assert inside.spent() > before
    damage = check(inside).damage
    assert {line.split(",")[0] for line in damage} == {path.name for path in parts(inside)}
    assert any("column stay_days: " in line for line in damage)


def test_an_engine_that_fails_says_nothing_of_a_charge(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, __: object) -> None:
        raise EngineFailed

    monkeypatch.setattr(type(inside.desk.engine), "audit", fail)
    with pytest.raises(CuratorFailed):
        check(inside)


def test_every_kind_of_module_has_words() -> None:
    from privlab.connector.modules import _WORDS

    assert set(_WORDS) == set(Module)
