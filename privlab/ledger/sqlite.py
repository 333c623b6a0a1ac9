"""One SQLite file, one connection, one lock: durable when a call returns.

The only module that knows SQLite.  Older libraries are refused: from 3.7.0 to
3.51.2 a checkpoint could lose committed transactions (sqlite.org, the WAL-reset
bug), and a lost charge is a refund.  The file stays locked while it is open, so
a second curator on one ledger is refused too.  (The lock is POSIX's: a process
that opens and closes its own ledger file by any other way gives the lock up.)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import apsw

from privlab.errors import BadContract, IntegrityError

OLDEST_SQLITE = (3, 51, 3)
APPLICATION_ID = 0x70764C31
VERSION = 3

_MODES = {
    "locking_mode": ("EXCLUSIVE", "exclusive"),
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "fullfsync": ("ON", 1),
    "checkpoint_fullfsync": ("ON", 1),
    "foreign_keys": ("ON", 1),
    "recursive_triggers": ("ON", 1),
    "trusted_schema": ("OFF", 0),
    "cell_size_check": ("ON", 1),
}
"""Each setting, and what SQLite must answer.  Without FULL a power cut refunds."""

_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"

Row = tuple[Any, ...]
Value = int | str | bytes


class Database:
    """A ledger file that is open, checked and ours alone."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.lock = threading.RLock()
        """Held by `writing`; hold it longer to keep memory and file in step."""

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open, or create with mode 0600.

        :raises BadContract: PL152, SQLite is too old, the file is locked by
            another curator or is not a ledger of this version.
        :raises IntegrityError: PL400, the file is damaged.
        """
        require_sqlite(apsw.sqlite_lib_version())
        _create(path)
        try:
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                return cls._prepare(connection)
            except BaseException:
                connection.close()
                raise
        except apsw.BusyError:
            raise BadContract(
                "the ledger is open in another curator",
                code="PL152",
                hint="one workspace has one curator: stop the other one, or ask through it",
            ) from None
        except (apsw.NotADBError, apsw.CorruptError):
            raise IntegrityError("the ledger file is damaged", hint=_RESTORE) from None
        except apsw.Error:
            raise BadContract("the ledger file cannot be opened", code="PL152") from None

    @classmethod
    def _prepare(cls, connection: apsw.Connection) -> Database:
        connection.set_busy_timeout(1000)
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)
        for name, (wanted, answer) in _MODES.items():
            connection.execute(f"PRAGMA {name} = {wanted}")
            if connection.pragma(name) != answer:
                raise BadContract(f"SQLite does not keep to {name} = {wanted}", code="PL152")
        self = cls(connection)
        schema = (files("privlab.ledger") / "schema.sql").read_text("utf-8")
        if not self.rows("SELECT 1 FROM sqlite_schema LIMIT 1"):
            with self.writing():
                connection.execute(schema)
        identity = connection.pragma("application_id"), connection.pragma("user_version")
        if identity != (APPLICATION_ID, VERSION):
            raise BadContract(
                f"this file is not a privlab ledger of version {VERSION}", code="PL152"
            )
        if self.rows(_SCHEMA) != _schema_of(schema):
            raise IntegrityError(
                "the ledger's tables or triggers are not those of this version",
                hint="the file was changed, or made by a test version: restore it; "
                "a demo is made anew by: privlab demo build",
            )
        if self.rows("PRAGMA quick_check(1)") != [("ok",)]:
            raise IntegrityError("the ledger file is damaged", hint=_RESTORE)
        return self

    def close(self) -> None:
        """Give the file back.  Safe to call twice."""
        with self.lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: durable when the block ends, undone when it raises.

        Inside another one it joins it: all or nothing.

        :raises IntegrityError: PL406, SQLite could not record it.
        """
        with self.lock:
            if self._connection.in_transaction:
                yield
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except apsw.Error:
                self._undo()
                raise IntegrityError(
                    "the ledger could not record this, so nothing was done",
                    code="PL406",
                    hint="look at the disk that holds the workspace, then send it again",
                ) from None
            except BaseException:
                self._undo()
                raise

    def execute(self, text: str, values: Sequence[Value] = ()) -> int:
        """Run one statement inside `writing`; how many rows it changed."""
        self._connection.execute(text, tuple(values))
        return self._connection.changes()

    def rows(self, text: str, values: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query.

        :raises IntegrityError: PL400, the file cannot be read.
        """
        with self.lock:
            try:
                return list(self._connection.execute(text, tuple(values)))
            except (apsw.CorruptError, apsw.IOError):
                raise IntegrityError("the ledger file cannot be read", hint=_RESTORE) from None

    def row(self, text: str, values: Sequence[Value] = ()) -> Row | None:
        """The first row of a query, or None."""
        return next(iter(self.rows(text, values)), None)

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


_RESTORE = "stop the curator and restore the ledger; nothing can be answered from this one"


def _schema_of(text: str) -> list[Row]:
    """What SQLite keeps of a schema it has just run."""
    memory = apsw.Connection(":memory:")
    try:
        memory.execute(text)
        return list(memory.execute(_SCHEMA))
    finally:
        memory.close()


def require_sqlite(version: str) -> None:
    """Return when this SQLite does not lose commits.

    :raises BadContract: PL152, it is older than `OLDEST_SQLITE`.
    """
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise BadContract(
            f"SQLite {version} can lose committed charges; {oldest} or newer is needed",
            code="PL152",
            hint="pip install -U apsw, which carries its own SQLite",
        )


def _create(path: Path) -> None:
    """Make an empty file, readable by its owner alone, unless there is one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise BadContract(f"the ledger cannot be created: {error.strerror}", code="PL152") from None
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
