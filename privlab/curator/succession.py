"""Versions made of earlier ones: with more rows (append), or without some units (forget).

A child of the engine reads the parts that change and writes them anew; the others are
carried over with their keys.  The new version counts once the ledger holds it, all
tables of one deed in one entry; until then the earlier ones do.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from privlab.connector import contract as contracts
from privlab.connector.datakeys import DataKeys
from privlab.connector.keys import Place
from privlab.connector.manifest import MANIFEST_FILE, Manifest, key_names
from privlab.connector.parts import PartFacts
from privlab.connector.versions import disk_full_told, new_version
from privlab.curator import keys
from privlab.curator.desk import Desk
from privlab.curator.owner import decide, keys_of, lineage_of, parts_of, text_of
from privlab.engine.rewrite import FULL, TOO_MANY, Rewrite
from privlab.engine.stored import Stored, StoredPart
from privlab.errors import BadContract, BadQuery, CuratorFailed, EngineFailed
from privlab.terms.catalog import Table
from privlab.terms.principal import Principal
from privlab.wire.owner import (
    Append,
    AppendPrepared,
    Forget,
    ForgetPrepared,
    Forgotten,
    PrepareAppend,
    Prepared,
    PrepareForget,
    Registered,
)


def prepare_append(desk: Desk, who: Principal, body: PrepareAppend) -> AppendPrepared:
    """What the owner's process needs to protect the new rows as a delta."""
    table = _table(desk, body.table)
    decide(desk, who, "register", table.dataset, table.name)
    with desk.registering:
        manifest = desk.registered.manifests[table.dataset, table.name]
        version = manifest.version + 1
        delta = _delta(desk, manifest)
        for left_over in delta.parent.glob(".*.delta"):  # of an append that was cut short
            shutil.rmtree(left_over)
    return AppendPrepared(
        contract=manifest.contract_text,
        prepared=Prepared(
            dataset=table.dataset,
            table=table.name,
            version=version,
            unit_key=text_of(desk.custody.derive("unit", table.dataset)),
            order_key=text_of(_order_key(desk, manifest)),
            folder=str(delta),
        ),
    )


