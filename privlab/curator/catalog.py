"""What is stored, for its owner: what a manifest says, and whether files and pages agree.

The curator compares files with the signed list; pages are opened in an engine child,
where keys may be.  No row is decoded.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from privlab.connector.catalog import current
from privlab.connector.keys import Place
from privlab.connector.lineage import KEY_LABEL
from privlab.connector.manifest import FOOTER_KEY, UNITS_FILE_COLUMNS, Manifest, key_names
from privlab.connector.parts import check_file
from privlab.curator.desk import Desk
from privlab.engine.audit import Audit, Finding
from privlab.engine.stored import Stored, StoredPart
from privlab.errors import BadQuery, CuratorFailed, EngineFailed, IntegrityError, Refused
from privlab.policy.decide import Request
from privlab.terms.principal import Principal
from privlab.wire.catalog import (
    CameFrom,
    Checked,
    CheckedAll,
    SourceOf,
    StoredColumn,
    StoredSource,
    StoredTable,
    Stores,
)

_Name = tuple[str, str]


def stored(desk: Desk, who: Principal, name: str) -> Stores:
    """The registered version of a table, or of all for ``""``, as its manifest says.

    :raises BadQuery: PL102, there is no such table.
    :raises IntegrityError: PL401, PL402, PL405, a manifest is not the registered one.
    """
    return Stores(tables=tuple(_described(desk, one) for one in _named(desk, who, name)))


def checked(desk: Desk, who: Principal, name: str) -> CheckedAll:
    """Compare files with the signed list, and open every page that still has a key.

    :raises BadQuery: PL102, there is no such table.
    :raises CuratorFailed: PL501, the engine could not go through the pages.
    """
    return CheckedAll(tables=tuple(_checked(desk, one) for one in _named(desk, who, name)))


def came_from(desk: Desk, who: Principal, body: SourceOf) -> CameFrom:
    """Which versions brought a source's rows into the registered version of a table.

    :raises BadQuery: PL102, there is no such table, or there are several.
    :raises IntegrityError: as `stored`.
    """
    named = tuple(_named(desk, who, body.table))
    if len(named) > 1:
        raise BadQuery(
            f"several datasets have a table {body.table}",
            code="PL102",
            hint="write DATASET.TABLE: " + " or ".join(map(".".join, named)),
        )
    dataset, table = named[0]
    manifest = _manifest(desk, named[0])
    key = desk.custody.derive(KEY_LABEL, dataset, table)
    return CameFrom(
        dataset=dataset,
        name=table,
        version=manifest.version,
        brought=tuple(one.version for one in manifest.lineage if one.is_from(key, body.source)),
    )


def _described(desk: Desk, name: _Name) -> StoredTable:
    manifest = _manifest(desk, name)
    table = manifest.described()
    gone = _shredded(desk, manifest)
    return StoredTable(
        dataset=table.dataset,
        name=table.name,
        version=table.version,
        unit=table.unit,
        created=manifest.created,
        parts=len(manifest.parts),
        size=sum(file.size for part in manifest.parts for file in part.files),
        columns=tuple(
            StoredColumn(name=one.name, kind=str(one.kind), key=one.name not in gone)
            for one in table.columns
            if one.name != table.unit
        ),
        lineage=tuple(
            StoredSource(version=one.version, tool=one.tool, source=one.source)
            for one in manifest.lineage
        ),
    )


def _checked(desk: Desk, name: _Name) -> Checked:
    try:
        manifest = _manifest(desk, name)
    except IntegrityError as refusal:
        version = desk.ledger.versions()[name]
        return _told(name, version, 0, (), (), (f"{refusal.code} {refusal.what}",))
    folder = desk.workspace.table_folder(*name, manifest.version)
    damage: dict[str, str] = {}
    for part in manifest.parts:
        for file in part.files:
            try:
                check_file(file, folder / file.name)
            except IntegrityError as found:
                damage[file.name] = f"{file.name}: {found.code} {found.what}"
    gone = _shredded(desk, manifest)
    columns = tuple(
        one
        for one in key_names(manifest.described())
        if one not in (*gone, FOOTER_KEY, *UNITS_FILE_COLUMNS)
    )
    pages: list[str] = []
    if not gone & {FOOTER_KEY, *UNITS_FILE_COLUMNS}:
        there = replace(
            manifest,
            parts=tuple(
                part for part in manifest.parts if _bucket(manifest, part.bucket) not in gone
            ),
        )
        pages = [str(one) for one in _pages(desk, there, columns, folder) if one.file not in damage]
    return _told(
        name,
        manifest.version,
        len(manifest.parts),
        columns,
        tuple(sorted(gone)),
        (*damage.values(), *pages),
    )


def _pages(
    desk: Desk, manifest: Manifest, columns: tuple[str, ...], folder: Path
) -> tuple[Finding, ...]:
    """What an engine child finds in the pages of these parts and columns."""
    keys = manifest.data_keys(columns, desk.custody)
    parts = sorted(manifest.parts, key=lambda part: part.bucket)
    table = Stored(
        table=manifest.table,
        version=manifest.version,
        folder=str(folder.resolve()),
        parts=tuple(StoredPart(part, keys[part.bucket]) for part in parts),
        row_cap=manifest.described().row_cap,
    )
    try:
        return desk.engine.audit(Audit(manifest.dataset, table))
    except EngineFailed:  # its words are of a charge, and there is none
        raise CuratorFailed from None


def _bucket(manifest: Manifest, number: int) -> str:
    """What stands for a bucket in the keychain."""
    return Place.of_bucket(manifest.dataset, manifest.table, manifest.version, number).column


def _told(
    name: _Name,
    version: int,
    parts: int,
    columns: tuple[str, ...],
    shredded: tuple[str, ...],
    damage: tuple[str, ...],
) -> Checked:
    return Checked(
        dataset=name[0],
        name=name[1],
        version=version,
        parts=parts,
        columns=columns,
        shredded=shredded,
        damage=damage,
    )


def _shredded(desk: Desk, manifest: Manifest) -> set[str]:
    """Columns of it and buckets, as the keychain calls them, whose key is gone for good."""
    this = (manifest.dataset, manifest.table, manifest.version)
    return {p.column for p in desk.custody.gone() if (p.dataset, p.table, p.version) == this}


def _manifest(desk: Desk, name: _Name) -> Manifest:
    """From the disk as it is now, not as it was when the curator started."""
    version = desk.ledger.versions()[name]
    digest = desk.ledger.every_version()[(*name, version)]
    return current(desk.workspace.tables, desk.signer.public, name, version, digest)


def _named(desk: Desk, who: Principal, name: str) -> Iterator[_Name]:
    """Tables that this principal owns; by ``table`` or ``dataset.table``."""
    there = sorted(desk.ledger.versions())
    wanted = [one for one in there if name in ("", one[1], ".".join(one))]
    if not wanted and name:
        near = difflib.get_close_matches(name, [one[1] for one in there], n=1)
        raise BadQuery(
            f"there is no table {name[:80]}",
            code="PL102",
            hint=f"did you mean {near[0]}?" if near else "see what there is: privlab catalog show",
        )
    for dataset, table in wanted:
        try:
            request = Request(principal=who, action="register", dataset=dataset, table=table)
            desk.policy.decide(request, desk.clock())
        except Refused as refusal:
            desk.ledger.deny(who.name, "catalog", dataset, refusal.code)
            raise
        yield dataset, table
