"""Reading the fields of a TOML section, collecting problems instead of stopping."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from privlab.errors import BadContract

OPEN = "?"
"""What a draft writes where only the owner can know the answer."""

MAX_TEXT = 4_000
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(slots=True)
class Problems:
    """Everything wrong so far, in the order it was found."""

    found: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        self.found.append(problem)

    def nearest(self, name: str, valid: Sequence[str]) -> str:
        """`` (did you mean X?)`` when something valid is close, else nothing."""
        close = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
        return f" (did you mean {close[0]!r}?)" if close else ""

    def unknown(self, name: str, valid: Sequence[str], where: str) -> None:
        close = self.nearest(name, valid)
        known = "" if close else f"; known here: {', '.join(valid)}"
        self.add(f"{where} has no field {name!r}{close}{known}")

    def error(self) -> BadContract:
        count = len(self.found)
        return BadContract(
            f"the contract has {count} problem{'s' if count != 1 else ''}",
            facts={str(n): problem for n, problem in enumerate(self.found, 1)},
            hint="every line above is one thing to change; then run the same command again",
        )


class Fields:
    """One section of the contract.  Every reader returns a value or lists a problem."""

    def __init__(self, where: str, section: Mapping[str, object], problems: Problems) -> None:
        self.where = where
        self._section = section
        self._problems = problems

    def only(self, valid: Sequence[str]) -> None:
        """List every field that is not among ``valid``."""
        for name in self._section:
            if name not in valid:
                self._problems.unknown(name, valid, self.where)

    def raw(self, name: str) -> object:
        """The value as TOML has it, None when it is absent."""
        return self._section.get(name)

    def bad(self, name: str, wanted: str, example: str) -> None:
        """List that ``name`` is absent, still open, or not what is ``wanted``."""
        value = self._section.get(name)
        if value is None:
            what = f"needs {name}"
        elif value == OPEN:
            what = f"{name} is still open"
        else:
            what = f"{name} must be {wanted}"
        self._problems.add(f"{self.where} {what}; write: {example}")

    def text(self, name: str, example: str, *, required: bool = False) -> str:
        """A text of 1 to 4,000 characters without control characters, or ""."""
        value = self._section.get(name)
        if value in (None, "") and not required:
            return ""
        if not isinstance(value, str) or not value or value == OPEN or not is_plain(value):
            self.bad(name, f"a text of 1 to {MAX_TEXT:,} printable characters", example)
            return ""
        return value

    def identifier(self, name: str, example: str) -> str:
        """A name of small letters, digits and underscores: it becomes a folder's name."""
        value = self._section.get(name)
        if not isinstance(value, str) or _IDENTIFIER.fullmatch(value) is None:
            self.bad(name, "small letters, digits and _, a letter first, at most 63", example)
            return ""
        return value

    def count(self, name: str, example: str, *, most: int, required: bool = True) -> int | None:
        """A whole number in 1..most."""
        value = self._section.get(name)
        if value is None and not required:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            self.bad(name, f"a whole number from 1 to {most:,}", example)
            return None
        return value

    def level(self, name: str, most: int) -> int:
        """A whole number in 0..most; 0 when absent."""
        value = self._section.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            self.bad(name, f"a whole number from 0 to {most}", f"{name} = {most}")
            return 0
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """true or false."""
        value = self._section.get(name, default)
        if not isinstance(value, bool):
            self.bad(name, "true or false", f"{name} = true")
            return default
        return value

    def choice(self, name: str, valid: Sequence[str], default: str) -> str:
        """One of ``valid``."""
        value = self._section.get(name, default)
        if not isinstance(value, str) or value not in valid:
            words = " or ".join(f'"{v}"' for v in valid)
            self.bad(name, words, f'{name} = "{default}"')
            return default
        return value

    def texts(self, name: str, example: str) -> tuple[str, ...]:
        """A list of different texts; empty when absent."""
        value = self._section.get(name, [])
        if (
            not isinstance(value, list)
            or not all(isinstance(v, str) and is_plain(v) and v != OPEN for v in value)
            or len(set(value)) != len(value)
        ):
            self.bad(name, "a list of different texts", example)
            return ()
        return tuple(value)


def is_plain(text: str) -> bool:
    """Whether a text is short enough and free of control characters."""
    return len(text) <= MAX_TEXT and all(c.isprintable() for c in text)
