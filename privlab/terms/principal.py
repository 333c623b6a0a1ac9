"""Who is asking: one person, whatever door she came through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What a principal may be; the policy says what each may do."""

    ANALYST = "analyst"
    OWNER = "owner"
    STEWARD = "steward"
    AUDITOR = "auditor"


class Tier(IntEnum):
    """The boundary between the asker and the curator, as measured."""

    IN_PROCESS = 0
    SAME_UID = 1
    SANDBOXED_KERNEL = 2
    OTHER_UID = 3
    REMOTE = 4
    ATTESTED = 5

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Principal:
    """A person known to the curator by the uid of her process."""

    name: str
    roles: frozenset[Role]
    tier: Tier
