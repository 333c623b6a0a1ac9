"""The messages of protocol version 1.

Amounts of loss are decimal strings of 2^-48 units of the dataset's currency; prices and accuracies are
decimal strings as the analyst typed them.  Unknown fields are refused on the
curator's side, so that a newer client's wish is never silently dropped.  Tuples
are not strict where the curator reads them: JSON has only lists.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PROTOCOL = 1
MAX_TEXT = 100_000
MAX_LIST = 10_000
MAX_PUBLIC_COLUMNS = 64
MAX_PUBLIC_BYTES = 1_000_000

PRACTICE = "practice: invented rows, not the data"
"""What stands over every answer to a practice question."""


class Message(BaseModel):
    """Frozen, strict, closed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Amount = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Units = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,40}$")]
RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class Parameter(Message):
    """A bound value.  ``text`` is canonical: ISO dates, decimal numbers, "true"/"false"."""

    kind: Literal["bool", "int", "float", "text", "date", "datetime", "null"]
    text: tuple[Annotated[str, StringConstraints(max_length=4_000)], ...] = Field(
        max_length=MAX_LIST, strict=False
    )
    is_list: bool = False


class PublicColumn(Message):
    """A column of a public table: the texts of its values as in `Parameter`, or null."""

    name: Name
    kind: Literal["bool", "int", "float", "text", "date", "datetime"]
    text: tuple[Annotated[str, StringConstraints(max_length=4_000)] | None, ...] = Field(
        max_length=MAX_LIST, strict=False
    )


class PublicTable(Message):
    """A table that the analyst brings: columns of one length, in her order.

    Its JSON has at most `MAX_PUBLIC_BYTES`.
    """

    columns: tuple[PublicColumn, ...] = Field(
        min_length=1, max_length=MAX_PUBLIC_COLUMNS, strict=False
    )


class Price(Message):
    """What the analyst offers.  Exactly one of the three is set."""

    share: Amount | None = None
    within: dict[Name, Amount] | None = None
    epsilon: Amount | None = None


class Ask(Message):
    """One question.  ``id`` makes it idempotent: the same id is charged once.

    simultaneous: the intervals of all cells and columns hold at once.
    public: tables of her own that the text names.
    """

    id: RequestId
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    public: dict[Name, PublicTable] = Field(default_factory=dict)
    price: Price = Price(share="1")
    confidence: Amount = "95"
    simultaneous: bool = False
    purpose: Name = "exploration"


class Phase(Message):
    """A step of the work, in words that never depend on data."""

    phase: Literal["read", "price", "policy", "charge", "compute", "seal"]
    words: str


class Receipt(Message):
    """What this answer cost the asker, and what she has left."""

    dataset: str
    charged: Units
    spent: Units
    granted: Units
    charged_share: str
    left_share: str
    free: bool
    words: str


class Answer(Message):
    """The signed bundle, as an opaque string, and the receipt."""

    bundle: str
    receipt: Receipt


class Problem(Message):
    """An error on the wire: `PrivlabError` as data."""

    code: str
    what: str
    hint: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    caret: tuple[str, int, int] | None = None


class Event(Message):
    """One line of the answer stream; exactly one field is set."""

    phase: Phase | None = None
    answer: Answer | None = None
    problem: Problem | None = None


class ColumnPrice(Message):
    """One output column: what it costs and how close it will be."""

    name: str
    label: str
    share: str
    half_width: str
    held: bool


class Explanation(Message):
    """What ``--explain`` shows.  Nothing was spent.

    cheaper: other questions that would tell nearly the same for less, one a line.
    """

    plan: str
    columns: tuple[ColumnPrice, ...]
    charge: Units
    charged_share: str
    left_share: str
    words: str
    cheaper: tuple[str, ...] = ()


class Practised(Message):
    """What ``--practice`` shows: an answer about invented rows, and the real price.

    result: the table as a bundle holds it, JSON as text.  Nothing is signed and
    nothing was spent.
    """

    result: str
    explanation: Explanation


class ColumnFacts(Message):
    """One column of ``%private describe``: the contract's words.

    stated: the contract has a range for it, so that nothing is to be measured.
    measured: how often the asker had its bounds measured anew, the first time included.
    """

    name: str
    kind: str
    facts: str
    key: bool
    withheld: bool
    about: str = ""
    stated: bool = False
    measured: int = 0


class TableFacts(Message):
    """One table of ``%private tables`` and ``describe``.

    currency: "gdp", or "pure": epsilons that add, and no delta.
    """

    dataset: str
    name: str
    version: int
    unit: str
    unit_word: str
    bound: str
    currency: str
    rows: str
    synthetic: bool
    about: str
    purposes: tuple[str, ...]
    columns: tuple[ColumnFacts, ...]


class Account(Message):
    """One meter: this analyst on one dataset."""

    dataset: str
    granted: Units
    spent: Units
    left_share: str
    epsilon_spent: str
    epsilon_granted: str
    delta: str
    words: str


class Released(Message):
    """One line of the history: a release of this analyst."""

    id: str
    at: str
    dataset: str
    title: str
    question: str
    charged: Units
    charged_share: str
    purpose: str


class State(Message):
    """Everything the panel shows, for the principal on the connection."""

    seq: int
    principal: str
    accounts: tuple[Account, ...]
    releases: tuple[Released, ...]


class Hello(Message):
    """Who the curator is and whom it takes the asker for."""

    protocol: int
    version: str
    workspace: str
    key: str
    principal: str
    roles: tuple[str, ...]
    tier: str
