"""One ``[columns.NAME]`` section of a contract, read into `Column`."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from fractions import Fraction

from privlab.connector.fields import Fields, Problems, is_plain
from privlab.terms.catalog import Column, Kind, Scalar

RESERVED = "privlab_"
"""Names that begin so are the format's own columns."""

MAX_KEYS = 10_000
MAX_SUM = 1 << 62
"""What row cap times largest step count may reach, so that int64 sums cannot overflow."""

MAX_STEPS = 1 << 50
"""Steps in a FLOAT's range: below 2^53, where float64 still tells all of them apart."""

TREATMENTS = ("drop", "redact", "coarsen")
"""Fields that say what becomes of values before they are stored; `treatment` reads them."""

_FIELDS = ("type", "nullable", "range", "step", "keys", "withheld", "about", *TREATMENTS)
_KEYED = (Kind.BOOL, Kind.INT, Kind.TEXT)
_KEY_TYPES: dict[Kind, type] = {Kind.BOOL: bool, Kind.INT: int, Kind.TEXT: str}
_INT64 = 1 << 63


def section_lines(name: str) -> str:
    """What to type for a column: two lines, since a section's head has one to itself."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
    return f'write a line [columns.{key}] and below it: type = "int"'


def column_of(name: str, entry: object, row_cap: int, problems: Problems) -> Column | None:
    """The column, or None when a problem keeps its type unknown."""
    where = f"[columns.{name}]"
    if not _is_name(name):
        problems.add(
            f"{where} needs a name of 1 to 200 printable characters that does not begin "
            f"with {RESERVED!r}; rename the column in your file"
        )
        return None
    if not isinstance(entry, dict):
        problems.add(f"{where} must be a section; {section_lines(name)}")
        return None
    fields = Fields(where, entry, problems)
    fields.only(_FIELDS)
    kind_text = entry.get("type")
    if not isinstance(kind_text, str) or kind_text not in list(Kind):
        fields.bad("type", "one of " + ", ".join(Kind), 'type = "int"')
        return None
    kind = Kind(kind_text)
    low, high = _range(kind, fields)
    step = _step(kind, low, high, fields, problems)
    _check_reach(fields.where, kind, low, high, step, row_cap, problems)
    keys = _keys(kind, fields, problems)
    return Column(
        name=name,
        kind=kind,
        nullable=fields.flag("nullable", default=True),
        low=low,
        high=high,
        step=step,
        keys=keys,
        withheld=fields.flag("withheld", default=False),
        about=fields.text("about", 'about = "years at admission"'),
    )


def _is_name(name: str) -> bool:
    return 0 < len(name) <= 200 and is_plain(name) and not name.casefold().startswith(RESERVED)


def _range(kind: Kind, fields: Fields) -> tuple[Fraction | date | None, Fraction | date | None]:
    value = fields.raw("range")
    if value is None:
        return None, None
    pair: list[Fraction | date] = []
    if isinstance(value, list) and len(value) == 2:
        for end in value:
            if kind.is_time and isinstance(end, date) and not isinstance(end, datetime):
                pair.append(end)
            elif kind.is_number and isinstance(end, int | Fraction) and not isinstance(end, bool):
                pair.append(Fraction(end))
    if len(pair) == 2:
        low, high = pair
        if isinstance(low, Fraction) and isinstance(high, Fraction):
            whole = kind is not Kind.INT or (low.denominator == 1 == high.denominator)
            inside = max(abs(low), abs(high)) < _INT64
            if low < high and whole and inside:
                return low, high
        elif isinstance(low, date) and isinstance(high, date) and low <= high:
            return low, high
    match kind:
        case Kind.BOOL | Kind.TEXT:
            fields.bad("range", f'absent: a "{kind}" has none', "no range")
        case Kind.DATE | Kind.DATETIME:
            fields.bad("range", "two days, earlier first", "range = [2019-01-01, 2025-12-31]")
        case Kind.INT:
            fields.bad("range", "two whole numbers, smaller first", "range = [0, 120]")
        case Kind.FLOAT:
            fields.bad("range", "two numbers, smaller first", "range = [0, 60.5]")
    return None, None


def _step(
    kind: Kind,
    low: Fraction | date | None,
    high: Fraction | date | None,
    fields: Fields,
    problems: Problems,
) -> Fraction | None:
    value = fields.raw("step")
    ranged = isinstance(low, Fraction) and isinstance(high, Fraction)
    if value is None:
        if kind is Kind.FLOAT and ranged:
            fields.bad("step", "", "step = 0.01")
        return None
    if not kind.is_number:
        fields.bad("step", f'absent: a "{kind}" has none', "no step")
        return None
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or value <= 0:
        fields.bad("step", "a number above 0", "step = 0.01")
        return None
    step = Fraction(value)
    if kind is Kind.INT and step.denominator != 1:
        fields.bad("step", 'a whole number for an "int"', "step = 1")
        return None
    if not ranged:
        problems.add(f"{fields.where} has a step but no range; add: range = [0, 100]")
        return None
    for end in (low, high):
        if isinstance(end, Fraction) and (end / step).denominator != 1:
            nearest = decimal(round(end / step) * step)
            problems.add(
                f"{fields.where} range must be whole multiples of step = {decimal(step)}; "
                f"write {nearest} in place of {decimal(end)}"
            )
    return step


def _check_reach(
    where: str,
    kind: Kind,
    low: Fraction | date | None,
    high: Fraction | date | None,
    step: Fraction | None,
    row_cap: int,
    problems: Problems,
) -> None:
    if not isinstance(low, Fraction) or not isinstance(high, Fraction):
        return
    steps = max(abs(low), abs(high)) / (step or Fraction(1))
    if steps * row_cap >= MAX_SUM or (kind is Kind.FLOAT and steps > MAX_STEPS):
        problems.add(
            f"{where} range is too wide for its step: a sum over {row_cap:,} rows could "
            "overflow; write a narrower range, a larger step, or a smaller row_cap"
        )


def _keys(kind: Kind, fields: Fields, problems: Problems) -> tuple[Scalar, ...] | None:
    value = fields.raw("keys")
    if value is None:
        return (False, True) if kind is Kind.BOOL else None
    example = {Kind.INT: "keys = [1, 2, 3]", Kind.BOOL: "keys = [false, true]"}.get(
        kind, 'keys = ["north", "south"]'
    )
    if kind.is_time:
        fields.bad("keys", "absent: the groups of days come from range", "no keys")
        return None
    if kind not in _KEYED:
        fields.bad("keys", 'absent: a "float" forms no groups', "no keys")
        return None
    wanted = _KEY_TYPES[kind]
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= MAX_KEYS
        or not all(type(v) is wanted for v in value)
        or not all(is_plain(v) if isinstance(v, str) else abs(v) < _INT64 for v in value)
    ):
        fields.bad("keys", f'a list of 1 to {MAX_KEYS:,} values of type "{kind}"', example)
        return None
    if len(set(value)) != len(value):
        twice = next(v for n, v in enumerate(value) if v in value[:n])
        problems.add(f"{fields.where} keys names {twice!r} twice; remove one")
        return None
    return tuple(value)


def decimal(value: Fraction) -> str:
    """A Fraction as people write it: a plain decimal when there is one, else p/q."""
    if value.denominator == 1:
        return str(value.numerator)
    for places in range(1, 31):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = f"{abs(scaled.numerator):0{places + 1}d}"
            sign = "-" if value < 0 else ""
            return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return f"{value.numerator}/{value.denominator}"
