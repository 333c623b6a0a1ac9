"""Lazy reads: an owner's file as her contract's columns, and an encrypted part.

Reading a source is total: a value that does not fit its column's type becomes
null and is counted.  Only the schema can be refused.  Types alone are taken from
a source file; its metadata and statistics are ignored.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import polars as pl

from privlab.connector.manifest import FOOTER_KEY
from privlab.connector.parts import FileFacts, check_bytes
from privlab.errors import BadContract
from privlab.terms.catalog import Column, Kind
from privlab.terms.contract import Contract

DTYPES: dict[Kind, pl.DataType] = {
    Kind.BOOL: pl.Boolean(),
    Kind.INT: pl.Int64(),
    Kind.FLOAT: pl.Float64(),
    Kind.TEXT: pl.String(),
    Kind.DATE: pl.Date(),
    Kind.DATETIME: pl.Datetime("us"),
}
"""How a part stores each kind."""

_CLOCKS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")
_FLOAT53 = 2.0**53


def casts(schema: pl.Schema, contract: Contract) -> dict[str, pl.Expr]:
    """Per column of the contract, the expression that reads it as its kind, or null.

    :raises BadContract: PL151, with every column that is missing or of a type
        that cannot be read as its kind.
    """
    problems: list[str] = []
    found: dict[str, pl.Expr] = {}
    there = leaves(schema)
    for column in contract.stated.columns:
        if column.name not in there:
            close = difflib.get_close_matches(column.name, list(there), n=1)
            hint = f"; the file has {close[0]!r}" if close else ""
            problems.append(f"the file has no column {column.name!r}{hint}")
            continue
        place, dtype = there[column.name]
        reader = _reader(dtype, column.kind)
        if reader is None:
            problems.append(
                f"{column.name!r} is of type {dtype.base_type().__name__} in the file, "
                f'which cannot be read as "{column.kind}"'
            )
            continue
        found[column.name] = reader(present(place, dtype, contract.null_values))
    if problems:
        raise BadContract(
            "the file does not fit the contract",
            code="PL151",
            facts={str(n): problem for n, problem in enumerate(problems, 1)},
            hint="correct the contract, or name the columns as it does",
        )
    return found


def leaves(schema: pl.Schema) -> dict[str, tuple[pl.Expr, pl.DataType]]:
    """Every column by its name, with its expression and type; a field of a struct by its path.

    The field ``city`` of ``address`` is ``address.city``.  A column that is called
    so itself goes first.
    """
    found: dict[str, tuple[pl.Expr, pl.DataType]] = {}
    nested: list[tuple[str, pl.Expr, pl.DataType]] = [
        (name, pl.col(name), dtype) for name, dtype in schema.items()
    ]
    while nested:
        deeper: list[tuple[str, pl.Expr, pl.DataType]] = []
        for name, place, dtype in nested:
            if isinstance(dtype, pl.Struct):
                deeper += [
                    (f"{name}.{field.name}", place.struct.field(field.name), _instance(field.dtype))
                    for field in dtype.fields
                ]
            else:
                found.setdefault(name, (place, dtype))
        nested = deeper
    return found


def _instance(dtype: pl.DataType | pl.datatypes.DataTypeClass) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def present(column: pl.Expr, dtype: pl.DataType, null_values: Sequence[str]) -> pl.Expr:
    """The raw column, with the texts that mean null made null."""
    if isinstance(dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    elif not isinstance(dtype, pl.String):
        return column
    if null_values:
        column = pl.when(column.is_in(list(null_values)).not_()).then(column)
    return column


def outside(column: Column) -> pl.Expr | None:
    """Whether a read value is outside the stated range or keys; None: all are inside."""
    value = pl.col(column.name)
    if column.kind is Kind.BOOL:
        return None
    if column.keys is not None:
        return value.is_in(pl.Series(list(column.keys), dtype=DTYPES[column.kind]).implode()).not_()
    if column.low is None or column.high is None:
        return None
    if column.kind is Kind.DATETIME:
        value = value.dt.date()
    low, high = (
        pl.lit(end if isinstance(end, date) else float(end)) for end in (column.low, column.high)
    )
    return (value < low) | (value > high)


Reader = Callable[[pl.Expr], pl.Expr]


def _reader(dtype: pl.DataType, kind: Kind) -> Reader | None:
    """How a column of this type is read as this kind; None: it cannot be."""
    match dtype:
        case pl.String() | pl.Categorical() | pl.Enum():
            family = "text"
        case pl.Boolean():
            family = "bool"
        case pl.Date():
            family = "date"
        case pl.Datetime():
            family = "datetime"
        case pl.Null():
            return lambda raw: raw.cast(DTYPES[kind])
        case _ if dtype.is_integer():
            family = "int"
        case _ if dtype.is_decimal():
            family = "decimal"
        case _ if dtype.is_float():
            family = "float"
        case _:
            return None
    return _READERS.get((family, kind))


def _whole(raw: pl.Expr) -> pl.Expr:
    """Whole floats below 2^53: above it, one float stands for several whole numbers.

    As unit ids these would make one unit of several people.
    """
    number = raw.cast(pl.Float64, strict=False)
    fits = (number == number.floor()) & (number.abs() < _FLOAT53)
    return pl.when(fits).then(number).cast(pl.Int64, strict=False)


def _decimal_whole(raw: pl.Expr) -> pl.Expr:
    """Exact, by its digits: it never passes through a float, and rounding could overflow."""
    return _text_int(raw.cast(pl.String))


def _finite(raw: pl.Expr) -> pl.Expr:
    """NaN and infinities are null, and there is one zero: Polars leaves ``x + 0.0`` as it is."""
    number = raw.cast(pl.Float64, strict=False)
    return pl.when(number == 0.0).then(0.0).when(number.is_finite()).then(number)


def _text_int(raw: pl.Expr) -> pl.Expr:
    """Digits, with a sign or with zeros after the point.  Exact, whatever their number."""
    trimmed = raw.str.strip_chars()
    forms = (r"^(-?\d+)(?:\.0*)?$", r"^\+(\d+)(?:\.0*)?$")
    return pl.coalesce(*(trimmed.str.extract(form).cast(pl.Int64, strict=False) for form in forms))


def _text_bool(raw: pl.Expr) -> pl.Expr:
    word = raw.str.strip_chars().str.to_lowercase()
    return (
        pl.when(word.is_in(["true", "1"]))
        .then(pl.lit(True))  # noqa: FBT003
        .when(word.is_in(["false", "0"]))
        .then(pl.lit(False))  # noqa: FBT003
    )


def _text_date(raw: pl.Expr) -> pl.Expr:
    return _calendar(raw.str.strip_chars().str.to_date("%Y-%m-%d", strict=False))


def _text_datetime(raw: pl.Expr) -> pl.Expr:
    trimmed = raw.str.strip_chars()
    plain = trimmed.str.replace(r"(Z|[+-]00:?00)$", "")
    forms = [plain.str.to_datetime(f, time_unit="us", strict=False) for f in _CLOCKS]
    zoned = [
        trimmed.str.to_datetime(
            f + "%:z", time_unit="us", time_zone="UTC", strict=False
        ).dt.replace_time_zone(None)
        for f in _CLOCKS[:2]
    ]
    day = plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    return _calendar(pl.coalesce(*forms, day, *zoned))


def _calendar(value: pl.Expr) -> pl.Expr:
    """Null outside the years 1 to 9999, so that every engine can hold it."""
    return pl.when(value.dt.year().is_between(1, 9999)).then(value)


def _bit(raw: pl.Expr) -> pl.Expr:
    return pl.when(raw.is_in([0, 1])).then(raw == 1)


def _instant(raw: pl.Expr) -> pl.Expr:
    """UTC without a zone, in microseconds."""
    return _calendar(raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None))


_READERS: dict[tuple[str, Kind], Reader] = {
    ("text", Kind.BOOL): _text_bool,
    ("text", Kind.INT): _text_int,
    ("text", Kind.FLOAT): lambda raw: _finite(raw.str.strip_chars()),
    ("text", Kind.TEXT): lambda raw: raw,
    ("text", Kind.DATE): _text_date,
    ("text", Kind.DATETIME): _text_datetime,
    ("bool", Kind.BOOL): lambda raw: raw,
    ("bool", Kind.INT): lambda raw: raw.cast(pl.Int64),
    ("bool", Kind.TEXT): lambda raw: raw.cast(pl.String),
    ("int", Kind.BOOL): _bit,
    ("int", Kind.INT): lambda raw: raw.cast(pl.Int64, strict=False),
    ("int", Kind.FLOAT): _finite,
    ("int", Kind.TEXT): lambda raw: raw.cast(pl.String),
    ("decimal", Kind.INT): _decimal_whole,
    ("decimal", Kind.FLOAT): _finite,
    ("float", Kind.INT): _whole,
    ("float", Kind.FLOAT): _finite,
    ("date", Kind.DATE): _calendar,
    ("date", Kind.DATETIME): lambda raw: _calendar(raw).cast(pl.Datetime("us")),
    ("datetime", Kind.DATE): lambda raw: _instant(raw).dt.date(),
    ("datetime", Kind.DATETIME): lambda raw: _instant(raw).cast(pl.Datetime("us")),
}


def open_part(
    facts: FileFacts, data: bytes, aad_prefix: bytes, keys: Mapping[str, bytes]
) -> pl.LazyFrame:
    """The decrypting scan of one file's bytes, after checking these very bytes.

    keys: of this bucket, by column, the footer's under ``""``; columns without a key
    cannot be read.

    :raises IntegrityError: PL402, PL403.
    """
    check_bytes(facts, data)
    decryption = pl.ParquetDecryptionProperties(
        footer_key=keys[FOOTER_KEY],
        column_keys={name: key for name, key in keys.items() if name != FOOTER_KEY},
        aad_prefix=aad_prefix,
    )
    return pl.scan_parquet(data, decryption=decryption, use_statistics=False, glob=False)
