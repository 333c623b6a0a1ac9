"""Texts: characters are Unicode code points; the grammars are those of ``query/texts.py``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from privlab.engine.expressions.typed import Typed, once, without
from privlab.query import texts
from privlab.query.kinds import STRIPS, TEXTS
from privlab.query.plan import Op
from privlab.terms.catalog import Kind

OPERATIONS = TEXTS | {Op.LENGTH, Op.LIKE, Op.PARSE_INT, Op.PARSE_FLOAT, Op.PARSE_DATE}


def apply(op: Op, args: Sequence[Typed]) -> Typed:
    """A text, or what is made of one."""
    first = args[0]
    if op is Op.TO_TEXT:
        return Typed(_written(first), Kind.TEXT)
    if op is Op.CONCAT:
        parts = [arg.as_kind(Kind.TEXT) for arg in args]
        return Typed(pl.concat_str(parts, ignore_nulls=False), Kind.TEXT)
    if first.kind not in (None, Kind.TEXT):
        raise TypeError("these operations are for texts")
    value, constants = first.as_kind(Kind.TEXT), [arg.constant for arg in args[1:]]
    match op:
        case Op.LENGTH:
            return Typed(value.str.len_chars().cast(pl.Int64), Kind.INT)
        case Op.LIKE:
            return Typed(_like(value, str(constants[0])), Kind.BOOL)
        case Op.PARSE_INT:
            return Typed(_read(value, texts.INT).cast(pl.Int64, strict=False), Kind.INT)
        case Op.PARSE_FLOAT:
            number = _read(value, texts.FLOAT).cast(pl.Float64, strict=False)
            finite = without(number, math.inf, -math.inf, math.nan)
            return Typed(finite + 0.0, Kind.FLOAT)
        case Op.PARSE_DATE:
            day = _read(value, texts.DATE).str.to_date("%Y-%m-%d", strict=False)
            return Typed(day, Kind.DATE)
    return Typed(_changed(op, value, constants), Kind.TEXT)


def _changed(op: Op, value: pl.Expr, constants: Sequence[object]) -> pl.Expr:
    if op in STRIPS:
        characters = str(constants[0])
        match op:
            case Op.STRIP_START:
                return value.str.strip_chars_start(characters)
            case Op.STRIP_END:
                return value.str.strip_chars_end(characters)
        return value.str.strip_chars(characters)
    match op:
        case Op.LOWER:
            return value.str.to_lowercase()
        case Op.UPPER:
            return value.str.to_uppercase()
        case Op.REPLACE:
            old, new = (str(one) for one in constants)
            return value.str.replace_all(old, new, literal=True)
    offset, length = constants
    return value.str.slice(pl.lit(offset, pl.Int64), pl.lit(length, pl.UInt64))


def _written(value: Typed) -> pl.Expr:
    """A whole number in decimal digits, a date as ``YYYY-MM-DD``, a condition as a word."""
    match value.kind:
        case Kind.BOOL:
            return once(_word, value.expr)
        case Kind.DATE:
            return value.expr.dt.strftime("%Y-%m-%d")
        case Kind.INT | Kind.TEXT:
            return value.expr.cast(pl.String)
        case None:
            return pl.lit(None, pl.String)
    raise TypeError("this kind is not written as a text")


def _word(condition: pl.Expr) -> pl.Expr:
    word = pl.when(condition).then(pl.lit("true")).otherwise(pl.lit("false"))
    return pl.when(condition.is_not_null()).then(word)


def _read(value: pl.Expr, grammar: str) -> pl.Expr:
    """The texts that are whole words of a grammar; others are null."""

    def read(value: pl.Expr) -> pl.Expr:
        fits = value.str.contains(rf"^(?:{grammar})$") & (value.str.len_bytes() <= texts.MAX_NUMBER)
        return pl.when(fits).then(value)

    return once(read, value)


def _like(value: pl.Expr, form: str) -> pl.Expr:
    """A pattern; the common ones without a regular expression."""
    parts = texts.tokens(form)
    many = (True, texts.MANY)
    wild = [at for at, (is_wild, _) in enumerate(parts) if is_wild]
    plain = "".join(char for is_wild, char in parts if not is_wild)
    if not wild:
        return value == pl.lit(plain, pl.String)
    if parts == [many]:
        return pl.when(value.is_not_null()).then(pl.lit(True, pl.Boolean))  # noqa: FBT003
    last = len(parts) - 1
    if all(parts[at] == many for at in wild):
        if wild == [last]:
            return value.str.starts_with(plain)
        if wild == [0]:
            return value.str.ends_with(plain)
        if wild == [0, last]:
            return value.str.contains(plain, literal=True)
    return value.str.contains(f"(?s)^{_regex(parts)}$")


def _regex(parts: Sequence[tuple[bool, str]]) -> str:
    words = {texts.MANY: ".*", texts.ONE: "."}
    return "".join(words[char] if wild else f"\\x{{{ord(char):x}}}" for wild, char in parts)
