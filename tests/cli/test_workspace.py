"""An owner's and an analyst's first hour, at the terminal, with a real curator."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

import privlab as package
from privlab.cli.app import main
from privlab.cli.demo import clinic
from privlab.cli.demo.build import contract_text
from privlab.client.owner import Owner
from privlab.client.session import Session
from privlab.jupyter import display
from privlab.terms.loss import Delta
from tests.conftest import PLAIN

COUNT = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"


def call(*words: str) -> int:
    """Run the command outside of a test's own fixtures."""
    before, sys.argv = sys.argv, ["privlab", *words]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small clinic, protected, with a budget."""
    root = tmp_path_factory.mktemp("hour")
    clinic.build(root, patients=1_000)
    for name in ("visits", "patients"):
        (root / f"{name}.toml").write_text(contract_text(name), "utf-8")
    patch = pytest.MonkeyPatch()
    patch.delenv("PRIVLAB_URL", raising=False)
    patch.setenv("PRIVLAB_WORKSPACE", str(root / "w"))
    patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
    patch.setenv("XDG_RUNTIME_DIR", str(root / "run"))
    (root / "run").mkdir(mode=0o700)
    try:
        assert call("init", str(root / "w"), "--custody", PLAIN) == 0
        for name in ("visits", "patients"):
            done = call(
                "protect", str(root / f"{name}.parquet"), "--contract", str(root / f"{name}.toml")
            )
            assert done == 0
        plan = "budget plan clinic --analysts 1 --questions 100 --level standard --write"
        assert call(*plan.split()) == 0
        yield root
    finally:
        call("curator", "stop")
        patch.undo()


def test_protecting_ends_with_where_the_plain_file_still_is(privlab, folder: Path) -> None:
    ended = privlab("protect", folder / "patients.parquet", "--contract", folder / "patients.toml")
    assert ended.status == 0
    assert "read 1,000 rows, kept 1,000, of 1,000 units" in ended.out
    last = ended.out.rstrip().splitlines()[-1]
    assert last == f"the plain rows are still readable: {folder / 'patients.parquet'}"
    assert "version 2" in ended.out


def test_a_frame_is_protected_from_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_session", None)
    frame = pl.read_parquet(folder / "patients.parquet").to_arrow()
    done = package.protect(frame, contract=folder / "patients.toml")
    assert done.counts.rows_kept == 1000
    assert done.version == 3
    assert str(done).endswith(f"{done.dataset}.patients version 3 is protected")


def test_a_bad_contract_lists_every_problem_and_registers_nothing(privlab, folder: Path) -> None:
    text = contract_text("visits").replace("row_cap = 2000000", "row_cap = 0")
    (folder / "bad.toml").write_text(text.replace('type = "float"', 'type = "flaot"'), "utf-8")
    ended = privlab("protect", folder / "visits.parquet", "--contract", folder / "bad.toml")
    assert ended.status == 1
    assert ended.err.startswith("PL150 the contract has 3 problems")
    assert "visits" in privlab("tables").out


def test_tables_and_their_columns_are_shown(privlab, folder: Path) -> None:
    listed = privlab("tables")
    assert listed.status == 0
    assert "visits" in listed.out
    assert "synthetic" in listed.out
    shown = privlab("describe", "visits")
    assert "withheld" in shown.out
    assert "stay_days" in shown.out
    assert privlab("describe", "visit").err.startswith("PL102 ")


def test_the_terminal_and_the_notebook_name_the_same_facts_alike(privlab, folder: Path) -> None:
    """One builder of tables serves both."""
    session = Session.connect()
    state = session.state()
    for words, page in (
        (("tables",), display.tables_page(session.tables())),
        (("describe", "visits"), display.describe_page(session.describe("visits"))),
        (("budget", "show"), display.budget_page(state)),
        (("ask", COUNT, "--explain"), display.explain_page(session.explain(COUNT))),
    ):
        printed = privlab(*words).out
        table = page.tables[0]
        for row in (table.heads, *table.rows):
            assert " ".join(row).split() in [line.split() for line in printed.splitlines()]
        said = [note for note in table.notes if not note.startswith("%private")]
        assert printed.rstrip().splitlines()[-len(said) :] == said or not said


def test_an_answer_is_printed_with_its_error_and_is_free_again(privlab, folder: Path) -> None:
    first = privlab("ask", COUNT, "--share", "1%")
    assert first.status == 0
    assert "Cardiology" in first.out
    assert "±" in first.out
    again = privlab("ask", COUNT, "--share", "1%")
    assert "free" in again.out

    def numbers(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith(tuple(clinic.WARDS))]

    assert numbers(again.out) == numbers(first.out) != []


def test_the_question_may_come_from_standard_input_with_parameters(
    privlab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr(
        sys, "stdin", io.StringIO("SELECT COUNT(*) AS n FROM visits WHERE age >= :limit")
    )
    ended = privlab("ask", "-", "--param", "limit=65", "--csv")
    assert ended.status == 0
    head, row = ended.out.strip().splitlines()
    assert head == "n,n_pm"
    assert float(row.split(",")[1]) > 0


def test_a_parameter_given_twice_is_a_list(privlab, folder: Path) -> None:
    question = "SELECT COUNT(*) AS n FROM visits WHERE ward IN :w AND age >= :limit"
    given = ("--param", "w=Surgery", "--param", "limit=65", "--param", "w=Cardiology")
    ended = privlab("ask", question, *given, "--explain")
    assert ended.status == 0, ended.err
    assert "Surgery" in ended.out
    assert "Cardiology" in ended.out
    one = ("--param", "w=Surgery", "--param", "w=Surgery", "--param", "limit=65")
    assert privlab("ask", question, *one, "--explain").status == 0


def test_explaining_spends_nothing(privlab, folder: Path) -> None:
    before = privlab("budget", "show").out
    ended = privlab("ask", "SELECT AVG(cost) AS c FROM visits", "--share", "5%", "--explain")
    assert ended.status == 0
    assert "5 %" in ended.out
    assert privlab("budget", "show").out == before


def test_what_is_refused_ends_with_status_one(privlab, folder: Path) -> None:
    assert privlab("ask", "SELECT * FROM visits").err.startswith("PL105 ")
    assert privlab("ask", "SELECT COUNT(*) AS n FROM visits WHERE notes = 'x'").status == 1


def test_a_saved_release_verifies_and_an_edited_one_does_not(privlab, folder: Path) -> None:
    saved = folder / "by_ward.json"
    privlab("ask", COUNT, "--save", saved)
    good = privlab("verify", saved)
    assert good.status == 0
    assert "verified: signed by" in good.out
    assert privlab("verify", saved, "--key", folder / "w" / "curator.pub").status == 0
    text = saved.read_text("utf-8")
    json.loads(text)
    spot = text.index("payload") + 60
    flipped = "A" if text[spot] != "A" else "B"
    (folder / "edited.json").write_text(text[:spot] + flipped + text[spot + 1 :], "utf-8")
    bad = privlab("verify", folder / "edited.json")
    assert bad.status == 4
    assert bad.err.startswith("PL407 ")
    assert bad.out == ""


def test_a_plan_shows_all_levels_and_writes_nothing_by_itself(privlab, folder: Path) -> None:
    before = privlab("budget", "show", "clinic").out
    ended = privlab("budget", "plan", "clinic", "--analysts", 3, "--questions", 50)
    assert ended.status == 0
    assert all(level in ended.out for level in ("careful", "standard", "open"))
    assert "a count of units (patient)" in ended.out
    assert "a count of rows of visits" in ended.out
    assert privlab("budget", "show", "clinic").out == before
    unsure = privlab("budget", "plan", "clinic", "--analysts", 1, "--questions", 50, "--write")
    assert unsure.err.startswith("PL112 ")


def test_a_grant_to_a_stranger_is_refused(privlab, folder: Path) -> None:
    ended = privlab("budget", "grant", "clinic", "nobody-we-know", "--share", "10%")
    assert ended.status == 1
    assert ended.err.startswith("PL203 ")


def test_a_grant_of_less_than_can_be_counted_is_refused(privlab, folder: Path) -> None:
    """It would be a grant of nothing; the hint is a command that works."""
    before = privlab("budget", "show", "clinic").out
    me = Session.connect().hello.principal
    ended = privlab("budget", "grant", "clinic", me, "--share", "1e-25%")
    assert ended.status == 1
    assert ended.err.startswith("PL108 1e-25% of the cap of clinic is less than")
    assert f"privlab budget grant clinic {me} --share 10%" in " ".join(ended.err.split())
    assert privlab("budget", "show", "clinic").out == before


def test_thresholds_get_a_part_of_delta_and_every_analyst_hers(privlab, folder: Path) -> None:
    """A level writes 10 %; what a steward sets takes its place, and `show` says it."""
    assert "thresholds may use up 10 % of delta" in privlab("budget", "show", "clinic").out
    ended = privlab("budget", "thresholds", "clinic", "--share", "25%")
    assert ended.status == 0
    assert "25% of the delta of clinic" in ended.out
    told = " ".join(privlab("budget", "show", "clinic").out.split())
    assert "thresholds may use up 25 % of delta, and used 0" in told
    facts = Owner.connect().dataset("clinic")
    assert facts.thresholds == str(Delta.budget(Fraction(facts.delta) / 4).units)


@pytest.mark.parametrize("share", ["100%", "0%", "much"])
def test_a_part_of_delta_that_is_none_is_refused(privlab, folder: Path, share: str) -> None:
    """All of it would leave nothing for the noise."""
    before = Owner.connect().dataset("clinic")
    ended = privlab("budget", "thresholds", "clinic", "--share", share)
    assert ended.status == 1
    assert ended.err.startswith("PL108 ")
    assert Owner.connect().dataset("clinic") == before


def test_status_says_whom_the_curator_takes_us_for(privlab, folder: Path) -> None:
    ended = privlab("curator", "status")
    assert ended.status == 0
    assert "tier same-uid" in ended.out
    assert "analyst" in ended.out


def test_protecting_the_same_unit_in_another_dataset_warns(privlab, folder: Path) -> None:
    """By column and word alone, whatever the currency; nothing stops it."""
    text = contract_text("patients").replace('dataset = "clinic"', 'dataset = "other"')
    text = text.replace('name = "patients"', 'name = "people"')
    (folder / "people.toml").write_text(
        text.replace("[table]", '[table]\nprivacy = "pure"'), "utf-8"
    )
    twin = privlab("protect", folder / "patients.parquet", "--contract", folder / "people.toml")
    assert twin.status == 0
    said = " ".join(twin.out.split())
    assert "other.people version 1 is protected" in said
    assert "warning: clinic is about a patient by patient_id too; if these are the same" in said

    text = text.replace('"other"', '"third"').replace('"people"', '"staff"')
    (folder / "staff.toml").write_text(
        text.replace('unit_word = "patient"', 'unit_word = "nurse"'), "utf-8"
    )
    stranger = privlab("protect", folder / "patients.parquet", "--contract", folder / "staff.toml")
    assert stranger.status == 0
    assert "warning" not in stranger.out


def test_stopping_loses_nothing(privlab, folder: Path) -> None:
    privlab("ask", COUNT)
    assert "has ended" in privlab("curator", "stop").out
    assert privlab("curator", "status").status == 3
    ended = privlab("ask", COUNT)
    assert ended.status == 0
    assert "free" in ended.out
    assert os.environ["PRIVLAB_WORKSPACE"] == str(folder / "w")
