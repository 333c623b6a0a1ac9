"""A workspace is made once, read whole, and complained about at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from privlab.curator import workspace
from privlab.errors import BadContract
from privlab.terms.principal import Role, Tier
from tests.conftest import PLAIN


def test_a_personal_workspace_makes_its_owner_everything(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w", custody=PLAIN)

    (person,) = made.people
    assert person.uid == os.getuid()
    assert person.roles == {Role.OWNER, Role.STEWARD, Role.ANALYST}


def test_a_team_workspace_makes_its_owner_no_analyst(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w", custody=PLAIN, policy="team")

    assert Role.ANALYST not in made.people[0].roles


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    folder = workspace.create(tmp_path / "w", custody=PLAIN).folder

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.iterdir())}
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def test_there_is_no_second_workspace_in_one_folder(tmp_path: Path) -> None:
    workspace.create(tmp_path, custody=PLAIN)

    with pytest.raises(BadContract) as refusal:
        workspace.create(tmp_path, custody=PLAIN)

    assert refusal.value.code == "PL152"


def test_an_unknown_policy_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadContract):
        workspace.create(tmp_path / "w", custody=PLAIN, policy="lax")

    assert not (tmp_path / "w").exists()


def test_every_problem_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "privlab.toml").write_text(
        '[workspace]\nformat = 9\npolicy = "lax"\n[curator]\nidle_minutes = 0\n[engine]\nreader = "fast"\n'
        '[people.ana]\nuid = "x"\n[people.bo]\nuid = 5\nroles = ["king"]\n'
    )

    with pytest.raises(BadContract) as refusal:
        workspace.load(tmp_path)

    assert len(refusal.value.facts) == 7
    assert "king" in str(refusal.value)


@pytest.mark.parametrize("text", ["not = [toml", "[workspace"])
def test_a_broken_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "privlab.toml").write_text(text)

    with pytest.raises(BadContract, match=r"privlab\.toml"):
        workspace.load(tmp_path)


def test_a_uid_is_one_person_and_a_stranger_is_nobody(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w", custody=PLAIN)

    found = made.principal(os.getuid())

    assert found is not None
    assert found.tier is Tier.SAME_UID
    assert made.principal(4_000_000_000) is None


@pytest.mark.parametrize(
    "setting", ["", '[engine]\nreader = "native"\n', '[engine]\nreader = "arrow"\n']
)
def test_a_workspace_chooses_who_reads_its_tables(setting: str, tmp_path: Path) -> None:
    folder = workspace.create(tmp_path / "w", custody=PLAIN).folder
    file = folder / "privlab.toml"
    file.write_text(file.read_text() + setting)

    assert workspace.load(folder).reader == ("arrow" if "arrow" in setting else "native")
