"""Everything an engine child is told: one plan, its noise, its keys, its files.

A job names no analyst, price or budget.  It holds the data keys of the plan's
own columns, of the pseudonym and of the footer, and the table version's
bounding key; never a master key.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privlab.connector.keys import Custody
from privlab.connector.manifest import FOOTER_KEY, UNIT_COLUMNS, Manifest
from privlab.connector.parts import PartFacts
from privlab.query.canonical import decode_plan, encode_plan
from privlab.query.plan import Plan
from privlab.terms.noise import Choice, Mechanism, law_name, mechanism_of

VERSION = 1
KEY_BYTES = 32
BOUNDING_KEY_BYTES = 16

MAX_REACH = 1 << 62
"""What row cap times radius stays below, so that an exact sum fits int64."""

_FIELDS = {"version", "plan", "noises", "folder", "parts", "keys", "bounding_key"}


@dataclass(frozen=True, slots=True)
class Job:
    """One run.  ``noises[j]`` is added to measure j, or chooses its cells; none is without.

    folder: the table version's, absolute.  keys: column to 32-byte data key.
    bounding_key: 16 bytes, secret, of the table version.
    """

    plan: Plan
    noises: tuple[Mechanism, ...]
    folder: str
    parts: tuple[PartFacts, ...]
    keys: Mapping[str, bytes]
    bounding_key: bytes

    def __post_init__(self) -> None:
        check_noises(self.plan, self.noises)
        if set(self.keys) != {FOOTER_KEY, *UNIT_COLUMNS, *self.plan.columns}:
            raise ValueError("a job has the keys of exactly the columns it reads")
        if any(len(key) != KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        if len(self.bounding_key) != BOUNDING_KEY_BYTES:
            raise ValueError(f"a bounding key has {BOUNDING_KEY_BYTES} bytes")

    @classmethod
    def of(
        cls,
        *,
        plan: Plan,
        noises: tuple[Mechanism, ...],
        manifest: Manifest,
        folder: Path,
        custody: Custody,
    ) -> Job:
        """Check the parts on disk and unwrap the keys the plan needs.

        :raises IntegrityError: PL402, PL403, a part is not the one signed; PL404,
            the master does not open a key.
        :raises ValueError: the plan is not one of this table version.
        """
        place = (manifest.dataset, manifest.table, manifest.version)
        if (plan.dataset, plan.table, plan.version) != place:
            raise ValueError("the plan and the manifest are of different table versions")
        manifest.verify_parts(folder)
        secret = custody.derive("bounding", plan.dataset, plan.table, str(plan.version))
        return cls(
            plan=plan,
            noises=noises,
            folder=str(folder.resolve()),
            parts=manifest.parts,
            keys=manifest.data_keys(plan.columns, custody),
            bounding_key=secret[:BOUNDING_KEY_BYTES],
        )

    def encode(self) -> bytes:
        """JSON, keys in base64: for the socket to the child, and nowhere else."""
        return json.dumps(
            {
                "version": VERSION,
                "plan": encode_plan(self.plan),
                "noises": [[law_name(one), one.multiplier, one.shift] for one in self.noises],
                "folder": self.folder,
                "parts": [[p.name, p.bucket, p.size, p.footer_sha256] for p in self.parts],
                "keys": {name: _base64(key) for name, key in self.keys.items()},
                "bounding_key": _base64(self.bounding_key),
            }
        ).encode("ascii")

    @classmethod
    def decode(cls, raw: bytes) -> Job:
        """Read `encode` back, strictly.

        :raises ValueError: not a job of this version.
        """
        try:
            value = json.loads(raw)
            if set(value) != _FIELDS or value["version"] != VERSION:
                raise ValueError("fields")
            return cls(
                plan=decode_plan(value["plan"]),
                noises=tuple(
                    mechanism_of(_text(law), _whole(multiplier), _whole(shift))
                    for law, multiplier, shift in value["noises"]
                ),
                folder=_text(value["folder"]),
                parts=tuple(
                    PartFacts(_file(name), _whole(bucket), _whole(size), _text(digest))
                    for name, bucket, size, digest in value["parts"]
                ),
                keys={name: _bytes(key) for name, key in value["keys"].items()},
                bounding_key=_bytes(value["bounding_key"]),
            )
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is not a job
            raise ValueError("this is not a job") from None

    def __repr__(self) -> str:
        return f"Job({self.plan.table} v{self.plan.version}, {len(self.noises)} measures)"


def check_noises(plan: Plan, noises: Sequence[Mechanism]) -> None:
    """Refuse what cannot be computed in 64 bits, or has not the noise it needs.

    :raises ValueError: the plan does not fit its noises, or int64.
    """
    if not plan.measures or len(noises) != len(plan.measures):
        raise ValueError("a job has one noise per measure, and at least one measure")
    for measure, noise in zip(plan.measures, noises, strict=True):
        if measure.chosen is not isinstance(noise, Choice):
            raise ValueError("a quantile is chosen, and everything else has noise")
        most = 4 if measure.chosen else plan.row_cap  # answers lie inside 2^60
        if most * measure.radius >= MAX_REACH:
            raise ValueError("the plan's bounds do not keep its numbers inside int64")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(value: Any) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _file(value: Any) -> str:
    if Path(_text(value)).name != value:
        raise ValueError("a part is named without a folder")
    return str(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("whole number")
    return value
