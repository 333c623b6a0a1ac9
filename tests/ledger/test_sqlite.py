"""The file: its modes, its lock, and what is refused at the door."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from privlab.errors import BadContract, IntegrityError
from privlab.ledger.ledger import Ledger
from privlab.ledger.sqlite import Database, require_sqlite

from .conftest import Ask, Clock


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database.open(path)
    yield opened
    opened.close()


def test_the_modes_that_make_a_commit_durable_are_on(database: Database) -> None:
    """With NORMAL instead of FULL, a power cut is a refund."""
    modes = {
        name: database.rows(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "locking_mode", "foreign_keys")
    }

    assert modes == {
        "journal_mode": "wal",
        "synchronous": 2,
        "locking_mode": "exclusive",
        "foreign_keys": 1,
    }


def test_the_file_is_its_owners_alone(database: Database, path: Path) -> None:
    """The write-ahead log too."""
    files = list(path.parent.iterdir())

    assert len(files) >= 1
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0"])
def test_a_sqlite_that_can_lose_commits_is_refused(version: str) -> None:
    """The WAL-reset bug: 3.7.0 to 3.51.2."""
    with pytest.raises(BadContract) as caught:
        require_sqlite(version)
    assert caught.value.code == "PL152"


def test_the_sqlite_of_this_environment_is_new_enough() -> None:
    """apsw carries its own; the boundary itself is allowed."""
    require_sqlite(apsw.sqlite_lib_version())
    require_sqlite("3.51.3")


def test_a_second_curator_cannot_open_the_ledger(ledger: Ledger, path: Path, clock: Clock) -> None:
    """Two writers would each believe their own sums."""
    with pytest.raises(BadContract) as caught:
        Ledger.open(path, clock=clock)
    assert caught.value.code == "PL152"
    assert "another curator" in caught.value.what
    # From another process: locks of one process never exclude each other.
    code = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM cap')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert "database is locked" in done.stderr


def test_a_ledger_can_be_closed_twice_and_opened_again(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    """What was there is there."""
    ledger.close()
    ledger.close()

    again = Ledger.open(path, clock=clock)
    assert again.cap("clinic") is not None
    again.close()


def test_an_empty_file_becomes_a_ledger(path: Path, clock: Clock) -> None:
    """A crash between creating the file and its tables is mended by the next start."""
    path.touch()
    ledger = Ledger.open(path, clock=clock)
    assert ledger.sequence() == 0
    ledger.close()


def test_another_database_is_not_touched(path: Path, clock: Clock) -> None:
    """Nor one of a later version."""
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cap (dataset)")
    other.commit()
    other.close()

    with pytest.raises(BadContract) as caught:
        Ledger.open(path, clock=clock)
    assert caught.value.code == "PL152"


@pytest.mark.parametrize("damage", ["text", "cut", "flipped"])
def test_a_damaged_file_is_refused(ledger: Ledger, path: Path, clock: Clock, damage: str) -> None:
    """Before anything is answered from it."""
    ledger.close()
    content = bytearray(path.read_bytes())
    match damage:
        case "text":
            content[:] = b"not a database at all" * 100
        case "cut":
            del content[len(content) // 2 :]
        case _:
            for at in range(4096, len(content), 4096):
                content[at] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(IntegrityError) as caught:
        Ledger.open(path, clock=clock)
    assert caught.value.code == "PL400"


def test_sums_that_do_not_add_up_are_refused(
    ledger: Ledger, ask: Ask, path: Path, clock: Clock
) -> None:
    """Somebody dropped a trigger and gave ana her budget back."""
    ledger.charge(ask())
    ledger.close()
    other = apsw.Connection(str(path))
    other.execute("DROP TRIGGER account_is_never_refilled")
    other.execute("UPDATE account SET spent = 0 WHERE principal = 'ana'")
    other.close()

    with pytest.raises(IntegrityError) as caught:
        Ledger.open(path, clock=clock)
    assert caught.value.code == "PL400"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, clock: Clock) -> None:
    """In words, not as a traceback."""
    with pytest.raises(BadContract) as caught:
        Ledger.open(tmp_path / "none" / "ledger.sqlite", clock=clock)
    assert caught.value.code == "PL152"


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    """What raises inside undoes everything, an inner block joins the outer one."""
    text = "INSERT INTO dataset VALUES (?, 'unit', 'gdp')"

    def interrupted() -> None:
        with database.writing():
            database.execute(text, ("one",))
            with database.writing():
                database.execute(text, ("two",))
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert database.rows("SELECT * FROM dataset") == []
    with database.writing():
        database.execute(text, ("one",))
    assert database.row("SELECT name FROM dataset") == ("one",)


def test_a_full_disk_is_no_answer(path: Path) -> None:
    """The write that does not fit is undone, and says so without SQLite's words."""
    database = Database.open(path)
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(IntegrityError) as caught, database.writing():
        database.execute("INSERT INTO dataset VALUES (?, ?, ?)", ("x" * 100_000, "unit", "gdp"))

    assert caught.value.code == "PL406"
    assert database.rows("SELECT * FROM dataset") == []
    database.close()


def test_a_ledger_whose_triggers_were_dropped_is_not_opened(tmp_path: Path) -> None:
    """A charge spends by a trigger: without it answers would be free."""
    path = tmp_path / "ledger.sqlite"
    Database.open(path).close()
    tampered = apsw.Connection(str(path))
    (name,) = next(tampered.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"))
    tampered.execute(f"DROP TRIGGER {name}")
    tampered.close()

    with pytest.raises(IntegrityError) as refusal:
        Database.open(path)

    assert refusal.value.code == "PL400"
