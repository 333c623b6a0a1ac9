"""Caps and accounts: what may be lost, and what is spent of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from privlab.errors import BadQuery, BudgetExceeded, IntegrityError, PolicyDenied
from privlab.ledger.accounts import (
    Account,
    Cap,
    ChargeRequest,
    account_exceeded,
    cap_exceeded,
    delta_exceeded,
)
from privlab.ledger.record import MAX_UNITS, Book
from privlab.ledger.sqlite import Row
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss

LEAST_DATASET_DELTA = Fraction(1, 10**15)
"""Below it a delta says nothing that an epsilon alone would not."""


class Budgets(Book):
    """Every dataset's cap and every principal's accounts."""

    def set_cap(
        self, dataset: str, cap: Loss, delta: Fraction, by: str, delta_cap: Delta | None = None
    ) -> None:
        """Set what the dataset may lose in all.

        delta: at which epsilon is shown, from 1e-15 to below 1/2 and a decimal,
        so that statements can write it exactly; 0 in a pure dataset.  delta_cap: the
        part of it that thresholds may use up; None leaves it as it is, which is
        nothing at first.

        :raises BudgetExceeded: PL211, below what is spent already.
        :raises BadQuery: PL108, delta is out of range or no decimal, delta_cap leaves
            less of it than 1e-15, a pure dataset is to have one, or the cap has no meaning.
        """
        _countable(cap)
        with self._deed(by, "budget", dataset, amount=cap):
            old = self.cap(dataset)
            if delta_cap is None:
                delta_cap = CERTAIN if old is None else old.delta_cap
            self._check_delta(dataset, delta, delta_cap)
            if old is not None and (cap < old.spent or delta_cap < old.delta_spent):
                raise BudgetExceeded(
                    f"{dataset} has already lost more than this cap",
                    code="PL211",
                    facts={
                        "cap": _words(cap, delta_cap),
                        "spent": _words(old.spent, old.delta_spent),
                    },
                    hint="loss cannot be taken back: the lowest possible cap is what is spent",
                )
            if old is None:
                self._db.execute(
                    "INSERT INTO cap VALUES (?, ?, 0, ?, 0, ?)",
                    (dataset, cap.units, delta_cap.units, str(delta)),
                )
            else:
                self._db.execute(
                    "UPDATE cap SET cap = ?, delta_cap = ?, delta = ? WHERE dataset = ?",
                    (cap.units, delta_cap.units, str(delta), dataset),
                )

    def cap(self, dataset: str) -> Cap | None:
        """The dataset's cap, what is spent of it, and its delta."""
        row = self._db.row("SELECT * FROM cap WHERE dataset = ?", (dataset,))
        return _cap(row) if row else None

    def caps(self) -> tuple[Cap, ...]:
        """Every dataset's cap, by name."""
        return tuple(map(_cap, self._db.rows("SELECT * FROM cap ORDER BY dataset")))

    def grant(
        self, principal: str, dataset: str, amount: Loss, by: str, delta: Delta | None = None
    ) -> None:
        """Set what the principal may learn of the dataset in all: a total, not an increase.

        delta: that her thresholds may use up; None leaves it as it is, which is
        nothing at first.

        :raises BudgetExceeded: PL210, below what she has spent already.
        :raises BadQuery: PL108, the amount has no meaning.
        """
        _countable(amount)
        with self._deed(by, "grant", dataset, subject=principal, amount=amount):
            old = self.account(principal, dataset)
            if delta is None:
                delta = CERTAIN if old is None else old.delta_granted
            if old is not None and (amount < old.spent or delta < old.delta_spent):
                raise BudgetExceeded(
                    f"{principal} has already spent more than this grant on {dataset}",
                    facts={
                        "grant": _words(amount, delta),
                        "spent": _words(old.spent, old.delta_spent),
                    },
                    hint="loss cannot be taken back: the lowest possible grant is what is spent",
                )
            if old is None:
                self._db.execute(
                    "INSERT INTO account VALUES (?, ?, ?, 0, ?, 0)",
                    (principal, dataset, amount.units, delta.units),
                )
            else:
                self._db.execute(
                    "UPDATE account SET granted = ?, delta_granted = ?"
                    " WHERE principal = ? AND dataset = ?",
                    (amount.units, delta.units, principal, dataset),
                )

    def set_budget(
        self,
        dataset: str,
        cap: Loss,
        delta: Fraction,
        grants: Mapping[str, Loss],
        by: str,
        thresholds: Delta | None = None,
    ) -> None:
        """Set the cap and these principals' grants, all or nothing.

        thresholds: the delta_cap; None leaves it.  Each is granted the part of it that
        her grant is of the cap, and no less than she has spent.

        :raises: as `set_cap` and `grant`.
        """
        with self._db.writing():
            self.set_cap(dataset, cap, delta, by, thresholds)
            for principal, amount in grants.items():
                self.grant(principal, dataset, amount, by, self._part(principal, dataset, amount))

    def _part(self, principal: str, dataset: str, amount: Loss) -> Delta:
        """What a grant of ``amount`` may use up of the cap's delta for thresholds."""
        cap, old = self.cap(dataset), self.account(principal, dataset)
        spent = CERTAIN if old is None else old.delta_spent
        if cap is None or not cap.cap:
            return spent
        part = min(Fraction(1), Fraction(amount.units, cap.cap.units))
        return max(spent, Delta.budget(cap.delta_cap.delta * part))

    def account(self, principal: str, dataset: str) -> Account | None:
        """One principal's account on one dataset."""
        row = self._db.row(
            "SELECT * FROM account WHERE principal = ? AND dataset = ?", (principal, dataset)
        )
        return _account(row) if row else None

    def accounts(self, principal: str) -> tuple[Account, ...]:
        """All accounts of a principal, by dataset."""
        text = "SELECT * FROM account WHERE principal = ? ORDER BY dataset"
        return tuple(map(_account, self._db.rows(text, (principal,))))

    def holders(self, dataset: str) -> tuple[Account, ...]:
        """All accounts on a dataset, by principal.  For stewards and auditors."""
        text = "SELECT * FROM account WHERE dataset = ? ORDER BY principal"
        return tuple(map(_account, self._db.rows(text, (dataset,))))

    def currency(self, dataset: str) -> Currency | None:
        """What the dataset's losses are counted in; None before its first table."""
        row = self._db.row("SELECT currency FROM dataset WHERE name = ?", (dataset,))
        return Currency(row[0]) if row else None

    def _afford(self, ask: ChargeRequest) -> None:
        """Return when both the account and the cap cover its cost and its delta."""
        principal, dataset, cost, delta = ask.principal, ask.dataset, ask.cost, ask.delta
        currency = self.currency(dataset)
        if currency not in (None, ask.currency) or (delta and ask.currency is Currency.PURE):
            raise IntegrityError(
                f"this charge is not one in the currency of {dataset}",
                code="PL410",
                facts={"the dataset": str(currency), "the charge": str(ask.currency)},
                hint="tell the steward: this is a defect of privlab, not of the question",
            )
        account = self.account(principal, dataset)
        if account is None:
            raise PolicyDenied(
                f"{principal} has no grant on {dataset}",
                code="PL203",
                hint="ask the steward of the dataset for a grant",
            )
        if cost > account.left:
            raise account_exceeded(account, cost, ask.held)
        if account.delta_spent.units + delta.units > account.delta_granted.units:
            raise delta_exceeded(account, delta)
        cap = self.cap(dataset)
        if (
            cap is None
            or cost > cap.left
            or cap.delta_spent.units + delta.units > cap.delta_cap.units
        ):
            raise cap_exceeded(dataset)

    def _check_delta(self, dataset: str, delta: Fraction, delta_cap: Delta) -> None:
        """Return when this is a delta for the dataset, and thresholds leave some of it."""
        if self.currency(dataset) is Currency.PURE:
            if delta or delta_cap:
                raise BadQuery(
                    f"{dataset} is pure, so its delta is 0, not {delta}",
                    code="PL108",
                    hint="set its budget with a delta of 0",
                )
            return
        if not LEAST_DATASET_DELTA <= delta < Fraction(1, 2) or not _is_decimal(delta):
            raise BadQuery(
                f"delta is a decimal from 1e-15 to below 0.5, not {str(delta)[:60]}",
                code="PL108",
                hint="one in a million is usual: 1e-6",
            )
        if delta - delta_cap.delta < LEAST_DATASET_DELTA:
            raise BadQuery(
                "thresholds may use up a part of delta, not all of it: an epsilon is read at the rest",
                code="PL108",
                hint=f"privlab budget thresholds {dataset} --share 10%",
            )

    def _check_sums(self) -> None:
        """See that every spent sum is the sum of its charges."""
        wrong = self._db.row(
            "SELECT 1 FROM account LEFT JOIN (SELECT principal, dataset, sum(cost) AS charged,"
            " sum(delta) AS failed FROM charge GROUP BY principal, dataset)"
            " USING (principal, dataset)"
            " WHERE spent <> coalesce(charged, 0) OR delta_spent <> coalesce(failed, 0)"
            " UNION ALL SELECT 1 FROM cap LEFT JOIN (SELECT dataset, sum(cost) AS charged,"
            " sum(delta) AS failed FROM charge GROUP BY dataset) USING (dataset)"
            " WHERE spent <> coalesce(charged, 0) OR delta_spent <> coalesce(failed, 0)"
        )
        if wrong:
            raise IntegrityError(
                "the ledger's accounts are not the sums of their charges",
                hint="the file was changed by another program: restore it",
            )


def _cap(row: Row) -> Cap:
    dataset, cap, spent, delta_cap, delta_spent, delta = row
    return Cap(
        dataset, Loss(cap), Loss(spent), Fraction(delta), Delta(delta_cap), Delta(delta_spent)
    )


def _account(row: Row) -> Account:
    principal, dataset, granted, spent, delta_granted, delta_spent = row
    return Account(
        principal, dataset, Loss(granted), Loss(spent), Delta(delta_granted), Delta(delta_spent)
    )


def _is_decimal(value: Fraction) -> bool:
    """Whether finitely many decimals write it: its denominator has no factor but 2 and 5."""
    return pow(10, value.denominator.bit_length(), value.denominator) == 0


def _countable(amount: Loss) -> None:
    if amount.units > MAX_UNITS:
        raise BadQuery("a budget of 2^15 and more protects nobody", code="PL108")


def _words(loss: Loss, delta: Delta) -> str:
    return f"{loss.text()}, delta {delta.units}" if delta else loss.text()
