"""The ledger's guard is the filter of `accounting`, for losses and for deltas, in code and in SQL."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accounting.charge import Charge
from privlab.accounting.filter import UNTOUCHED, Budget
from privlab.errors import BudgetExceeded, CuratorUnreachable, IntegrityError
from privlab.ledger.accounts import ChargeRequest
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import Choice, DiscreteLaplace, RoundedGaussian
from privlab.views.measurement import Measurement

from .conftest import DELTA, Ask

LARGEST = (1 << 63) - 1
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PEOPLE = ("ana", "bob")
losses = st.integers(0, 40) | st.sampled_from([LARGEST, LARGEST - 1])
deltas = st.integers(0, 40) | st.just(LARGEST)
pairs = st.tuples(losses, st.integers(0, 40))
charges = st.lists(st.tuples(st.sampled_from(PEOPLE), losses, deltas), max_size=8)

BARE = (
    "INSERT INTO charge SELECT coalesce(max(seq), 0) + 1, ?1, ?2, zeroblob(32), 'clinic', 'q',"
    " ?3, ?4, 'p', '95', '', x'', 't' FROM charge"
)


class Twice:
    """The same budgets in a ledger, and in a file that another program writes to."""

    def __init__(self, folder: Path, cap: tuple[int, int], grant: tuple[int, int]) -> None:
        self.paths = folder / "one", folder / "two"
        for path in self.paths:
            ledger = Ledger.open(path, clock=lambda: NOW)
            ledger.set_cap("clinic", Loss(cap[0]), DELTA, "sam", Delta(cap[1]))
            for who in PEOPLE:
                ledger.grant(who, "clinic", Loss(grant[0]), "sam", Delta(grant[1]))
            ledger.close()
        self.ledger = Ledger.open(self.paths[0], clock=lambda: NOW)
        self.file = apsw.Connection(str(self.paths[1]))

    def close(self) -> None:
        self.ledger.close()
        self.file.close()

    def charge(self, number: int, who: str, cost: int, delta: int) -> tuple[bool, bool]:
        """Whether the ledger let it through, and whether the bare file did."""
        name = f"request-{number}"
        request = ChargeRequest(
            principal=who,
            request_id=name,
            body=bytes(32),
            dataset="clinic",
            question_id="question",
            cost=Loss(cost),
            delta=Delta(delta),
            purpose="care",
        )
        try:
            self.ledger.charge(request)
            one = True
        except BudgetExceeded:
            one = False
        try:
            self.file.execute(BARE, (who, name, cost, delta))
            two = True
        except apsw.ConstraintError as refusal:
            if "does not fit" not in str(refusal):
                raise
            two = False
        return one, two


@settings(deadline=None, max_examples=30)
@given(cap=pairs, grant=pairs, asked=charges)
def test_a_charge_is_let_through_exactly_where_both_filters_admit_it(
    cap: tuple[int, int], grant: tuple[int, int], asked: list[tuple[str, int, int]]
) -> None:
    whole = Budget(Loss(cap[0]), Delta(cap[1]))
    part = Budget(Loss(grant[0]), Delta(grant[1]))
    spent, by = UNTOUCHED, dict.fromkeys(PEOPLE, UNTOUCHED)
    with tempfile.TemporaryDirectory() as folder:
        twice = Twice(Path(folder), cap, grant)
        for number, (who, cost, delta) in enumerate(asked):
            charge = Charge(Loss(cost), Delta(delta))
            fits = whole.admits(spent, charge) and part.admits(by[who], charge)
            assert twice.charge(number, who, cost, delta) == (fits, fits)
            if fits:
                spent, by[who] = whole.spend(spent, charge), part.spend(by[who], charge)
        kept = twice.ledger.cap("clinic")
        assert kept is not None
        assert (kept.spent, kept.delta_spent) == (spent.loss, spent.delta)
        twice.close()


def test_a_delta_beyond_the_grant_is_refused_in_its_own_words(ledger: Ledger, ask: Ask) -> None:
    ledger.set_cap("clinic", Loss(120), DELTA, "sam", Delta(12))
    ledger.grant("ana", "clinic", Loss(100), "sam", Delta(10))
    ledger.charge(ask(cost=0, delta=Delta(7)))

    with pytest.raises(BudgetExceeded) as caught:
        ledger.charge(ask("request-2", cost=0, delta=Delta(4)))

    assert caught.value.code == "PL210"
    assert caught.value.facts == {"needs": "4 of 2^-64", "left": "3 of 2^-64"}
    with pytest.raises(BudgetExceeded) as caught:
        ledger.charge(ask("request-2", cost=0, delta=Delta(4), principal="bob"))
    assert caught.value.code == "PL210"
    ledger.grant("bob", "clinic", Loss(50), "sam", Delta(9))
    with pytest.raises(BudgetExceeded) as caught:
        ledger.charge(ask("request-2", cost=0, delta=Delta(6), principal="bob"))
    assert caught.value.code == "PL211"


def test_a_second_run_may_not_cost_more_delta_than_was_charged(ledger: Ledger, ask: Ask) -> None:
    ledger.set_cap("clinic", Loss(120), DELTA, "sam", Delta(12))
    ledger.grant("ana", "clinic", Loss(100), "sam", Delta(10))
    ledger.charge(ask(delta=Delta(2)))
    ledger.fail("ana", "request-1")

    with pytest.raises(CuratorUnreachable, match="costs more today"):
        ledger.charge(ask(delta=Delta(3)))
    assert ledger.charge(ask(delta=Delta(2))) == "resume"


@pytest.mark.parametrize(
    ("dataset", "charge"), [(Currency.PURE, Currency.GDP), (Currency.GDP, Currency.PURE)]
)
def test_a_charge_in_the_other_currency_is_refused(
    ledger: Ledger, ask: Ask, dataset: Currency, charge: Currency
) -> None:
    """An amount of epsilon is not one of mu^2, so this would be a false account."""
    ledger.register_table("clinic", "visits", 1, "patient_id", "11" * 32, "ola", dataset)
    before = ledger.sequence()

    with pytest.raises(IntegrityError) as caught:
        ledger.charge(ask(currency=charge))

    assert caught.value.code == "PL410"
    assert ledger.sequence() == before
    assert ledger.charge(ask(currency=dataset)) == "new"


def test_a_pure_charge_has_no_delta(ledger: Ledger, ask: Ask) -> None:
    with pytest.raises(IntegrityError) as caught:
        ledger.charge(ask(currency=Currency.PURE, delta=Delta(1)))
    assert caught.value.code == "PL410"


def test_the_law_of_a_measurement_is_kept(ledger: Ledger, ask: Ask) -> None:
    laplace = Measurement(DiscreteLaplace(3, 1), (1, -2))
    ledger.charge(ask())
    ledger.settle("ana", "request-1", [("view", laplace)], "b", b"a")
    ledger.charge(ask("request-2"))
    gaussian = Measurement(RoundedGaussian(3, 1), (4, 5))
    choice = Measurement(Choice.at_most(Fraction(1, 3)), (60, 0))
    ledger.settle("ana", "request-2", [("other", gaussian), ("median", choice)], "b", b"a")

    assert ledger.held("ana", "view") == (laplace,)
    assert ledger.held("ana", "other") == (gaussian,)
    assert ledger.held("ana", "median") == (choice,)
