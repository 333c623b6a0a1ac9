"""kill -9 and a full disk at every step of a change: the old state, or the new one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from privlab.connector import durable
from privlab.connector.keys import Custody, Place, Secrets
from privlab.connector.providers import passphrase
from privlab.errors import BadContract, IntegrityError

from .steps import Steps, killed, steps_of

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
LATER = NOW.replace(year=2027)
AGE, WARD = (Place("clinic", "visits", 1, name) for name in ("age", "ward"))
GIVEN = Secrets.typed(lambda: b"correct horse battery staple")
SCHEMES = ("plain:keys/master.key", "file:keys/master.key")

Act = Callable[[Custody], object]
DEEDS: dict[str, Act] = {
    "provide": lambda custody: custody.provide([WARD]),
    "rotate": lambda custody: custody.rotate(LATER),
    "shred": lambda custody: custody.shred([AGE], LATER),
}


@pytest.fixture(params=SCHEMES, ids=["plain", "file"])
def uri(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(passphrase, "WORK", passphrase.LEAST_WORK)
    return str(request.param)


@pytest.fixture
def before(uri: str, tmp_path: Path) -> tuple[Path, bytes]:
    """A workspace with one key, and a data key that it wrapped."""
    folder = tmp_path / "before"
    custody = Custody.create(uri, base=folder, now=NOW, given=GIVEN)
    return folder, custody.wrap(b"k" * 32, AGE)


def opened(uri: str, folder: Path) -> Custody:
    return Custody.open(uri, base=folder, given=GIVEN)


def state(custody: Custody, wrapped: bytes) -> tuple[str, bool, bool]:
    """What a start finds: since when, whether the key opens, whether there is another one."""
    opens = AGE in custody.places()
    if opens:
        assert custody.unwrap(wrapped, AGE) == b"k" * 32
    else:
        with pytest.raises(IntegrityError, match="was shredded"):
            custody.unwrap(wrapped, AGE)
    return custody.since, opens, WARD in custody.places()


OLD = ("2026-11-24T05:00:00Z", True, False)
NEW = {
    "provide": ("2026-11-24T05:00:00Z", True, True),
    "rotate": ("2027-11-24T05:00:00Z", True, False),
    "shred": ("2027-11-24T05:00:00Z", False, False),
}


def judge(deed: str, uri: str, folder: Path, wrapped: bytes) -> tuple[str, bool, bool]:
    """Old or new; one master; and everything works from here."""
    found = opened(uri, folder)
    seen = state(found, wrapped)
    assert seen in (OLD, NEW[deed])
    assert len(found._stored.masters().by_name) == 1
    DEEDS[deed](found)
    assert state(opened(uri, folder), wrapped) == NEW[deed]
    left = [p.name for p in (folder / "keys").iterdir() if p.name.endswith(".new")]
    assert left == []
    return seen


@pytest.mark.parametrize("how", ["before", "half", "after"])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_kill_at_any_step_leaves_the_old_state_or_the_new(
    deed: str, how: str, uri: str, before: tuple[Path, bytes], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder, wrapped = before
    total = _steps(deed, uri, folder, tmp_path, monkeypatch)
    seen = set()
    for at in range(1, total + 1):
        home = tmp_path / f"{how}-{at}"
        shutil.copytree(folder, home)
        custody = opened(uri, home)

        assert killed(lambda _, c=custody: DEEDS[deed](c), how, at)

        seen.add(judge(deed, uri, home, wrapped))
    assert seen == {OLD, NEW[deed]}, "both were met"


@pytest.mark.parametrize("deed", DEEDS)
def test_a_full_disk_at_any_step_leaves_the_old_state_or_the_new(
    deed: str, uri: str, before: tuple[Path, bytes], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The custody that met it goes on, and so does the next start."""
    folder, wrapped = before
    struck = 0
    for at in range(1, _steps(deed, uri, folder, tmp_path, monkeypatch) + 1):
        home = tmp_path / f"full-{at}"
        shutil.copytree(folder, home)
        custody = opened(uri, home)
        with monkeypatch.context() as patch:
            steps = Steps("full", at)
            patch.setattr(durable, "os", steps)
            if not _meets(steps, partial(DEEDS[deed], custody)):
                continue
            struck += 1
        judge(deed, uri, home, wrapped)
    assert struck >= 3


def test_a_creation_that_meets_a_full_disk_can_be_tried_again(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whatever step: no half of a workspace stands in its way."""

    def create() -> object:
        return Custody.create(uri, base=tmp_path / "w", now=NOW, given=GIVEN)

    total = steps_of(create, monkeypatch)
    for at in range(1, total + 1):
        shutil.rmtree(tmp_path / "w")
        with monkeypatch.context() as patch:
            steps = Steps("full", at)
            patch.setattr(durable, "os", steps)
            if not _meets(steps, create):
                continue
        if not (tmp_path / "w" / "keys" / "keychain").exists():
            create()
        assert opened(uri, tmp_path / "w").generation == 1


def _meets(steps: Steps, act: Callable[[], object]) -> bool:
    """Whether it met the full disk; in our words, if it did."""
    try:
        act()
    except BadContract as told:
        words = told.what
    else:
        words = ""
    assert not words or "the disk is full" in words or "cannot be" in words
    return steps.struck


def _steps(
    deed: str, uri: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> int:
    home = tmp_path / "counted"
    shutil.copytree(folder, home)
    custody = opened(uri, home)
    return steps_of(lambda: DEEDS[deed](custody), monkeypatch)
