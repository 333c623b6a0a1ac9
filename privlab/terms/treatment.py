"""What an owner has done to a column's values before they are stored.

`treated` is the meaning, one value at a time; `connector.coarse` does the same to
columns.  Both are total and see one value alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from privlab.terms.catalog import Scalar

CLOCK_GRAINS = ("minute", "hour", "day")
DAY_GRAINS = ("week", "month", "quarter", "year")
"""Times are kept to the beginning of one of these; a date to one of `DAY_GRAINS`.
A week begins on Monday."""

MASKED = r"[^ -~]|[A-Za-z]"
"""Characters that a mask shows as x: all but ASCII space, punctuation and digits."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Every value is replaced.

    text: what stands in its place; None is null.  mask: its letters become x and its
    digits 0, so that only its form is left; ``text`` is None then.
    """

    text: str | None = None
    mask: bool = False

    @property
    def words(self) -> str:
        """For whoever reads the column's description."""
        if self.mask:
            return "letters are x and digits 0"
        return "every value is removed" if self.text is None else f"every value is {self.text!r}"


@dataclass(frozen=True, slots=True)
class Coarsening:
    """Values become coarser; exactly one of the three is set.

    step: numbers go down to a whole multiple of it.  grain: times go back to the
    beginning of their week, month and so on.  prefix: texts keep so many characters.
    """

    step: Fraction | None = None
    grain: str = ""
    prefix: int = 0

    @property
    def words(self) -> str:
        """For whoever reads the column's description."""
        if self.step is not None:
            step = self.step
            shown = str(step.numerator) if step.denominator == 1 else f"{float(step):g}"
            return f"rounded down to multiples of {shown}"
        if self.grain:
            of_days = self.grain in DAY_GRAINS
            return f"the first day of its {self.grain}" if of_days else f"to the {self.grain}"
        return f"the first {self.prefix} characters" if self.prefix > 1 else "the first character"


Treatment = Redaction | Coarsening


def treated(value: Scalar | None, treatment: Treatment) -> Scalar | None:
    """What is stored of a value of the column's kind; null stays null."""
    if value is None:
        return None
    if isinstance(treatment, Redaction):
        return _masked(str(value)) if treatment.mask else treatment.text
    if treatment.step is not None and isinstance(value, int | Fraction):
        down = value // treatment.step * treatment.step
        return int(down) if isinstance(value, int) else down
    if treatment.prefix and isinstance(value, str):
        return value[: treatment.prefix]
    if isinstance(value, date):
        return _begun(value, treatment.grain)
    return value


def _masked(text: str) -> str:
    return re.sub("[0-9]", "0", re.sub(MASKED, "x", text, flags=re.DOTALL))


def _begun(value: date, grain: str) -> date:
    if isinstance(value, datetime):
        match grain:
            case "minute":
                return value.replace(second=0, microsecond=0)
            case "hour":
                return value.replace(minute=0, second=0, microsecond=0)
            case "day":
                return datetime.combine(value.date(), time())
        return datetime.combine(_begun(value.date(), grain), time())
    match grain:
        case "week":
            return value - timedelta(days=value.weekday())
        case "month":
            return value.replace(day=1)
        case "quarter":
            return value.replace(month=1 + (value.month - 1) // 3 * 3, day=1)
        case _:
            return value.replace(month=1, day=1)
