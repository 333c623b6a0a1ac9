"""How answers and vectors lie at rest: sealed, by somebody who holds keys.

The ledger holds none.  It is told how to seal, keeps what comes back, and treats
what can be opened no more as shredded: never held, never replayed, still charged.
"""

from __future__ import annotations

from typing import Protocol

from privlab.errors import IntegrityError

SHREDDED = "PL411"


class Rest(Protocol):
    """Seals what is kept.  ``source`` names what an answer was made from."""

    def source(self, bundle: str) -> str:
        """What the answer in this signed text was made from; "" is nothing to seal by."""

    def seal(self, source: str, label: str, plain: bytes) -> bytes:
        """Sealed for this row; at most 32 bytes longer."""

    def unseal(self, source: str, label: str, sealed: bytes) -> bytes:
        """The plain bytes again.

        :raises IntegrityError: PL411, what it was made from was shredded; PL404, it
            was changed.
        """


class InTheClear:
    """A ledger that was told of no keys: what it writes is marked as not sealed."""

    def source(self, bundle: str) -> str:
        return ""

    def seal(self, source: str, label: str, plain: bytes) -> bytes:
        return plain

    def unseal(self, source: str, label: str, sealed: bytes) -> bytes:
        if source:
            raise IntegrityError(
                "an answer is sealed, and the ledger was given no keys",
                code="PL404",
                hint="open it through the curator",
            )
        return sealed


def is_shredded(error: IntegrityError) -> bool:
    """Whether this is what `Rest.unseal` says of something shredded."""
    return error.code == SHREDDED
