"""After a shredding: no scan, no key, no stored answer, no charge; and the losses stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from privlab.connector import durable
from privlab.connector.keys import Custody, Place
from privlab.connector.manifest import Manifest
from privlab.curator import answer, keys, state
from privlab.curator.boot import open_desk
from privlab.curator.desk import Desk
from privlab.curator.workspace import load
from privlab.engine.handle import Engine
from privlab.errors import BadQuery, IntegrityError, PolicyDenied, PrivlabError
from privlab.ledger.ledger import Ledger
from privlab.terms.principal import Role
from privlab.wire.keys import KeyDeed, Rotate, Shred
from tests.conftest import PLAIN, VISITS
from tests.connector.steps import Steps, killed
from tests.curator.conftest import Inside, question

AGES = "SELECT SUM(age) AS s FROM visits"
COUNTS = "SELECT COUNT(*) AS n FROM visits"


def refusal(act: Callable[[], object]) -> PrivlabError:
    with pytest.raises(PrivlabError) as caught:
        act()
    return caught.value


def deeds(desk: Desk) -> list[tuple[str, str, str]]:
    """Action, actor and subject of what was done with keys, oldest first."""
    found = [(e.action, e.actor, e.subject) for e in desk.ledger.entries(100)]
    return [entry for entry in reversed(found) if entry[0].startswith("key-")]


def reopened(inside: Inside, engine: Engine) -> Inside:
    """The same workspace, at the next start."""
    inside.desk.ledger.close()
    desk = open_desk(load(inside.folder), engine)
    inside.desk = desk
    return inside


def shred(inside: Inside, scope: str | None) -> tuple[str, ...]:
    return keys.shred(inside.desk, inside.who, Shred(scope=scope)).gone


def test_a_shredded_column_is_refused_before_any_charge(inside: Inside, engine: Engine) -> None:
    asked = question(AGES, name="asked-before-x")
    inside.answer(asked)
    spent = inside.spent()

    assert shred(inside, "clinic.visits:age") == ("clinic.visits@1:age",)

    for _ in range(2):
        for again in (
            asked,
            question(AGES, name="asked-after-x"),
            question(AGES, "9", name="asked-finer-x"),
        ):
            told = refusal(partial(inside.answer, again))
            assert told.code == "PL411"
            assert "column age of clinic.visits version 1" in told.what
        assert (
            refusal(partial(state.bundle, inside.desk, inside.who, "asked-before-x")).code
            == "PL411"
        )
        assert inside.spent() == spent, "what it cost stays, and no more is charged"
        inside = reopened(inside, engine)


@pytest.mark.parametrize(
    "scope", ["clinic", "clinic.visits", "clinic.visits@1", "clinic.visits:age"]
)
def test_what_was_shredded_has_no_price(inside: Inside, scope: str) -> None:
    """An explanation is refused as the question is; what is left has its price."""
    before = answer.explain(inside.desk, inside.who, question(COUNTS))
    shred(inside, scope)

    told = refusal(lambda: answer.explain(inside.desk, inside.who, question(AGES)))

    assert told.code == "PL411"
    if scope == "clinic.visits:age":
        assert answer.explain(inside.desk, inside.who, question(COUNTS)) == before
    else:
        told = refusal(lambda: answer.explain(inside.desk, inside.who, question(COUNTS)))
        assert told.code == "PL411"


def test_other_columns_are_asked_as_before(inside: Inside) -> None:
    first = inside.answer(question(COUNTS, name="asked-first-x"))

    shred(inside, "clinic.visits:age")

    again = inside.answer(question(COUNTS, name="asked-second-x"))
    assert again.bundle == first.bundle
    assert again.receipt.free
    spent = inside.spent()
    inside.answer(question(COUNTS, "9", name="asked-finer-x"))
    assert inside.spent() > spent


@pytest.mark.parametrize("scope", ["clinic", "clinic.visits", "clinic.visits@1"])
def test_a_shredded_version_is_refused_whatever_is_asked(inside: Inside, scope: str) -> None:
    inside.answer(question(COUNTS, name="asked-before-x"))

    words = ("clinic: questions of " + inside.desk.clock().strftime("%Y-%m"),)
    assert shred(inside, scope) == ("clinic.visits@1", *(words if scope == "clinic" else ()))

    for ask in (
        question(COUNTS, name="asked-before-x"),
        question(COUNTS, name="asked-a-x"),
        question(AGES, name="asked-b-x"),
    ):
        assert refusal(lambda ask=ask: inside.answer(ask)).code == "PL411"
    assert [e.cost.units > 0 for e in inside.desk.ledger.history(inside.who.name, 9)] == [True]


def test_a_new_version_is_asked_and_the_old_one_stays_gone(inside: Inside) -> None:
    inside.answer(question(AGES, name="asked-before-x"))
    shred(inside, "clinic.visits:age")

    inside.register(inside.next_version())

    inside.answer(question(AGES, name="asked-anew-x"))
    assert refusal(lambda: state.bundle(inside.desk, inside.who, "asked-before-x")).code == "PL411"
    assert Place("clinic", "visits", 2, "age") in inside.desk.custody.places()


def test_the_key_cannot_be_unwrapped_also_from_backups(inside: Inside, tmp_path: Path) -> None:
    """From the folder and the ledger of before, with the master of after."""
    backup = tmp_path / "backup"
    inside.answer(question(AGES, name="asked-before-x"))
    row = inside.desk.ledger._db.row("SELECT source, bundle FROM release")
    shutil.copytree(inside.folder, backup)
    shred(inside, "clinic.visits:age")
    assert row is not None

    for folder in (inside.folder, backup):
        shutil.copy(inside.folder / "keys" / "master.key", folder / "keys" / "other")
    (inside.folder / "keys" / "other").replace(backup / "keys" / "master.key")
    assert refusal(lambda: Custody.open(PLAIN, base=backup)).code == "PL412"
    manifest = Manifest.load(
        backup / "tables/clinic/visits/1/manifest.json", inside.desk.signer.public
    )
    assert refusal(lambda: manifest.data_keys(["age"], inside.desk.custody)).code == "PL411"
    assert set(manifest.data_keys(["ward"], inside.desk.custody)[0]) >= {"ward"}
    assert (
        refusal(lambda: inside.desk.ledger.rest.unseal(row[0], "bundle 1", row[1])).code == "PL411"
    )


def test_every_deed_is_in_the_record_and_the_ledger_still_verifies(
    inside: Inside, engine: Engine
) -> None:
    keys.rotate(inside.desk, inside.who, Rotate())
    shred(inside, "clinic.visits:age")
    keys.noted(inside.desk, inside.who, KeyDeed(deed="key-recovery-kit"))
    me = inside.who.name

    inside = reopened(inside, engine)

    assert deeds(inside.desk) == [
        ("key-rotate", me, ""),
        ("key-shred", me, "clinic.visits:age"),
        ("key-shred-proved", me, "clinic.visits:age"),
        ("key-recovery-kit", me, ""),
    ]
    assert inside.desk.ledger.keychain_generation() == inside.desk.custody.generation
    raw = b"".join(f.read_bytes() for f in inside.folder.glob("ledger.sqlite*"))
    assert inside.desk.custody.master() not in raw
    assert all(key not in raw for key in inside.desk.custody._chain.keys.values())


def test_a_list_says_what_there_is_and_no_key(inside: Inside) -> None:
    shred(inside, "clinic.visits:age")

    told = keys.listed(inside.desk, inside.who)

    (one,) = told.tables
    assert (told.custody, one.dataset, one.table, one.version) == ("plain", "clinic", "visits", 1)
    assert one.shredded == ("age",)
    assert set(one.columns) == {"ward", "stay_days", "amount", "weight", "visited_on", "notes"}
    assert one.keep_until == ""


@pytest.mark.parametrize(
    "scope", ["hospital", "clinic.x", "clinic.visits@9", "clinic.visits:x", "clinic.visits:",
              "clinic.visits:privlab_unit_hi", "../x", "clinic.visits@1@2", "CLINIC"],
)  # fmt: skip
def test_a_scope_that_names_nothing_shreds_nothing(inside: Inside, scope: str) -> None:
    before = inside.desk.custody.generation

    assert refusal(lambda: shred(inside, scope)).code == "PL112"

    assert inside.desk.custody.generation == before
    assert deeds(inside.desk) == []


def test_saying_what_would_go_changes_nothing(inside: Inside) -> None:
    told = keys.shred(inside.desk, inside.who, Shred(scope="clinic", dry=True))

    assert told.gone == ("clinic.visits@1",)
    assert deeds(inside.desk) == []
    inside.answer(question(COUNTS))


def test_a_rotation_on_schedule_waits_until_it_is_time(inside: Inside) -> None:
    start = inside.desk.clock()
    assert not keys.rotate(inside.desk, inside.who, Rotate(older_than_days=90)).done
    inside.desk.clock = lambda: start + timedelta(days=91)

    assert keys.rotate(inside.desk, inside.who, Rotate(older_than_days=90)).done

    assert not keys.rotate(inside.desk, inside.who, Rotate(older_than_days=90)).done
    inside.answer(question(COUNTS))


def test_a_rotation_rewrites_no_manifest_no_part_and_no_answer(inside: Inside) -> None:
    sent = inside.answer(question(COUNTS, name="asked-kept-x"))
    tables = {p: p.read_bytes() for p in inside.desk.workspace.tables.rglob("*") if p.is_file()}
    rows = inside.desk.ledger._db.rows("SELECT * FROM release")

    keys.rotate(inside.desk, inside.who, Rotate())

    assert {p: p.read_bytes() for p in tables} == tables
    assert inside.desk.ledger._db.rows("SELECT * FROM release") == rows
    assert inside.answer(question(COUNTS, name="asked-kept-x")) == sent


def test_who_is_no_owner_does_nothing_with_keys(inside: Inside) -> None:
    analyst = replace(inside.who, name="eve", roles=frozenset({Role.ANALYST, Role.STEWARD}))

    for act in (
        lambda: keys.listed(inside.desk, analyst),
        lambda: keys.rotate(inside.desk, analyst, Rotate()),
        lambda: keys.shred(inside.desk, analyst, Shred(scope="clinic")),
        lambda: keys.shred(inside.desk, analyst, Shred()),
        lambda: keys.noted(inside.desk, analyst, KeyDeed(deed="key-recovery-kit")),
    ):
        with pytest.raises(PolicyDenied):
            act()
    assert deeds(inside.desk) == []


KEPT = VISITS.replace("synthetic = true", "synthetic = true\nretention_days = 30")


def test_what_is_past_its_retention_goes_by_the_calendar(inside: Inside, engine: Engine) -> None:
    inside.register(inside.next_version(KEPT))
    start = inside.desk.clock()
    assert keys.listed(inside.desk, inside.who).tables[1].keep_until
    inside.desk.clock = lambda: start + timedelta(days=29)
    assert keys.retire(inside.desk).gone == ()
    inside.desk.clock = lambda: start + timedelta(days=30, seconds=1)
    dry = keys.shred(inside.desk, inside.who, Shred(dry=True))

    assert keys.retire(inside.desk).gone == dry.gone == ("clinic.visits@2",)

    assert refusal(lambda: inside.answer(question(COUNTS))).code == "PL411"
    assert {actor for _, actor, _ in deeds(inside.desk)} == {"retention"}
    assert keys.retire(inside.desk).gone == ()
    assert [p for p in inside.desk.custody.places() if p.version == 1], "no end is stated there"


def test_a_sealing_that_comes_after_a_shredding_gives_no_answer(inside: Inside) -> None:
    """The charge stands, as of any computation that gave none."""
    from tests.curator.conftest import Acting

    inside.desk.engine = Acting(inside.desk.engine, lambda: shred(inside, "clinic.visits:age"))

    told = refusal(lambda: inside.answer(question(AGES)))

    assert told.code == "PL411"
    assert inside.spent() > 0
    assert inside.desk.ledger._db.rows("SELECT 1 FROM release") == []


@pytest.fixture
def stepped() -> Iterator[Callable[[Steps], None]]:
    """Makes the ledger's deeds steps too, in a child that ends soon."""

    def patch(steps: Steps) -> None:
        durable.os = steps  # type: ignore[attr-defined]
        for name in ("shred", "key_deed"):
            setattr(Ledger, name, steps.counted("commit", getattr(Ledger, name)))

    return patch


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_kill_at_any_step_of_a_shredding_leaves_it_undone_or_done(
    inside: Inside, engine: Engine, stepped: Callable[[Steps], None], how: str, tmp_path: Path
) -> None:
    """Once the ledger remembers it, the next start ends it."""
    inside.desk.ledger.close()
    place, ends = Place("clinic", "visits", 1, "age"), set()
    for at in range(1, 200):
        folder = tmp_path / f"{how}-{at}"
        shutil.copytree(inside.folder, folder)

        def act(steps: Steps, folder: Path = folder) -> None:
            desk = open_desk(load(folder), engine)
            stepped(steps)
            keys.shred(desk, inside.who, Shred(scope="clinic.visits:age"))

        struck = killed(act, how, at)
        desk = open_desk(load(folder), engine)
        done = bool(desk.ledger.shredded())
        assert (place in desk.custody.places()) is not done
        assert len(desk.custody._stored.masters().by_name) == 1
        assert (refusal(lambda desk=desk: _key(desk)).code == "PL411") if done else _key(desk)
        ends.add(done)
        desk.ledger.close()
        if not struck:
            break
    else:
        raise AssertionError("it never ended")
    assert ends == {False, True}


def _key(desk: Desk) -> Any:
    return desk.registered.manifests["clinic", "visits"].data_keys(["age"], desk.custody)


def test_a_proof_that_fails_is_told(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Custody, "unwrap", lambda *_: b"k" * 32)

    told = refusal(lambda: shred(inside, "clinic.visits:age"))

    assert told.code == "PL404"
    assert "can still be read" in told.what
    assert "key-shred-proved" not in [name for name, _, _ in deeds(inside.desk)]


def test_keys_that_were_put_back_stop_the_start(inside: Inside, engine: Engine) -> None:
    old = {n: (inside.folder / "keys" / n).read_bytes() for n in ("keychain", "master.key")}
    shred(inside, "clinic.visits:age")
    inside.desk.ledger.close()
    for name, content in old.items():
        (inside.folder / "keys" / name).write_bytes(content)

    with pytest.raises(IntegrityError) as caught:
        open_desk(load(inside.folder), engine)

    assert caught.value.code == "PL412"


def test_a_long_scope_is_quoted_in_part(inside: Inside) -> None:
    with pytest.raises(BadQuery, match="is not a scope") as caught:
        shred(inside, "X" * 300)
    assert "X" * 81 not in caught.value.what
