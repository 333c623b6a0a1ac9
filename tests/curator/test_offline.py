"""A kit that was printed opens the workspace again; custody moves whole or not at all."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from privlab.connector.keys import Custody, Secrets
from privlab.connector.providers import passphrase
from privlab.curator import boot, keys, offline
from privlab.curator.boot import open_desk
from privlab.curator.workspace import load
from privlab.engine.handle import Engine
from privlab.errors import BadContract, IntegrityError, PrivlabError
from privlab.wire.keys import Rotate
from tests.conftest import PLAIN
from tests.curator.conftest import Inside, question

TYPED = Secrets.typed(lambda: b"correct horse battery staple")
SEALED = "file:keys/sealed.key"


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "WORK", passphrase.LEAST_WORK)


def reopened(inside: Inside, engine: Engine, given: Secrets | None = None) -> Inside:
    inside.desk.ledger.close()
    inside.desk = open_desk(load(inside.folder), engine, given)
    return inside


def test_a_kit_restores_a_workspace_whose_master_is_lost(inside: Inside, engine: Engine) -> None:
    first = inside.answer(question(name="asked-kept-x"))
    workspace = inside.desk.workspace
    kit = offline.recovery_kit(workspace, TYPED)
    inside.desk.ledger.close()
    (inside.folder / "keys" / "master.key").unlink()
    with pytest.raises(BadContract, match="no readable master key"):
        open_desk(workspace, engine)

    offline.restore(workspace, kit, TYPED)

    inside = reopened(inside, engine)
    assert inside.answer(question(name="asked-kept-x")) == first
    assert inside.desk.ledger.entries(1)[0].action == "key-restore"
    assert first.bundle
    assert inside.desk.signer.public.text in kit


def test_a_kit_says_what_it_opens_and_until_when(inside: Inside) -> None:
    kit = " ".join(offline.recovery_kit(inside.desk.workspace, TYPED).split())

    assert str(inside.folder) in kit
    assert "Without the folder they open nothing." in kit
    assert "until the next rotate, shred or move" in kit
    assert "privlab key restore" in kit


def test_a_kit_of_before_a_rotation_opens_no_more(inside: Inside) -> None:
    kit = offline.recovery_kit(inside.desk.workspace, TYPED)
    keys.rotate(inside.desk, inside.who, Rotate())
    inside.desk.ledger.close()
    (inside.folder / "keys" / "master.key").unlink()

    with pytest.raises(IntegrityError) as caught:
        offline.restore(inside.desk.workspace, kit, TYPED)

    assert caught.value.code == "PL404"


def test_a_kit_overwrites_nothing(inside: Inside) -> None:
    kit = offline.recovery_kit(inside.desk.workspace, TYPED)
    inside.desk.ledger.close()

    with pytest.raises(BadContract, match="something in this custody still"):
        offline.restore(inside.desk.workspace, kit, TYPED)


def test_custody_moves_from_a_plain_file_to_a_sealed_one(inside: Inside, engine: Engine) -> None:
    first = inside.answer(question(name="asked-kept-x"))
    inside.desk.ledger.close()
    before = (inside.folder / "privlab.toml").read_text()
    master = (inside.folder / "keys" / "master.key").read_bytes()

    assert offline.move(inside.desk.workspace, SEALED, TYPED, TYPED) == ""

    assert not (inside.folder / "keys" / "master.key").exists()
    after = (inside.folder / "privlab.toml").read_text()
    assert after == before.replace(PLAIN, SEALED)
    assert stat.S_IMODE((inside.folder / "privlab.toml").stat().st_mode) == 0o600
    with pytest.raises(PrivlabError):
        open_desk(load(inside.folder), engine, Secrets.found({}))
    inside = reopened(inside, engine, TYPED)
    assert inside.answer(question(name="asked-kept-x")) == first
    assert inside.desk.ledger.entries(1)[0].action == "key-move"
    assert master
    (inside.folder / "keys" / "master.key").write_bytes(master)
    (inside.folder / "keys" / "master.key").chmod(0o600)
    with pytest.raises(IntegrityError):
        Custody.open(PLAIN, base=inside.folder)


@pytest.mark.parametrize("step", ["write_private", "destroy"])
def test_a_move_that_is_cut_short_leaves_a_workspace_that_opens(
    inside: Inside, engine: Engine, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the settings are written: the old place; after: the new one."""
    inside.desk.ledger.close()

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "destroy":
            patch.setattr("privlab.connector.providers.plain.PlainFile.destroy", cut)
        else:
            patch.setattr(offline, "write_private", cut)
        with pytest.raises(KeyboardInterrupt):
            offline.move(inside.desk.workspace, SEALED, TYPED, TYPED)

    workspace = load(inside.folder)
    assert workspace.custody == (SEALED if step == "destroy" else PLAIN)
    inside = reopened(inside, engine, TYPED)
    inside.answer(question())


def test_a_place_that_is_taken_is_not_overwritten(inside: Inside, engine: Engine) -> None:
    inside.desk.ledger.close()
    (inside.folder / "keys" / "sealed.key").write_text("mine")

    with pytest.raises(BadContract, match="in the new custody already"):
        offline.move(inside.desk.workspace, SEALED, TYPED, TYPED)

    assert (inside.folder / "keys" / "sealed.key").read_text() == "mine"
    reopened(inside, engine)


@pytest.mark.parametrize(
    "line", ['x = 1\ncustody="plain:keys/master.key"', "custody = 'plain:keys/master.key' # kept"]
)
def test_settings_as_people_write_them_are_understood(
    inside: Inside, engine: Engine, line: str
) -> None:
    file = inside.folder / "privlab.toml"
    file.write_text(file.read_text().replace(f'custody = "{PLAIN}"', line))
    inside.desk.ledger.close()

    offline.move(load(inside.folder), SEALED, TYPED, TYPED)

    assert load(inside.folder).custody == SEALED


def test_settings_that_cannot_be_understood_stop_the_move(inside: Inside, engine: Engine) -> None:
    file = inside.folder / "privlab.toml"
    text = file.read_text().replace("[keys]\n", "").replace(f'custody = "{PLAIN}"\n', "")
    file.write_text(f'keys = {{ custody = "{PLAIN}" }}\n{text}')
    inside.desk.ledger.close()

    with pytest.raises(BadContract, match="line for custody"):
        offline.move(load(inside.folder), SEALED, TYPED, TYPED)

    reopened(inside, engine)
    assert not (inside.folder / "keys" / "sealed.key").exists()


def test_neither_is_done_while_a_curator_runs(inside: Inside, tmp_path: Path) -> None:
    kit = offline.recovery_kit(inside.desk.workspace, TYPED)

    with boot.only_one(inside.desk.workspace):
        for act in (
            lambda: offline.restore(inside.desk.workspace, kit, TYPED),
            lambda: offline.move(inside.desk.workspace, SEALED, TYPED, TYPED),
        ):
            with pytest.raises(BadContract, match="the curator is running"):
                act()
    shutil.rmtree(tmp_path / "nothing", ignore_errors=True)


def test_the_check_before_a_start_has_exact_words(inside: Inside) -> None:
    inside.desk.ledger.close()
    offline.move(inside.desk.workspace, SEALED, TYPED, TYPED)
    workspace = load(inside.folder)

    offline.check(workspace, TYPED)
    with pytest.raises(IntegrityError, match="the passphrase does not open"):
        offline.check(workspace, Secrets.typed(lambda: b"wrong"))
