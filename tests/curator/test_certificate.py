"""The signature vouches for facts that can be computed again from the bundle alone."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from privlab.client.session import Session
from privlab.release.verify import CHOICE, GAUSSIAN, guarantee
from privlab.terms.noise import RoundedGaussian
from privlab.wire.messages import Price


def test_the_charge_is_the_sum_of_sensitivity_times_precision(session: Session) -> None:
    release = session.ask(
        "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay FROM visits"
        " WHERE age < 43 GROUP BY ward"
    )

    facts = release.facts
    units = 0
    for measure in facts["measures"]:
        for noise in measure["noises"]:
            drawn = RoundedGaussian(int(noise["multiplier"]), int(noise["shift"]))
            units += math.ceil(int(measure["squaredSensitivity"]) * drawn.precision * 2**48)
    assert release.receipt is not None
    assert facts["loss"]["charged"] == release.receipt.charged == str(units)


def test_a_top_up_names_both_noises_and_the_loss_held(session: Session) -> None:
    text = "SELECT COUNT(*) AS n FROM visits WHERE age < 44"
    session.ask(text, price=Price(share="0.1"))
    facts = session.ask(text, price=Price(share="0.3")).facts

    (measure,) = facts["measures"]
    assert len(measure["noises"]) == 2
    assert int(facts["loss"]["held"]) > int(facts["loss"]["charged"])
    assert Fraction(facts["loss"]["epsilon"]) > 0


def test_the_account_is_named_by_a_salted_hash(session: Session) -> None:
    facts = session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 45").facts

    assert session.hello.principal not in str(facts["account"])
    assert len(facts["account"]["name"]) == 32


def test_it_says_what_a_reader_must_know(session: Session) -> None:
    facts = session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 46").facts

    assert facts["dataset"] == {
        "name": "clinic",
        "table": "visits",
        "version": "1",
        "synthetic": True,
    }
    assert facts["privacyUnit"]["word"] == "patient"
    assert facts["boundary"] == "same-uid"
    assert facts["policy"]["rules"] == ["analyst-asks"]
    assert facts["software"]["certifier"].startswith("opendp ")
    assert facts["test"] == {"seeded": False, "testMode": False}


def test_a_release_says_what_is_promised_beside_what_is_read(session: Session) -> None:
    facts = session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 47").facts

    account, loss = facts["account"], facts["loss"]
    (meter,) = session.state().accounts
    assert (
        0
        <= Fraction(meter.epsilon_granted) - Fraction(account["epsilonGranted"])
        < Fraction(1, 100)
    )
    assert Fraction(loss["epsilon"]) <= Fraction(account["epsilonSpent"])
    assert Fraction(account["epsilonSpent"]) <= Fraction(account["epsilonGranted"])
    assert guarantee(facts).endswith(
        f"the promise is her grant's: ({account['epsilonGranted']}, {loss['delta']})-DP"
    )


@pytest.mark.parametrize(
    "columns",
    [
        "COUNT(*) AS x",
        "COUNT(DISTINCT patient_id) AS x",
        "COUNT(DISTINCT ward) AS x",
        "SUM(amount) AS x",
        "AVG(stay_days) AS x, COUNT(stay_days) AS n",
        "MEDIAN(age) AS x",
        "MEDIAN(age) AS x, AVG(age) AS y",
        "VARIANCE(age) AS x",
    ],
)
@pytest.mark.parametrize("share", ["0.001", "0.5"])
def test_what_is_held_covers_the_noise_of_every_kind_of_answer(
    session: Session, columns: str, share: str
) -> None:
    """A bundle is verified when it is made: a finer answer after a coarse one too."""
    text = f"SELECT {columns} FROM visits WHERE age < 48"
    release = session.ask(text, price=Price(share=share))

    kinds = {measure["mechanism"] for measure in release.facts["measures"]}
    assert kinds <= {GAUSSIAN, CHOICE}
    assert (CHOICE in kinds) == ("MEDIAN" in columns)
