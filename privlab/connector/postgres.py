"""Rows of a PostgreSQL table, over TLS, through ADBC.

One read-only statement, so the rows are those of one moment.  The server must show
a certificate that is valid for its name (``sslmode=verify-full``; a Unix socket has
none).  A password comes from where libpq looks, ``PGPASSFILE`` or ``~/.pgpass``, or
from a prompt; in an address it could be read by every user of the machine.

Types that Arrow has no exact form for (``numeric`` among them) are asked for as
their text and read from it like a field of a CSV, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import polars as pl
import pyarrow as pa

from privlab.connector.source import Read, Stream
from privlab.errors import BadContract

SCHEMES = ("postgresql", "postgres")

_SECRETS = ("password", "sslpassword", "passfile")
_OPTIONS = "-c default_transaction_read_only=on"
_DAYS = "'0001-01-01' AND '9999-12-31'"
_MOMENTS = "'0001-01-01' AND '9999-12-31 23:59:59.999999'"
_NATIVE: dict[str, tuple[pl.DataType, str]] = {
    "bool": (pl.Boolean(), "{0}"),
    "int2": (pl.Int64(), "{0}::int8"),
    "int4": (pl.Int64(), "{0}::int8"),
    "int8": (pl.Int64(), "{0}"),
    "float4": (pl.Float64(), "{0}::float8"),
    "float8": (pl.Float64(), "{0}"),
    "date": (pl.Date(), f"CASE WHEN {{0}} BETWEEN {_DAYS} THEN {{0}} END"),
    "timestamp": (pl.Datetime("us"), f"CASE WHEN {{0}} BETWEEN {_MOMENTS} THEN {{0}} END"),
    "timestamptz": (
        pl.Datetime("us", "UTC"),
        f"CASE WHEN {{0}} AT TIME ZONE 'UTC' BETWEEN {_MOMENTS} THEN {{0}} END",
    ),
}
"""What is read as Arrow has it, and how it is asked for."""

_COLUMNS = """
SELECT a.attname::text, t.typname::text, t.typcategory::text
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

Prompt = Callable[[str], str]
"""Asks for a secret with these words."""


class Postgres:
    """A `Source`: one table or view."""

    def __init__(self, url: str, table: str, prompt: Prompt | None = None) -> None:
        """url: ``postgresql://user@host/database``; table: ``name`` or ``schema.name``.

        :raises BadContract: PL151, the address is not a safe one, the server cannot
            be reached, or it has no such table; PL152, ADBC is not installed.
        """
        self.name = table
        self.rows: int | None = None
        self._url = safe_address(url)
        self._table = ".".join(_identifier(part) for part in table.split(".", 1))
        self._connection = self._connected(prompt)
        try:
            found = self._columns()
        except Exception:
            self._connection.close()
            raise
        self.schema = pl.Schema({name: _asked(kind, group)[0] for name, kind, group in found})
        self._asked = {
            name: _asked(kind, group)[1].format(_identifier(name)) for name, kind, group in found
        }

    def reads(self, columns: Sequence[pl.Expr]) -> Iterator[Read]:
        names = sorted({name for column in columns for name in column.meta.root_names()})
        asked = ", ".join(f"{self._asked[name]} AS {_identifier(name)}" for name in names)
        with closing(self._connection), closing(self._connection.cursor()) as cursor:
            try:
                cursor.execute(f"SELECT {asked} FROM {self._table}")  # noqa: S608  quoted names
                reader = cursor.fetch_record_batch()
                schema = pa.schema([(n, _ARROW[self.schema[n]]) for n in names])
                batches = (pa.RecordBatch.from_arrays(b.columns, schema=schema) for b in reader)
                yield from Stream(
                    self.name, pa.RecordBatchReader.from_batches(schema, batches)
                ).reads(columns)
            except _errors():
                raise BadContract(
                    f"{self.name} could not be read from the database to its end",
                    code="PL151",
                    hint="check that its user may read the table, and the server's log",
                ) from None

    def _connected(self, prompt: Prompt | None) -> Any:
        dbapi = _dbapi()
        try:
            return dbapi.connect(self._url)
        except dbapi.Error as error:
            words = str(error)
            if prompt is None or "no password supplied" not in words:
                raise _unreachable(self._url, words) from None
        secret = prompt(f"password for {urlsplit(self._url).netloc}: ")
        try:
            return dbapi.connect(_with_password(self._url, secret))
        except dbapi.Error as error:
            raise _unreachable(self._url, str(error)) from None

    def _columns(self) -> list[tuple[str, str, str]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(_COLUMNS, (self._table,))
            found: list[tuple[str, str, str]] = cursor.fetchall()
        if not found:
            raise BadContract(
                f"the database has no table {self.name}",
                code="PL151",
                hint="name it with its schema: --table SCHEMA.TABLE",
            )
        return found


_ARROW = {
    pl.Boolean(): pa.bool_(),
    pl.Int64(): pa.int64(),
    pl.Float64(): pa.float64(),
    pl.Date(): pa.date32(),
    pl.Datetime("us"): pa.timestamp("us"),
    pl.Datetime("us", "UTC"): pa.timestamp("us", "UTC"),
    pl.String(): pa.string(),
}


def is_address(place: object) -> bool:
    """Whether this names a database and no file."""
    return isinstance(place, str) and place.split("://", 1)[0] in SCHEMES and "://" in place


def safe_address(url: str) -> str:
    """The address with what it must have: the server's certificate checked, nothing written.

    :raises BadContract: PL151, it holds a secret, or asks for less than ``verify-full``.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or any(name in query for name in _SECRETS):
        raise BadContract(
            "the address holds a password, which every user of this machine could read",
            code="PL151",
            hint="leave it out: it is taken from PGPASSFILE or ~/.pgpass, or asked for",
        )
    mode = query.setdefault("sslmode", "verify-full")
    if mode != "verify-full":
        raise BadContract(
            f"sslmode={mode} does not check that the server is the right one",
            code="PL151",
            hint="leave it out, and name the authority that signed the server's certificate: "
            "sslrootcert=/path/to/root.crt",
        )
    query["gssencmode"] = "disable"
    query["options"] = f"{query.get('options', '')} {_OPTIONS}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def _with_password(url: str, secret: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit(
        parts._replace(query=urlencode({**query, "password": secret}, quote_via=quote))
    )


def _asked(kind: str, group: str) -> tuple[pl.DataType, str]:
    """The type a column arrives as, and the expression that asks for it."""
    if kind in _NATIVE:
        return _NATIVE[kind]
    if group == "A":
        return pl.List(pl.String()), "{0}"
    if group in ("C", "P") or kind == "bytea":
        return pl.Binary(), "{0}"
    return pl.String(), "{0}::text"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unreachable(url: str, words: str) -> BadContract:
    host = urlsplit(url).hostname or "the local server"
    reason = next((line.strip() for line in words.splitlines() if "failed" in line), "")
    return BadContract(
        f"the database on {host} cannot be reached" + (f": {reason}" if reason else ""),
        code="PL151",
        hint="its certificate must be valid for its name and signed by the authority in "
        "~/.postgresql/root.crt or sslrootcert=/path/to/root.crt",
    )


def _errors() -> tuple[type[BaseException], ...]:
    return (_dbapi().Error, pa.ArrowException, OSError)


def _dbapi() -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise BadContract(
            "reading from PostgreSQL needs its driver",
            code="PL152",
            hint="pip install 'privlab[postgres]'",
        ) from None
    return dbapi
