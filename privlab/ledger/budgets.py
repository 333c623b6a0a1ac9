"""Caps and accounts: what may be lost, and what is spent of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from privlab.errors import BadQuery, BudgetExceeded, IntegrityError, PolicyDenied
from privlab.ledger.accounts import Account, Cap, account_exceeded, cap_exceeded
from privlab.ledger.record import MAX_UNITS, Book
from privlab.ledger.sqlite import Row
from privlab.terms.loss import Loss


class Budgets(Book):
    """Every dataset's cap and every principal's accounts."""

    def set_cap(self, dataset: str, cap: Loss, delta: Fraction, by: str) -> None:
        """Set what the dataset may lose in all.

        :raises BudgetExceeded: PL211, below what is spent already.
        :raises BadQuery: PL108, delta is not between 0 and 1, or the cap has no meaning.
        """
        if not 0 < delta < 1:
            raise BadQuery(f"delta lies between 0 and 1, not at {delta}", code="PL108")
        _countable(cap)
        with self._deed(by, "budget", dataset, amount=cap):
            old = self.cap(dataset)
            if old is not None and cap < old.spent:
                raise BudgetExceeded(
                    f"{dataset} has already lost more than this cap",
                    code="PL211",
                    facts={"cap": cap.text(), "spent": old.spent.text()},
                    hint="loss cannot be taken back: the lowest possible cap is what is spent",
                )
            if old is None:
                self._db.execute(
                    "INSERT INTO cap VALUES (?, ?, 0, ?)", (dataset, cap.units, str(delta))
                )
            else:
                self._db.execute(
                    "UPDATE cap SET cap = ?, delta = ? WHERE dataset = ?",
                    (cap.units, str(delta), dataset),
                )

    def cap(self, dataset: str) -> Cap | None:
        """The dataset's cap, what is spent of it, and its delta."""
        row = self._db.row("SELECT * FROM cap WHERE dataset = ?", (dataset,))
        return _cap(row) if row else None

    def caps(self) -> tuple[Cap, ...]:
        """Every dataset's cap, by name."""
        return tuple(map(_cap, self._db.rows("SELECT * FROM cap ORDER BY dataset")))

    def grant(self, principal: str, dataset: str, amount: Loss, by: str) -> None:
        """Set what the principal may learn of the dataset in all: a total, not an increase.

        :raises BudgetExceeded: PL210, below what she has spent already.
        :raises BadQuery: PL108, the amount has no meaning.
        """
        _countable(amount)
        with self._deed(by, "grant", dataset, subject=principal, amount=amount):
            old = self.account(principal, dataset)
            if old is not None and amount < old.spent:
                raise BudgetExceeded(
                    f"{principal} has already spent more than this grant on {dataset}",
                    facts={"grant": amount.text(), "spent": old.spent.text()},
                    hint="loss cannot be taken back: the lowest possible grant is what is spent",
                )
            if old is None:
                self._db.execute(
                    "INSERT INTO account VALUES (?, ?, ?, 0)", (principal, dataset, amount.units)
                )
            else:
                self._db.execute(
                    "UPDATE account SET granted = ? WHERE principal = ? AND dataset = ?",
                    (amount.units, principal, dataset),
                )

    def set_budget(
        self, dataset: str, cap: Loss, delta: Fraction, grants: Mapping[str, Loss], by: str
    ) -> None:
        """Set the cap and these principals' grants, all or nothing.

        :raises: as `set_cap` and `grant`.
        """
        with self._db.writing():
            self.set_cap(dataset, cap, delta, by)
            for principal, amount in grants.items():
                self.grant(principal, dataset, amount, by)

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

    def _afford(self, principal: str, dataset: str, cost: Loss) -> None:
        """Return when both the account and the cap cover ``cost``."""
        account = self.account(principal, dataset)
        if account is None:
            raise PolicyDenied(
                f"{principal} has no grant on {dataset}",
                code="PL203",
                hint="ask the steward of the dataset for a grant",
            )
        if cost > account.left:
            raise account_exceeded(account, cost)
        cap = self.cap(dataset)
        if cap is None or cost > cap.left:
            raise cap_exceeded(dataset)

    def _check_sums(self) -> None:
        """See that every spent sum is the sum of its charges."""
        wrong = self._db.row(
            "SELECT 1 FROM account LEFT JOIN (SELECT principal, dataset, sum(cost) AS charged"
            " FROM charge GROUP BY principal, dataset) USING (principal, dataset)"
            " WHERE spent <> coalesce(charged, 0)"
            " UNION ALL SELECT 1 FROM cap LEFT JOIN (SELECT dataset, sum(cost) AS charged"
            " FROM charge GROUP BY dataset) USING (dataset) WHERE spent <> coalesce(charged, 0)"
        )
        if wrong:
            raise IntegrityError(
                "the ledger's accounts are not the sums of their charges",
                hint="the file was changed by another program: restore it",
            )


def _cap(row: Row) -> Cap:
    return Cap(row[0], Loss(row[1]), Loss(row[2]), Fraction(row[3]))


def _account(row: Row) -> Account:
    return Account(row[0], row[1], Loss(row[2]), Loss(row[3]))


def _countable(amount: Loss) -> None:
    if amount.units > MAX_UNITS:
        raise BadQuery("a budget of mu^2 = 2^15 and more protects nobody", code="PL108")
