"""``drop``, ``redact`` and ``coarsen`` of a contract's column, read and checked.

A range and keys are about what is stored, so they must be values that are left
after the treatment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction

from privlab.connector.column import decimal
from privlab.connector.fields import Fields, Problems, is_plain
from privlab.terms.catalog import Column, Kind
from privlab.terms.treatment import (
    CLOCK_GRAINS,
    DAY_GRAINS,
    Coarsening,
    Redaction,
    Treatment,
    treated,
)

MAX_STEP_PART = 1 << 50
"""What a step's numerator and denominator may be: float64 holds every such number."""

MAX_PREFIX = 1_000
_PREFIX = re.compile(r"prefix:([1-9][0-9]{0,3})")


def is_dropped(name: str, entry: object, problems: Problems) -> bool:
    """Whether a section says that the column is never read."""
    if not isinstance(entry, Mapping) or "drop" not in entry:
        return False
    fields = Fields(f"[columns.{name}]", entry, problems)
    if not fields.flag("drop", default=False):
        return False
    for other in entry:
        if other not in ("drop", "type", "about"):
            problems.add(f"[columns.{name}] is dropped, so remove {other}: nothing of it is stored")
    return True


def treatment_of(
    column: Column, entry: Mapping[str, object], problems: Problems
) -> Treatment | None:
    """What the section says is done to the values, or None."""
    fields = Fields(f"[columns.{column.name}]", entry, problems)
    if fields.raw("redact") is not None and fields.raw("coarsen") is not None:
        problems.add(f"{fields.where} has redact and coarsen; remove one")
        return None
    treatment: Treatment | None = None
    if fields.raw("redact") is not None:
        treatment = _redaction(column, fields, problems)
    elif fields.raw("coarsen") is not None:
        treatment = _coarsening(column.kind, fields)
    if treatment is not None:
        _check_stated(column, treatment, problems)
    return treatment


def _redaction(column: Column, fields: Fields, problems: Problems) -> Redaction | None:
    value = fields.raw("redact")
    text = column.kind is Kind.TEXT
    if value == "null":
        if not column.nullable:
            problems.add(f"{fields.where} redact makes every value null; remove nullable = false")
            return None
        if column.low is not None or (column.keys and column.kind is not Kind.BOOL):
            problems.add(f"{fields.where} redact makes every value null; remove its range and keys")
            return None
        return Redaction()
    if text and value == "mask":
        return Redaction(mask=True)
    if text and isinstance(value, str) and value.startswith("text:") and is_plain(value):
        return Redaction(text=value.removeprefix("text:"))
    wanted = '"null", "mask" or "text:" and a text' if text else '"null"'
    fields.bad("redact", wanted, 'redact = "null"')
    return None


def _coarsening(kind: Kind, fields: Fields) -> Coarsening | None:
    value = fields.raw("coarsen")
    if kind.is_number:
        if isinstance(value, int | Fraction) and not isinstance(value, bool) and value > 0:
            step = Fraction(value)
            whole = kind is Kind.FLOAT or step.denominator == 1
            if whole and max(step.numerator, step.denominator) <= MAX_STEP_PART:
                return Coarsening(step=step)
        what = "a whole number" if kind is Kind.INT else "a number"
        fields.bad("coarsen", f"{what} above 0", "coarsen = 5")
        return None
    if kind.is_time:
        grains = (*CLOCK_GRAINS, *DAY_GRAINS) if kind is Kind.DATETIME else DAY_GRAINS
        if isinstance(value, str) and value in grains:
            return Coarsening(grain=value)
        fields.bad("coarsen", "one of " + ", ".join(grains), 'coarsen = "month"')
        return None
    if kind is Kind.TEXT:
        found = _PREFIX.fullmatch(value) if isinstance(value, str) else None
        if found and int(found[1]) <= MAX_PREFIX:
            return Coarsening(prefix=int(found[1]))
        fields.bad("coarsen", f'"prefix:" and 1 to {MAX_PREFIX:,}', 'coarsen = "prefix:2"')
        return None
    fields.bad("coarsen", f'absent: a "{kind}" has two values', "no coarsen")
    return None


def _check_stated(column: Column, treatment: Treatment, problems: Problems) -> None:
    """List keys that no stored value can equal, and a range that begins between two."""
    where = f"[columns.{column.name}]"
    if column.kind is not Kind.BOOL:
        gone = [key for key in column.keys or () if treated(key, treatment) != key]
        if gone:
            problems.add(
                f"{where} keys has {gone[0]!r}, which is stored as "
                f"{treated(gone[0], treatment)!r}; keys are values as they are stored"
            )
    if column.low is None:
        return
    low = _moment(column.low)
    begun = treated(low, treatment)
    if begun != low:
        shown, instead = _shown(low), _shown(begun)
        problems.add(
            f"{where} range begins at {shown}, which is stored as {instead}; write {instead} there"
        )


def _moment(low: Fraction | date) -> Fraction | datetime:
    """A day as its first moment, which all grains know."""
    if isinstance(low, Fraction):
        return low
    return datetime(low.year, low.month, low.day)  # noqa: DTZ001  a table's clock has no zone


def _shown(value: object) -> str:
    if isinstance(value, Fraction):
        return decimal(value)
    return str(value.date()) if isinstance(value, datetime) else str(value)
