"""Every error privlab raises on purpose.

PrivlabError
├── BadQuery            PL1xx  the question cannot be asked
├── BadContract         PL15x  the owner's contract or file cannot be protected
├── Refused             PL2xx  the question may not be asked
│   ├── PolicyDenied    PL20x
│   └── BudgetExceeded  PL21x
├── CuratorUnreachable  PL3xx  nobody is there to answer
├── IntegrityError      PL4xx  something stored was changed
├── EngineFailed        PL500  the computation failed; always the same words
└── CuratorFailed       PL501  the curator failed; always the same words

A message may quote the query, the policy and public metadata.  It never
quotes a stored value: errors are shown in notebooks, and notebooks are shared.
``docs/errors.md`` explains each code; a test keeps the two lists equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

CODES: dict[str, str] = {
    "PL101": "the text cannot be parsed",
    "PL102": "no such table",
    "PL103": "a value has no bounds, so its sum has no sensitivity",
    "PL104": "no such column",
    "PL105": "rows were asked for; only aggregates can be answered",
    "PL106": "outside the language",
    "PL107": "the group keys are not public",
    "PL108": "the price is not a positive, finite amount",
    "PL109": "one cell, one statement",
    "PL110": "a parameter is missing or has the wrong type",
    "PL111": "the types do not fit",
    "PL112": "the magic's line or the call's arguments are wrong",
    "PL113": "too many groups for one question",
    "PL114": "a public table cannot be sent",
    "PL150": "the contract has problems",
    "PL151": "the file does not fit the contract",
    "PL152": "the workspace cannot be used",
    "PL153": "the disk is full",
    "PL200": "policy denies this",
    "PL201": "a column is withheld",
    "PL202": "a policy rule failed to evaluate, which counts as no",
    "PL203": "no grant on this dataset",
    "PL210": "the analyst's budget does not cover the charge",
    "PL211": "the dataset's cap does not cover the charge",
    "PL300": "no curator answered",
    "PL301": "the curator went away during the request",
    "PL302": "this request id was used for another question",
    "PL303": "the process on the socket is not the curator it should be",
    "PL304": "client and curator speak different versions",
    "PL305": "interrupted",
    "PL306": "the request is malformed",
    "PL400": "a stored record does not match its digest or signature",
    "PL401": "the manifest's signature is wrong",
    "PL402": "a part of the table is truncated, swapped or missing",
    "PL403": "a part of the table is not encrypted",
    "PL404": "a key does not open what it should",
    "PL405": "the table version is older than one already seen",
    "PL406": "the answer could not be recorded, so it is not given",
    "PL407": "the release does not verify",
    "PL408": "the certifier finds the charge too small",
    "PL409": "a charged request was run twice without an answer",
    "PL410": "a mechanism has no proved loss in this currency",
    "PL411": "what this would read was shredded",
    "PL412": "the keys are older than ones already seen",
    "PL500": "the computation failed",
    "PL501": "the curator failed; nothing was charged",
}
"""Code to meaning, one sentence each.  A code is used for one meaning only."""


MOST_SHOWN = 200
"""Signs of one line of a text that an error quotes."""


@dataclass(frozen=True, slots=True)
class Caret:
    """Where in the analyst's own text the trouble is: 0-based offsets."""

    text: str
    start: int
    end: int

    def lines(self) -> list[str]:
        """The line of ``text`` that holds ``start``, and a line of carets.

        Of a line that is longer than `MOST_SHOWN` only what stands around ``start``.
        """
        begin = self.text.rfind("\n", 0, self.start) + 1
        stop = self.text.find("\n", self.start)
        stop = stop if stop >= 0 else len(self.text)
        first = max(begin, self.start - MOST_SHOWN // 2) if stop - begin > MOST_SHOWN else begin
        last = min(stop, first + MOST_SHOWN)
        before, after = "…" * (first > begin), "…" * (last < stop)
        line = f"{before}{self.text[first:last]}{after}"
        begin = first - len(before)
        width = max(1, min(self.end, last) - self.start)
        return [line, " " * (self.start - begin) + "^" * width]


class PrivlabError(Exception):
    """A failure with a stable code, one sentence, and what to do next.

    ``code`` must be a key of `CODES`; ``facts`` are public words or numbers
    printed one per line under the sentence.
    """

    default: ClassVar[str]

    def __init__(
        self,
        what: str,
        *,
        code: str | None = None,
        hint: str = "",
        caret: Caret | None = None,
        facts: dict[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.code = code or self.default
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in CODES")
        self.what = what
        self.hint = hint
        self.caret = caret
        self.facts = dict(facts or {})

    def __str__(self) -> str:
        lines = [f"{self.code} {self.what}"]
        if self.caret is not None:
            lines += [f"  {line}" for line in self.caret.lines()]
        lines += [f"  {name}: {value}" for name, value in self.facts.items()]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """Show analysts the message, not our frames (an IPython protocol)."""
        return str(self).splitlines()


class BadQuery(PrivlabError):
    """The query is outside the language privlab can bound."""

    default = "PL106"


class BadContract(PrivlabError):
    """The contract, the file or the workspace cannot be used as it is."""

    default = "PL150"


class Refused(PrivlabError):
    """The query is well formed and the answer is no."""

    default = "PL200"


class PolicyDenied(Refused):
    """A rule of the policy says no."""

    default = "PL200"


class BudgetExceeded(Refused):
    """The charge does not fit in what is left.  Nothing was spent."""

    default = "PL210"


class CuratorUnreachable(PrivlabError):
    """No curator answered, or it is not the one expected."""

    default = "PL300"


class IntegrityError(PrivlabError):
    """A stored record does not match its own digest or signature."""

    default = "PL400"


class EngineFailed(PrivlabError):
    """The engine could not finish.  The words never depend on the data."""

    default = "PL500"

    WORDS: ClassVar[str] = "the question could not be computed; its charge stands"

    def __init__(self) -> None:
        super().__init__(
            self.WORDS,
            hint="ask the same question again to retry it without a second charge, or tell the steward",
        )


class CuratorFailed(PrivlabError):
    """The curator could not do this, for a reason it did not foresee.  Nothing was charged."""

    default = "PL501"

    def __init__(self) -> None:
        super().__init__(
            "the curator could not do this; nothing was charged",
            hint="tell the operator: curator.log says where it happened",
        )
