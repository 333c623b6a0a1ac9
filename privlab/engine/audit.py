"""Every page of a table version opened and authenticated, and nothing decoded.

For the owner, who may know which column of which part is damaged; an analyst hears
the uniform failure.  An engine child does it, with the keys of all columns that still
have one.  Only places leave it, never a value and nothing that was computed from one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privlab.connector.manifest import FOOTER_KEY, UNITS_FILE_COLUMNS
from privlab.connector.modules import Damaged, Encrypted, Module, Spot
from privlab.connector.parts import ROWS, UNITS, FileFacts, aad_prefix, check_bytes, read_file
from privlab.engine.stored import Stored, StoredPart, text
from privlab.errors import IntegrityError

MOST_FINDINGS = 1000
"""More places than these are not listed."""

_MARK = b'{"audit": 1, '


@dataclass(frozen=True, slots=True)
class Finding:
    """A file, and what of it is not what was written.

    column: "" where it is the footer.  spot: None where it is the whole file.
    """

    file: str
    column: str
    spot: Spot | None

    def __str__(self) -> str:
        if self.spot is None:
            return f"{self.file} is not the file that was signed"
        if not self.column:
            return f"{self.file}: {self.spot}"
        return f"{self.file}, column {self.column}: {self.spot}"


@dataclass(frozen=True, slots=True)
class Audit:
    """One table version to go through, with the keys of the columns that are looked at."""

    dataset: str
    table: Stored

    @property
    def rows(self) -> int:
        """As of a job: what bounds its memory."""
        return self.table.row_cap

    def encode(self) -> bytes:
        """JSON, keys in base64: for the socket to the child, and nowhere else."""
        return json.dumps(
            {"audit": 1, "dataset": self.dataset, "table": self.table.encode()}
        ).encode("ascii")

    @staticmethod
    def is_encoded(raw: bytes) -> bool:
        """Whether ``raw`` is an audit rather than a job."""
        return raw.startswith(_MARK)

    @classmethod
    def decode(cls, raw: bytes) -> Audit:
        """Read `encode` back, strictly.

        :raises ValueError: not an audit.
        """
        try:
            value = json.loads(raw)
            if set(value) != {"audit", "dataset", "table"} or value["audit"] != 1:
                raise ValueError("fields")
            return cls(text(value["dataset"]), Stored.decode(value["table"]))
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is not an audit
            raise ValueError("this is not an audit") from None

    def findings(self, raw: bytes) -> tuple[Finding, ...]:
        """Read `found` back, strictly: a child names files and columns of this audit alone.

        :raises ValueError: it does not; or TypeError, LookupError.
        """
        files = {file.name for part in self.table.parts for file in part.facts.files}
        columns = {name for part in self.table.parts for name in part.keys}
        read = []
        for file, column, spot in json.loads(raw):
            if file not in files or column not in columns:
                raise ValueError("a file or a column of something else")
            read.append(Finding(file, column, None if spot is None else _spot(spot)))
        return tuple(read)


def found(audit: Audit) -> list[list[Any]]:
    """What `Audit.findings` reads: all that leaves the child."""
    listed: list[list[Any]] = []
    for part in audit.table.parts:
        for one in (*_of_file(audit, part, ROWS), *_of_file(audit, part, UNITS)):
            if len(listed) < MOST_FINDINGS:
                spot = one.spot
                numbers = spot and [int(spot.module), spot.group, spot.column, spot.page]
                listed.append([one.file, one.column, numbers])
    return listed


def _of_file(audit: Audit, part: StoredPart, kind: str) -> Iterator[Finding]:
    facts = part.facts.rows if kind == ROWS else part.facts.units
    file = _opened(audit, part, kind, facts)
    if isinstance(file, Finding):
        yield file
        return
    for column in part.keys:
        if column == FOOTER_KEY or (column in UNITS_FILE_COLUMNS) is not (kind == UNITS):
            continue
        if column not in file.columns:
            yield Finding(facts.name, column, Spot(Module.COLUMN))
            continue
        for group in range(len(file.rows)):
            try:
                file.chunk(group, column, part.keys[column])
            except Damaged as damage:
                yield Finding(facts.name, column, damage.spot)


def _opened(audit: Audit, part: StoredPart, kind: str, facts: FileFacts) -> Encrypted | Finding:
    table, of = audit.table, part.facts
    try:
        data = read_file(facts, Path(table.folder) / facts.name)
        check_bytes(facts, data)
        aad = aad_prefix(audit.dataset, table.table, of.written, of.bucket, kind)
        return Encrypted.open(data, aad, part.keys[FOOTER_KEY])
    except IntegrityError:
        return Finding(facts.name, "", None)
    except Damaged as damage:
        return Finding(facts.name, "", damage.spot)


def _spot(value: Any) -> Spot:
    module, group, column, page = value
    if any(type(one) is not int or not -1 <= one < 1 << 15 for one in value):
        raise ValueError("not a place")
    return Spot(Module(module), group, column, page)
