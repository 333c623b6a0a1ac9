"""A pure clinic, from its contract to a verified release: epsilons add, and nothing else does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from privlab.client.frames import Release
from privlab.client.owner import Owner
from privlab.client.price import price
from privlab.client.session import Session
from privlab.errors import BadQuery, PrivlabError
from privlab.terms.loss import UNITS_PER_ONE, Loss
from privlab.wire import locate
from privlab.wire.messages import Price

PATIENTS, EACH = 600, 2
WARDS = ("north", "south", "west")

PLAN = (
    "budget",
    "plan",
    "clinic",
    "--analysts",
    "1",
    "--questions",
    "20",
    "--level",
    "open",
    "--write",
)

CONTRACT = """\
[table]
name = "visits"
dataset = "clinic"
privacy = "pure"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 2
row_cap = 100_000
rows = 1_200
synthetic = true
purposes = ["exploration"]

[columns.patient_id]
type = "int"

[columns.ward]
type = "text"
keys = ["north", "south", "west"]

[columns.stay]
type = "int"
range = [0, 30]
"""


def privlab(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "privlab", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def done(*words: str | Path) -> str:
    ended = privlab(*words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Iterator[Path]:
    """1,200 visits of 600 patients, protected by the command, with a standard budget."""
    root = tmp_path_factory.mktemp("pure")
    lines = ["patient_id,ward,stay"]
    for patient in range(PATIENTS):
        for visit in range(EACH):
            lines.append(f"{patient},{WARDS[patient % 3]},{(patient + 7 * visit) % 21}")
    (root / "visits.csv").write_text("\n".join(lines) + "\n")
    (root / "visits.toml").write_text(CONTRACT)
    patch = pytest.MonkeyPatch()
    patch.delenv("PRIVLAB_URL", raising=False)
    patch.setenv("PRIVLAB_WORKSPACE", str(root / "w"))
    try:
        done("init", root / "w", "--custody", "plain:keys/master.key")
        done("protect", root / "visits.csv", "--contract", root / "visits.toml")
        plan = done(*PLAN)
        assert "ε of the dataset" in plan
        assert "mu of the dataset" not in plan
        yield root
    finally:
        privlab("curator", "stop")
        patch.undo()


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    opened = Session(locate.start(locate.find(env=dict(os.environ))))
    yield opened
    opened.close()


def spent(session: Session) -> int:
    (account,) = session.state().accounts
    return int(account.spent)


def epsilons(release: Release) -> Fraction:
    """What the noise that a release states costs, from the statement alone."""
    total = Fraction(0)
    for measure in release.facts["measures"]:
        assert measure["mechanism"] == "discrete Laplace of scale multiplier / 2^shift"
        (noise,) = measure["noises"]
        scale = Fraction(int(noise["multiplier"]), 1 << int(noise["shift"]))
        total += int(measure["sensitivity"]) / scale
    return total


def test_counts_sums_and_means_are_answered_in_both_surfaces(session: Session) -> None:
    """Within three of their 99.99 % half-widths, and the same question is the same view."""
    text = (
        "SELECT ward, COUNT(*) AS n, SUM(stay) AS days, AVG(stay) AS stay, "
        "COUNT(DISTINCT patient_id) AS patients FROM visits GROUP BY ward"
    )
    sql = session.ask(text, price=Price(share="20"), confidence="99.99")
    truth = {"north": "400 3788 9.47 200", "south": "400 4188 10.47 200", "west": "400 4000 10 200"}
    rows = zip(sql.result["rows"], sql.result["half_widths"], strict=True)
    for (ward, *values), (_, *widths) in (row for row in rows if row[0][0] is not None):
        for value, width, exact in zip(values, widths, truth[ward].split(), strict=True):
            assert abs(Fraction(value) - Fraction(exact)) <= 3 * Fraction(width)
    before = spent(session)

    polars = session.ask(
        'visits.group_by("ward").agg(n=pl.len(), days=pl.col("stay").sum(), '
        'stay=pl.col("stay").mean(), patients=pl.col("patient_id").n_unique())',
        price=Price(share="20"),
        confidence="99.99",
    )

    assert polars.result["rows"] == sql.result["rows"]
    assert spent(session) == before
    assert polars.receipt is not None
    assert polars.receipt.free


def test_the_charge_is_the_epsilon_of_the_noise_that_the_statement_names(session: Session) -> None:
    before = spent(session)
    release = session.ask(
        "SELECT ward, SUM(stay) AS days FROM visits WHERE stay > 1 GROUP BY ward",
        price=Price(epsilon="0.05"),
    )
    assert release.receipt is not None
    charged = int(release.receipt.charged)
    assert charged == spent(session) - before
    assert charged == -(-epsilons(release) * UNITS_PER_ONE // 1)
    assert Fraction(499, 10_000) <= Fraction(charged, UNITS_PER_ONE) <= Fraction(1, 20)
    loss = release.facts["loss"]
    assert (loss["delta"], loss["epsilon"]) == ("0", "0.0500")
    assert loss["definition"].startswith("pure:")
    assert loss["held"] == loss["charged"] == release.receipt.charged


def test_coarser_is_free_and_finer_is_paid_in_full_and_replaces(session: Session) -> None:
    text = "SELECT COUNT(*) AS n FROM visits WHERE stay > 2"
    first = session.ask(text, price=Price(epsilon="0.02"))
    start = spent(session)
    again = session.ask(text, price=Price(epsilon="0.01"))
    assert spent(session) == start
    assert again.result["rows"] == first.result["rows"]

    told = session.explain(text, price=Price(epsilon="0.04"))
    finer = session.ask(text, price=Price(epsilon="0.04"))

    assert finer.receipt is not None
    assert told.charge == finer.receipt.charged == str(spent(session) - start)
    for words in (told.words, finer.receipt.words):
        assert "in a pure dataset a finer answer is paid in full" in words
    assert epsilons(finer) == pytest.approx(Fraction(4, 100))
    assert Fraction(finer.result["half_widths"][0][0]) < Fraction(first.result["half_widths"][0][0])
    assert finer.facts["loss"]["charged"] == finer.receipt.charged
    both = int(finer.receipt.charged) + int(first.facts["loss"]["charged"])
    assert finer.facts["loss"]["held"] == str(both)
    before = spent(session)
    coarse = session.ask(text, price=Price(epsilon="0.02"))
    assert coarse.result["rows"] == finer.result["rows"]
    assert spent(session) == before


def test_a_half_width_is_met_exactly(session: Session) -> None:
    release = session.ask(
        "SELECT ward, COUNT(*) AS n FROM visits WHERE stay > 3 GROUP BY ward",
        price=price(within="200"),
    )
    assert {widths[1] for widths in release.result["half_widths"]} == {"200"}


def test_a_mean_is_as_close_as_was_asked_for(session: Session) -> None:
    release = session.ask("SELECT AVG(stay) AS stay FROM visits", price=price(within="5"))
    ((width,),) = release.result["half_widths"]
    assert Fraction(width) <= Fraction(11, 2)  # the count that came may be below the stated size


def test_the_release_verifies_and_says_what_it_guarantees(session: Session, folder: Path) -> None:
    release = session.ask(
        "SELECT COUNT(*) AS n FROM visits WHERE stay > 4", price=Price(epsilon="0.02")
    )
    saved = release.save(folder / "n.json")

    told = done("verify", saved)

    assert "the asker's answers to this question: 0.0200-DP, without a delta" in told
    assert "discrete Laplace" in told
    text = json.loads(saved.read_text())
    text["result"] = text["result"].replace('"n"', '"m"')
    saved.write_text(json.dumps(text))
    assert privlab("verify", saved).returncode == 4


def test_budgets_are_shown_as_epsilons_without_a_delta(session: Session) -> None:
    (account,) = session.state().accounts
    assert account.delta == "0"
    granted = Fraction(int(account.granted), UNITS_PER_ONE)
    assert 0 <= Fraction(account.epsilon_granted) - granted < Fraction(1, 100)
    steward = done("budget", "show", "clinic")
    assert "cap ε" in steward
    assert "delta 0" in steward
    assert "grant (ε)" in steward
    assert "pure: losses are epsilons and add" in done("describe", "visits")


def test_all_that_was_charged_adds_up_to_the_account_exactly(session: Session) -> None:
    state = session.state()
    (account,) = state.accounts
    assert sum(int(release.charged) for release in state.releases) == int(account.spent)


@pytest.mark.parametrize("table", ["visits", "patients"])
def test_a_table_of_the_other_currency_is_refused_exactly(folder: Path, table: str) -> None:
    """A second table and a new version alike, before a row of the file is read."""
    other = CONTRACT.replace('privacy = "pure"\n', "").replace('"visits"', f'"{table}"')
    owner = Owner.connect()
    with pytest.raises(PrivlabError) as caught:
        owner.prepare(other)
    owner.session.close()
    assert caught.value.code == "PL150"
    assert caught.value.facts == {"in the contract": "gdp", "registered": "pure"}
    assert 'write privacy = "pure"' in str(caught.value)


def test_a_pure_dataset_takes_no_delta(session: Session) -> None:
    owner = Owner(session)
    with pytest.raises(BadQuery) as caught:
        owner.set_budget("clinic", Loss(UNITS_PER_ONE), Fraction(1, 10**6), {})
    assert caught.value.code == "PL108"


def test_what_does_not_fit_is_refused_and_changes_nothing(session: Session) -> None:
    before: Any = session.state()
    with pytest.raises(PrivlabError) as caught:
        session.ask("SELECT COUNT(*) AS n FROM visits WHERE stay > 5", price=Price(epsilon="0.9"))
    assert caught.value.code in ("PL200", "PL210")
    assert session.state().accounts == before.accounts
