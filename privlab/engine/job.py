"""Everything an engine child is told: one plan, its noise, its keys, its files.

A job names no analyst, price or budget.  It holds, per table and bucket, the keys of
the plan's own columns, of the units and of the footer, and one bounding key; never
a master key, nor a key that opens other columns or buckets.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from privlab.connector.keys import Custody
from privlab.connector.manifest import Manifest
from privlab.connector.reader import Reader
from privlab.engine.stored import (
    Stored,
    batches,
    bytes_of_text,
    text,
    text_of_bytes,
    whole,
)
from privlab.query.canonical import decode_plan, encode_plan
from privlab.query.plan import Measure, Plan
from privlab.query.relation_size import MAX_REACH, check_plan, most_rows
from privlab.query.relations import Scan
from privlab.terms.noise import Choice, Flip, Mechanism, RoundedGaussian, law_name, mechanism_of

VERSION = 3
BOUNDING_KEY_BYTES = 16

_FIELDS = {"version", "plan", "noises", "tables", "bounding_key", "threshold"}


@dataclass(frozen=True, slots=True)
class Job:
    """One run.  ``noises[j]`` is added to measure j, or chooses its cells; none is without.

    tables: those of the plan, in its order.  bounding_key: 16 bytes, secret; see
    `bounding_key`.  threshold: where the plan's groups are not public, the least noisy
    count of units of one that is shown.
    """

    plan: Plan
    noises: tuple[Mechanism, ...]
    tables: tuple[Stored, ...]
    bounding_key: bytes
    threshold: int | None = None

    def __post_init__(self) -> None:
        check_noises(self.plan, self.noises, self.threshold)
        if tuple(one.scan for one in self.tables) != self.plan.tables:
            raise ValueError("the plan and the job are of different table versions")
        reads = self.plan.reads
        if len(reads) != len(self.tables) or not all(
            one.holds(reads[one.table]) for one in self.tables
        ):
            raise ValueError("a job has the keys of exactly the columns it reads")
        batches(self.tables)
        check_plan(self.plan, {one.table: one.row_cap for one in self.tables})
        if len(self.bounding_key) != BOUNDING_KEY_BYTES:
            raise ValueError(f"a bounding key has {BOUNDING_KEY_BYTES} bytes")

    @classmethod
    def of(
        cls,
        *,
        plan: Plan,
        noises: tuple[Mechanism, ...],
        tables: Sequence[tuple[Manifest, Path]],
        custody: Custody,
        threshold: int | None = None,
        reader: Reader = Reader.NATIVE,
    ) -> Job:
        """Check the parts on disk and unwrap the keys the plan needs.

        tables: in the plan's order, each with its folder.

        :raises IntegrityError: PL402, PL403, a part is not the one signed; PL404,
            the master does not open a key.
        :raises ValueError: the plan is not one of these table versions.
        """
        alone = isinstance(plan.source, Scan)
        found = [(one.dataset, Scan(one.table, one.version)) for one, _ in tables]
        if found != [(plan.dataset, scan) for scan in plan.tables]:
            raise ValueError("the plan and the manifests are of different table versions")
        return cls(
            plan=plan,
            noises=noises,
            tables=tuple(
                Stored.of(
                    one,
                    folder,
                    plan.reads[one.table],
                    plan.row_cap if alone else one.described().row_cap,
                    custody,
                    reader,
                )
                for one, folder in tables
            ),
            bounding_key=bounding_key(plan, custody),
            threshold=threshold,
        )

    @property
    def rows(self) -> int:
        """No step of it has more rows: to bound its memory from public facts."""
        caps = {one.table: one.row_cap for one in self.tables}
        return max(most_rows(self.plan.source, caps), sum(caps.values()))

    def encode(self) -> bytes:
        """JSON, keys in base64: for the socket to the child, and nowhere else."""
        return json.dumps(
            {
                "version": VERSION,
                "plan": encode_plan(self.plan),
                "noises": [[law_name(one), one.multiplier, one.shift] for one in self.noises],
                "tables": [one.encode() for one in self.tables],
                "bounding_key": text_of_bytes(self.bounding_key),
                "threshold": self.threshold,
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
                    mechanism_of(text(law), whole(multiplier), whole(shift))
                    for law, multiplier, shift in value["noises"]
                ),
                tables=tuple(Stored.decode(one) for one in value["tables"]),
                bounding_key=bytes_of_text(value["bounding_key"]),
                threshold=threshold_of(value["threshold"]),
            )
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is not a job
            raise ValueError("this is not a job") from None

    def __repr__(self) -> str:
        names = ", ".join(f"{one.table} v{one.version}" for one in self.tables)
        return f"Job({names}, {len(self.noises)} measures)"


def bounding_key(plan: Plan, custody: Custody) -> bytes:
    """16 secret bytes that order the groups of each unit, of exactly these table versions.

    Of one table it is the same whatever is asked, and of several whatever is made of
    them, so that a top-up measures the sample that it adds to.
    """
    first, *others = plan.tables
    if isinstance(plan.source, Scan):
        secret = custody.derive("bounding", plan.dataset, first.table, str(first.version))
    else:
        names = [part for one in (first, *others) for part in (one.table, str(one.version))]
        secret = custody.derive("bounding of a relation", plan.dataset, *names)
    return secret[:BOUNDING_KEY_BYTES]


def threshold_of(value: object) -> int | None:
    """A threshold as a job writes it.

    :raises TypeError: it is neither a whole number nor nothing.
    """
    return None if value is None else whole(value)


def check_noises(plan: Plan, noises: Sequence[Mechanism], threshold: int | None = None) -> None:
    """Refuse what cannot be computed in 64 bits, or has not the noise or the threshold it needs.

    :raises ValueError: the plan does not fit its noises, or int64.
    """
    if not plan.measures or len(noises) != len(plan.measures):
        raise ValueError("a job has one noise per measure, and at least one measure")
    if plan.thresholded is (threshold is None) or (threshold is not None and threshold < 1):
        raise ValueError("groups that are not public have a threshold, and no others")
    if plan.thresholded and not isinstance(noises[plan.tested], RoundedGaussian):
        raise ValueError("a threshold tests a count with Gaussian noise")
    together: dict[Measure, Mechanism] = {}
    for measure, noise in zip(plan.measures, noises, strict=True):
        if measure.among and together.setdefault(replace(measure, q=None), noise) != noise:
            raise ValueError("quantiles that are chosen together have one epsilon")
        if measure.chosen is not isinstance(noise, Choice):
            raise ValueError("a quantile is chosen, and everything else has noise")
        if (measure.size > 0) is not (type(noise) is Flip):
            raise ValueError("a quantile of a size is chosen by permute-and-flip, and no other")
        most = 4 if measure.chosen else plan.row_cap  # answers lie inside 2^60
        if most * measure.radius >= MAX_REACH:
            raise ValueError("the plan's bounds do not keep its numbers inside int64")