def append(desk: Desk, who: Principal, body: Append) -> Registered:
    """The next version, of the rows there are and of the delta's, which is then no more.

    :raises BadContract: PL151, together they are more rows than the row cap, or another
        version came in between; PL153, the disk is full.
    """
    with desk.registering, disk_full_told(body.table):
        table = _table(desk, body.table)
        decide(desk, who, "register", table.dataset, table.name)
        manifest = desk.registered.manifests[table.dataset, table.name]
        if body.version != manifest.version + 1:
            raise BadContract(
                f"another version of {table.name} came in between",
                code="PL151",
                hint="append the rows again",
            )
        folder = _delta(desk, manifest)
        delta = _source(table, folder, parts_of(body.parts, body.version), keys_of(body.keys))
        try:
            made = _made(
                desk,
                manifest,
                [part.bucket for part in manifest.parts],
                delta=delta,
                brought=(body.tool, body.source),
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        subject = f"{table.name} {made.version}"
        desk.ledger.succeed(who.name, "append", table.dataset, [made.entry], subject)
        desk.reload()
    return Registered(dataset=table.dataset, table=table.name, version=made.version)


def prepare_forget(desk: Desk, who: Principal, body: PrepareForget) -> ForgetPrepared:
    """What the owner's process needs to name units by their pseudonyms."""
    if (body.table is None) is (body.dataset is None):
        raise BadQuery("name a table or a dataset", code="PL306")
    if body.table is not None:
        tables = [_table(desk, body.table)]
    else:
        tables = [one for one in desk.catalog.tables if one.dataset == body.dataset]
    if not tables:
        raise _unknown(str(body.dataset))
    for table in tables:
        decide(desk, who, "register", table.dataset, table.name)
        decide(desk, who, "keys", table.dataset, "")
    dataset = tables[0].dataset
    return ForgetPrepared(
        dataset=dataset,
        unit_key=text_of(desk.custody.derive("unit", dataset)),
        tables={
            one.name: str(column.kind)
            for one in tables
            if (column := one.column(one.unit)) is not None
        },
    )


def forget(desk: Desk, who: Principal, body: Forget) -> Forgotten:
    """The next version of every table without these units; and no key to where they were.

    The parts that change follow from the pseudonyms alone: a version comes whether or
    not a table has such a unit, so that its coming tells nothing.  What was released
    stays, and so do its losses.

    :raises BadContract: PL153, the disk is full; no table has a new version then.
    """
    with desk.registering, disk_full_told(body.dataset):
        tables = [_table(desk, f"{body.dataset}.{name}") for name in sorted(body.tables)]
        for table in tables:
            decide(desk, who, "register", table.dataset, table.name)
            decide(desk, who, "keys", table.dataset, "")
        made: list[_Made] = []
        lost: list[Place] = []
        for table in tables:
            units = tuple(sorted(base64.b64decode(one) for one in set(body.tables[table.name])))
            manifest = desk.registered.manifests[table.dataset, table.name]
            buckets = holding(units, len(manifest.parts))
            made.append(_made(desk, manifest, sorted(buckets), drop=units))
            lost += _before(desk, table, units)
        subject = _subject(desk, body, made)
        rows = [(p.dataset, p.table, p.version, p.column) for p in lost]
        entries = [one.entry for one in made]
        desk.ledger.succeed(who.name, "forget", body.dataset, entries, subject, rows)
        left = keys.destroy(desk, who.name, {body.dataset: lost}, subject)
        desk.reload()
    return Forgotten(
        versions={one.table: one.version for one in made},
        parts={one.table: one.parts for one in made},
        left=left,
    )


def holding(pseudonyms: Iterable[bytes], count: int) -> set[int]:
    """Of ``count`` buckets, those in which such units are, if they are anywhere."""
    return {int.from_bytes(one[:8], "big") * count >> 64 for one in pseudonyms}


@dataclass(frozen=True, slots=True)
class _Made:
    """A version that is written and signed, and not yet registered."""

    table: str
    version: int
    digest: str
    parts: int

    @property
    def entry(self) -> tuple[str, int, str]:
        return self.table, self.version, self.digest


def _made(
    desk: Desk,
    old: Manifest,
    buckets: Sequence[int],
    *,
    delta: Stored | None = None,
    drop: tuple[bytes, ...] = (),
    brought: tuple[str, str] | None = None,
) -> _Made:
    """Write and sign the version after ``old``, its ``buckets`` anew and the others as they are.

    brought: the program and the digest of the source of a delta's rows.
    """
    version = old.version + 1
    table = contracts.parse(old.contract_text).table(version)
    places = desk.workspace.table_folder(table.dataset, table.name, old.version)
    folder = desk.workspace.table_folder(table.dataset, table.name, version)
    old.verify_parts(places)
    opened = old.unwrapped(key_names(table), desk.custody)
    parts = sorted(old.parts, key=lambda part: part.bucket)
    changed = [part for part in parts if part.bucket in buckets]
    carried = [part for part in parts if part.bucket not in buckets]
    source = Stored(
        table=table.name,
        version=old.version,
        folder=str(places.resolve()),
        parts=tuple(StoredPart(part, opened[part.written].of(part.bucket)) for part in changed),
        row_cap=table.row_cap,
        reader=desk.workspace.reader,
    )
    fresh = DataKeys.fresh(key_names(table), buckets)
    (folder / MANIFEST_FILE).unlink(missing_ok=True)  # of a version that was never registered
    with new_version(folder) as draft:
        for part in carried:
            for file in part.files:
                _carry(places / file.name, draft / file.name)
        job = Rewrite(
            contract=old.contract_text,
            version=version,
            sources=(source,) if delta is None else (source, delta),
            keys={bucket: fresh.of(bucket) for bucket in sorted(buckets)},
            order_key=_order_key(desk, old),
            drop=drop,
            folder=str(draft.resolve()),
            least=(
                max((part.rows.size for part in carried), default=0),
                max((part.units.size for part in carried), default=0),
            ),
        )
        try:
            written = desk.engine.rewrite(job)
        except EngineFailed:
            raise CuratorFailed from None  # no question was asked, and nothing charged
        if written.refused == TOO_MANY:
            raise BadContract(
                f"with these rows {table.name} would have more than row_cap = {table.row_cap:,}",
                code="PL151",
                hint="protect all rows with a contract whose row_cap bounds them",
            )
        if written.refused == FULL:
            raise OSError(errno.ENOSPC, "said the engine")
    numbers: dict[int, list[int]] = {}
    for part in carried:
        numbers.setdefault(part.written, []).append(part.bucket)
    manifest = Manifest.wrapping(
        table,
        old.contract_text,
        sorted((*written.parts, *carried), key=lambda part: part.bucket),
        fresh,
        desk.custody,
        desk.clock(),
        carried={
            writer: DataKeys(
                opened[writer].columns, {n: opened[writer].buckets[n] for n in bucket_numbers}
            )
            for writer, bucket_numbers in numbers.items()
        },
        rows_since=old.rows_since,
        lineage=(
            *old.lineage,
            *(() if brought is None else (lineage_of(desk, table, old.contract_text, *brought),)),
        ),
    )
    desk.ledger.see_keychain(desk.custody.generation)
    manifest.verify_parts(folder)
    digest = hashlib.sha256(manifest.write(folder, desk.signer)).hexdigest()
    return _Made(table.name, version, digest, len(buckets))


def _before(desk: Desk, table: Table, units: Iterable[bytes]) -> list[Place]:
    """The buckets of all registered versions in which such units may be, that have a key."""
    names = (table.dataset, table.name)
    known = [p for p in (*desk.custody.places(), *desk.custody.gone()) if p.is_bucket]
    newest = desk.registered.manifests[names].version
    there = set(desk.custody.places())
    found = []
    for version in range(1, newest + 1):
        count = sum((p.dataset, p.table, p.version) == (*names, version) for p in known)
        places = (Place.of_bucket(*names, version, bucket) for bucket in holding(units, count))
        found += [place for place in places if place in there]
    return found


def _subject(desk: Desk, body: Forget, made: Sequence[_Made]) -> str:
    """For the record: tables, versions, parts, and a digest that only this workspace can make."""
    named = sorted({one for units in body.tables.values() for one in units})
    key = desk.custody.derive("forget", body.dataset)
    digest = hmac.digest(key, "\n".join(named).encode("ascii"), hashlib.sha256).hex()[:32]
    tables = ", ".join(f"{one.table} {one.version} ({one.parts} parts)" for one in made)
    return f"{tables[:900]}; {digest}"


def _source(table: Table, folder: Path, parts: Sequence[PartFacts], keys: DataKeys) -> Stored:
    """A delta as a child reads it.

    :raises BadContract: PL151, it is not what an owner's process writes.
    """
    try:
        stored = tuple(
            StoredPart(part, keys.of(part.bucket))
            for part in sorted(parts, key=lambda part: part.bucket)
        )
        return Stored(
            table.name, parts[0].written, str(folder.resolve()), stored, row_cap=table.row_cap
        )
    except (KeyError, ValueError):
        raise BadContract(
            "the rows to append are not a protected table",
            code="PL151",
            hint="append the file again",
        ) from None


def _carry(source: Path, target: Path) -> None:
    """The same file in another folder, or a copy where the file system cannot."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP):
            raise
        shutil.copyfile(source, target, follow_symlinks=False)
        with target.open("rb") as file:
            os.fsync(file.fileno())


def _delta(desk: Desk, manifest: Manifest) -> Path:
    folder = desk.workspace.table_folder(manifest.dataset, manifest.table, manifest.version + 1)
    return folder.parent / f".{folder.name}.delta"


def _order_key(desk: Desk, old: Manifest) -> bytes:
    return desk.custody.derive("order", old.dataset, old.table, str(old.version + 1))


def _table(desk: Desk, name: str) -> Table:
    found = desk.catalog.table(name)
    if found is None:
        raise _unknown(name)
    return found


def _unknown(name: str) -> BadContract:
    return BadContract(
        f"there is no table or dataset {name}",
        code="PL152",
        hint="see what there is with: privlab tables",
    )
