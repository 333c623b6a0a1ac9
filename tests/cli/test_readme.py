"""What the README tells a newcomer to type works as it stands, and prints what it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from privlab.accounting import levels
from privlab.cli.demo import build, clinic
from privlab.client.owner import Owner
from privlab.client.session import Session

README = Path(__file__).parents[2] / "README.md"
ANSWERS = {
    "name": '"visits"',
    "dataset": '"clinic"',
    "unit": '"patient_id"',
    "unit_word": '"patient"',
    "rows_per_unit": "8",
    "row_cap": "2_000_000",
    "purposes": '["exploration"]',
}
"""What an owner writes in place of each ``"?"`` of the draft."""


def blocks(after: str = "") -> list[str]:
    """The fenced blocks without a language, after the heading ``after``."""
    text = README.read_text("utf-8")
    return re.findall(r"^```\n(.*?)^```$", text[text.index(after) :], re.DOTALL | re.MULTILINE)


@pytest.fixture
def hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, privlab) -> Iterator[Path]:
    """A working folder with ``visits.parquet``, of a user who has no workspace."""
    for name in ("PRIVLAB_URL", "PRIVLAB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    clinic.build(tmp_path, patients=500)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    privlab("curator", "stop")


def test_the_owner_s_commands_lead_to_an_answer(privlab, hour: Path) -> None:
    """Each message on the way names the command that comes next."""
    lines = [
        shlex.split(line, comments=True) for line in blocks("## Your own table")[0].splitlines()
    ]
    assert [words[0] for words in lines] == ["privlab"] * len(lines)
    assert [words[1] for words in lines] == ["init", "draft", "protect", "budget", "budget", "ask"]
    printed = []
    for words in lines:
        ended = privlab(*words[1:])
        assert ended.status == 0, (words, ended.err)
        printed.append(ended.out)
        if words[1] == "draft":
            fill(hour / "visits.toml")
    assert "before anybody can ask about it:" in printed[2]
    hinted = printed[2].rstrip().splitlines()[-1]
    assert hinted == f"  a budget: {shlex.join(lines[4])}"
    assert "±95" in printed[-1]


def test_a_grant_before_there_is_a_budget_names_a_command_that_works(privlab, hour: Path) -> None:
    lines = [
        shlex.split(line, comments=True) for line in blocks("## Your own table")[0].splitlines()
    ]
    for words in lines[:3]:
        privlab(*words[1:])
        if words[1] == "draft":
            fill(hour / "visits.toml", purposes="[]")
    protected = privlab(*lines[2][1:])
    assert 'a purpose: write purposes = ["exploration"]' in protected.out
    refused = privlab("budget", "grant", "clinic", "ana", "--share", "10%")
    assert refused.err.startswith("PL112 clinic has no cap yet")
    command = refused.err.rsplit("hint: ", 1)[1].split()
    assert privlab(*command[1:]).status == 0
    assert "a budget" not in privlab(*lines[2][1:]).out


def fill(contract: Path, **other: str) -> None:
    """Answer every open field of a drafted contract."""
    text = contract.read_text("utf-8")
    for name, answer in (ANSWERS | other).items():
        text = text.replace(f'{name} = "?"', f"{name} = {answer}", 1)
    assert not re.search(r'^\w+ = "\?"', text, re.MULTILINE)
    contract.write_text(text, "utf-8")


def test_the_first_answer_has_the_caption_and_the_cost_that_are_printed(
    privlab, hour: Path
) -> None:
    """The clinic's contract and budget are the demo's; only the rows are fewer."""
    privlab("init")
    for name in ("visits", "patients"):
        (hour / f"{name}.toml").write_text(build.contract_text(name), "utf-8")
        privlab("protect", hour / f"{name}.parquet", "--contract", hour / f"{name}.toml")
    session = Session.connect()
    plan = levels.plan(build.LEVELS["clinic"], build.ANALYSTS, build.QUESTIONS)
    grants = {session.hello.principal: plan.grant}
    Owner(session).set_budget("clinic", plan.cap, Fraction(1, 10**6), grants)
    magic, question = blocks()[1].split("\n", 1)
    assert magic == "%%private by_ward --share 1%"

    printed = repr(session.ask(question, name="by_ward")).splitlines()
    shown = blocks()[2].splitlines()

    assert shown[-2:] == printed[-2:]
    assert shown[0].split() == printed[1].split()
    assert all(line.split()[-1] == printed[3].split()[-1] for line in shown[2:5])
