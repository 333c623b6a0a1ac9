"""The ledger's values, and its refusals in an analyst's words.

Shares are percents of the analyst's own grant, rounded against her, so that
typing what a refusal offers is never refused again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from privlab.errors import BudgetExceeded
from privlab.query import afford
from privlab.query.afford import Holding
from privlab.query.plan_text import decimal
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss

State = Literal["charged", "released", "failed"]
Standing = Literal["new", "resume"]
"""new: charged now.  resume: charged before and never sealed; not charged again.
Either way the caller computes now, and ends in `Ledger.settle` or `Ledger.fail`."""

SHARE_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Cap:
    """What a dataset may lose in all, and has lost.  For stewards only.

    delta: the one at which epsilon is shown, in a gdp dataset.  delta_cap,
    delta_spent: the part of it for thresholds, and what they used of that.
    """

    dataset: str
    cap: Loss
    spent: Loss
    delta: Fraction
    delta_cap: Delta = CERTAIN
    delta_spent: Delta = CERTAIN

    @property
    def left(self) -> Loss:
        return self.cap - self.spent


@dataclass(frozen=True, slots=True)
class Account:
    """What one principal was granted on one dataset, and has spent."""

    principal: str
    dataset: str
    granted: Loss
    spent: Loss
    delta_granted: Delta = CERTAIN
    delta_spent: Delta = CERTAIN

    @property
    def left(self) -> Loss:
        return self.granted - self.spent


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """One question about to be computed.

    body: SHA-256 of the request as it was sent.  cost: what it charges, which
    may be nothing, in ``currency``, which must be the dataset's.  delta: what its
    thresholds charge.  held: what is held of each measure, to say what would fit;
    empty is one measure and nothing.  confidence: of its intervals, in
    percent, as a decimal, and " at once" where it is of all of them.
    title and text are for the asker's own history.
    """

    principal: str
    request_id: str
    body: bytes
    dataset: str
    question_id: str
    cost: Loss
    purpose: str
    confidence: str = "95"
    title: str = ""
    text: str = ""
    delta: Delta = CERTAIN
    held: tuple[Holding, ...] = ()
    currency: Currency = Currency.GDP


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the ledger knows of a request id.

    answer: the sealed bytes to send again, None unless the state is "released".
    cost, delta: what was charged for it.
    """

    body_hash: bytes
    state: State
    answer: bytes | None
    cost: Loss
    delta: Delta = CERTAIN


@dataclass(frozen=True, slots=True)
class Sealed:
    """A release of the past: its signed text, and its intervals' confidence, as it was recorded."""

    request_id: str
    bundle: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Past:
    """One line of a principal's history, or of her interrupted requests."""

    request_id: str
    at: str
    dataset: str
    title: str
    text: str
    cost: Loss
    purpose: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed of the record."""

    seq: int
    at: str
    actor: str
    action: str
    dataset: str
    subject: str
    outcome: str
    code: str
    amount: Loss


def share(part: Loss, of: Loss, *, up: bool) -> str:
    """``part`` as a percent of ``of``, with at most four decimals.

    Rounded up or down as told; "0" of nothing.
    """
    if not of:
        return "0"
    scale = 10**SHARE_DECIMALS
    numerator = part.units * 100 * scale
    scaled = -(-numerator // of.units) if up else numerator // of.units
    whole, rest = divmod(scaled, scale)
    return f"{whole}.{rest:0{SHARE_DECIMALS}d}".rstrip("0").rstrip(".")


def account_exceeded(account: Account, cost: Loss, held: Sequence[Holding] = ()) -> BudgetExceeded:
    """PL210 in shares of the analyst's own grant.

    held: of each measure of the question; the share that is offered counts it in.
    """
    fits = afford.share(held or (Holding(),), account.left, account.granted)
    holds = any(one.loss for one in held)
    if fits is not None:
        counted = ", which counts what you hold," if holds else ","
        hint = f"rerun with `--share {decimal(fits)}%`{counted} or ask for less precision"
    else:
        finer = "nothing finer than what you hold fits; asking for that again is free"
        kept = finer if holds else "what you hold stays free to ask again"
        hint = f"{kept}; for more, ask the steward for a larger grant"
    return BudgetExceeded(
        f"this needs more than {account.principal} has left on {account.dataset}",
        facts={
            "needs": f"{share(cost, account.granted, up=True)} % of the grant",
            "left": f"{share(account.left, account.granted, up=False)} % of the grant",
        },
        hint=hint,
    )


def delta_exceeded(account: Account, delta: Delta) -> BudgetExceeded:
    """PL210 for a delta, in units: a threshold has no finer price to fall back on."""
    left = account.delta_granted.units - account.delta_spent.units
    return BudgetExceeded(
        f"this needs more delta than {account.principal} has left on {account.dataset}",
        facts={"needs": f"{delta.units} of 2^-64", "left": f"{left} of 2^-64"},
        hint="group by public keys, which need no threshold, or ask the steward for more",
    )


def cap_exceeded(dataset: str) -> BudgetExceeded:
    """PL211.  Says no number: what others have spent is not an analyst's to know."""
    return BudgetExceeded(
        f"{dataset} has reached what may be learned of it, whoever asks",
        code="PL211",
        hint="what you hold stays free to ask again; tell the steward",
    )
