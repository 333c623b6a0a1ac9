"""How answers, vectors and the words of questions lie at rest: sealed, by somebody who holds keys.

The ledger holds none.  It is told how to seal, keeps what comes back, and treats
what can be opened no more as shredded: never held, never replayed, still charged.
"""

from __future__ import annotations

from typing import Protocol

from privlab.errors import IntegrityError

SHREDDED = "PL411"


class Rest(Protocol):
    """Seals what is kept.

    source: names what an answer was made from.  texts: names the key of the words of
    questions, which a schedule can destroy.  What quotes a question is sealed under both.
    """

    def source(self, bundle: str) -> str:
        """What the answer in this signed text was made from; "" is nothing to seal by."""

    def texts(self, dataset: str, at: str) -> str:
        """Under what the words of a question of this time are sealed; durable when it returns."""

    def generation(self) -> int:
        """The keychain's, after `texts`; 0 without keys."""

    def name(self, kind: str, value: str) -> str:
        """Equal for equal values, and telling nothing else of them without the keys."""

    def seal(self, source: str, label: str, plain: bytes, texts: str = "") -> bytes:
        """Sealed for this row; at most 32 bytes longer."""

    def unseal(self, source: str, label: str, sealed: bytes, texts: str = "") -> bytes:
        """The plain bytes again.

        :raises IntegrityError: PL411, what it was made from was shredded, or the words
            that it quotes were; PL404, it was changed.
        """


class InTheClear:
    """A ledger that was told of no keys: what it writes is marked as not sealed."""

    def source(self, bundle: str) -> str:
        return ""

    def texts(self, dataset: str, at: str) -> str:
        return ""

    def generation(self) -> int:
        return 0

    def name(self, kind: str, value: str) -> str:
        return value

    def seal(self, source: str, label: str, plain: bytes, texts: str = "") -> bytes:
        return plain

    def unseal(self, source: str, label: str, sealed: bytes, texts: str = "") -> bytes:
        if source or texts:
            raise IntegrityError(
                "an answer is sealed, and the ledger was given no keys",
                code="PL404",
                hint="open it through the curator",
            )
        return sealed


def is_shredded(error: IntegrityError) -> bool:
    """Whether this is what `Rest.unseal` says of something shredded."""
    return error.code == SHREDDED
