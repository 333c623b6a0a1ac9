"""The messages of those who look after keys.  No message carries a key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from privlab.wire.messages import Message

Scope = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class KeyFacts(Message):
    """One table version's keys.

    columns: with a key.  shredded: whose key is gone; all of them when the footer's is.
    keep_until: the day after which its contract lets nobody keep it, or "".
    """

    dataset: str
    table: str
    version: int
    columns: tuple[str, ...]
    shredded: tuple[str, ...]
    keep_until: str


class Keys(Message):
    """What a workspace holds.  custody: the scheme alone.  since: of the master, RFC 3339."""

    custody: str
    since: str
    generation: int
    tables: tuple[KeyFacts, ...]


class Rotate(Message):
    """Seal the keychain under a new master, if this one is older than so many days."""

    older_than_days: int = Field(default=0, ge=0, le=36_500)


class Rotated(Message):
    """done: False when it was not old enough.  left: what the owner must do by hand, or ""."""

    done: bool
    since: str
    left: str


class Shred(Message):
    """Destroy the keys of a scope, or of all that is past its contract's retention.

    scope: DATASET, DATASET.TABLE, DATASET.TABLE@VERSION or DATASET.TABLE:COLUMN.
    dry: only say what would go.
    """

    scope: Scope | None = None
    dry: bool = False


class Shredded(Message):
    """What went, each as DATASET.TABLE@VERSION or DATASET.TABLE@VERSION:COLUMN."""

    gone: tuple[str, ...]
    left: str


class KeyDeed(Message):
    """Something that was done with keys outside the curator, to be recorded."""

    deed: Literal["key-recovery-kit"]
