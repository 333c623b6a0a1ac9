"""``privlab key``, as an owner types it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from privlab.cli import passphrase as passphrases
from privlab.errors import BadContract

PHRASE = "correct horse battery staple"


@pytest.fixture
def home(fresh_workspace: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A protected clinic whose commands find it."""
    place = fresh_workspace()
    monkeypatch.delenv("PRIVLAB_URL", raising=False)
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(place.folder))
    yield place
    place.stop()


def test_keys_are_listed_rotated_and_shredded(privlab, home) -> None:
    listed = privlab("key", "list")
    assert listed.status == 0
    assert listed.out.startswith("custody plain, master since ")
    assert "clinic.visits@1" in listed.out
    assert "no end stated" in listed.out

    assert privlab("key", "rotate", "--if-older-than", "90d").out.startswith("nothing to do")
    assert privlab("key", "rotate").out.startswith("a new master since ")

    dry = privlab("key", "shred", "clinic.visits:age")
    assert dry.out == "would go: clinic.visits@1:age\n"
    assert "--yes" in dry.err
    assert privlab("ask", "SELECT SUM(age) AS s FROM visits").status == 0

    done = privlab("key", "shred", "clinic.visits:age", "--yes")
    assert done.out == "shredded: clinic.visits@1:age\n"
    assert "recovery kits" in done.err

    told = privlab("ask", "SELECT SUM(age) AS s FROM visits")
    assert told.status == 4
    assert told.err.startswith("PL411 column age of clinic.visits version 1 was shredded\n")
    assert re.search(r"clinic\.visits@1 .* age ", privlab("key", "list").out)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("shred",), "PL112"),
        (("shred", "clinic", "--past-retention"), "PL112"),
        (("shred", "hospital", "--yes"), "PL112"),
        (("rotate", "--if-older-than", "soon"), "PL112"),
        (("rotate", "--if-older-than", "99999d"), "PL112"),
        (("restore", "no-such-kit"), "PL152"),
        (("move", "vault:x"), "PL152"),
    ],
)
def test_what_means_nothing_is_refused_in_words(privlab, home, words, code) -> None:
    ended = privlab("key", *words)

    assert ended.status == 1
    assert ended.err.startswith(f"{code} ")
    assert "hint:" in ended.err


def test_nothing_past_its_retention_is_nothing_to_shred(privlab, home) -> None:
    assert privlab("key", "shred", "--past-retention", "--yes").out == "nothing to shred\n"


def test_a_locked_workspace_is_unlocked_moved_and_restored(
    privlab, home, passphrase, monkeypatch, tmp_path
) -> None:
    """The whole way of an owner: a passphrase, a kit, a lost key, and back."""
    moved = privlab("key", "move", "file:keys/sealed.key")
    assert (moved.status, moved.out) == (0, "the master key is in file custody now\n")
    monkeypatch.delenv("PRIVLAB_PASSPHRASE_FILE")
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115 - as a service has it

    locked = privlab("tables")
    assert locked.status == 3
    assert locked.err.startswith("PL300 the curator's master key is locked")
    assert "privlab key unlock" in locked.err
    assert privlab("key", "unlock").err.startswith("PL152 the master key is locked")
    wrong = privlab("key", "unlock", "--passphrase-fd", _pipe(b"not this one"))
    assert wrong.err.startswith("PL404 the passphrase does not open")

    assert privlab("key", "unlock", "--passphrase-fd", _pipe(PHRASE.encode())).status == 0
    assert privlab("tables").status == 0
    again = privlab("key", "unlock")
    assert again.out == "the curator runs already, so it is unlocked\n"
    assert_nothing_inherits(home.folder)

    kit = privlab("key", "recovery-kit", "--passphrase-fd", _pipe(PHRASE.encode())).out
    assert kit.startswith("PRIVLAB RECOVERY KIT\n")
    assert privlab("curator", "stop").status == 0
    (home.folder / "keys" / "sealed.key").unlink()
    file = tmp_path / "kit.txt"
    file.write_text(kit)
    new = _pipe(b"a passphrase of another day")
    assert privlab("key", "restore", file, "--passphrase-fd", new).out == (
        "the master key is back, in file custody\n"
    )
    assert (
        privlab("key", "unlock", "--passphrase-fd", _pipe(b"a passphrase of another day")).status
        == 0
    )
    assert privlab("tables").status == 0


def assert_nothing_inherits(folder: Path) -> None:
    """No passphrase in an argument, an environment or a log of the curator or its children."""
    pid = int((folder / "curator.lock").read_text())
    everyone = [pid, *_children(pid)]
    assert len(everyone) > 1, "the engine's zygote is one"
    for one in everyone:
        for name in ("cmdline", "environ"):
            raw = Path(f"/proc/{one}/{name}").read_bytes()
            assert PHRASE.encode() not in raw
            assert b"PRIVLAB_PASSPHRASE_FILE" not in raw or name == "environ"
        assert "Max core file size        0" in Path(f"/proc/{one}/limits").read_text()
    assert PHRASE not in (folder / "curator.log").read_text()


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def _pipe(content: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    return reader


def test_a_person_types_a_new_passphrase_twice(monkeypatch) -> None:
    answers = iter(["one two three four", "one two three four", "one", "another"])
    monkeypatch.delenv("PRIVLAB_PASSPHRASE_FILE")
    monkeypatch.setattr(passphrases, "somebody_is_there", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))

    given = passphrases.secrets_for(None, new=True)
    assert given.passphrase() == given.passphrase() == b"one two three four"
    with pytest.raises(BadContract, match="the two passphrases differ"):
        passphrases.secrets_for(None, new=True).passphrase()


def test_a_descriptor_that_is_not_open_is_told(monkeypatch) -> None:
    with pytest.raises(BadContract, match="descriptor 987 cannot be read"):
        passphrases.secrets_for(987).passphrase()


def test_a_kit_can_be_typed(privlab, home) -> None:
    """Two lines on standard input, then an empty one."""
    kit = privlab("key", "recovery-kit").out
    privlab("curator", "stop")
    (home.folder / "keys" / "master.key").unlink()
    lines = [line.strip() for line in kit.splitlines() if line.startswith("    ")]
    assert len(lines) == 2

    done = subprocess.run(
        [sys.executable, "-m", "privlab", "key", "restore"],
        input="\n".join([*lines, "", "left over"]),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "the master key is back, in plain custody\n")
    assert lines[0][:9] not in done.stderr
    assert privlab("tables").status == 0
