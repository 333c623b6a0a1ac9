"""The tables of a workspace, from the manifests the curator signed.

``TABLES/DATASET/TABLE/VERSION/manifest.json``.  A folder that was never
registered is not a table; a registered version that is gone, or whose manifest
is another file than the one registered, is an error, never a smaller catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from privlab.connector.manifest import MANIFEST_FILE, Manifest
from privlab.errors import IntegrityError
from privlab.seal.keys import PublicKey
from privlab.terms.catalog import Catalog, Table

TableName = tuple[str, str]
"""Dataset and table."""


def load(
    tables: Path,
    public: PublicKey,
    versions: Mapping[TableName, int],
    digests: Mapping[TableName, str],
) -> tuple[Catalog, dict[TableName, Manifest]]:
    """The registered version of every table, and its manifest.

    versions: the newest version of each table, as the ledger recorded it.  Of
    two tables of one name the first in it has the bare name; the other one is
    asked about as ``dataset.table``.
    digests: the SHA-256 of each one's ``manifest.json`` in hex, likewise.

    :raises IntegrityError: PL401, a manifest is not the file that was registered,
        or not as it was signed; PL402, it belongs to another table; PL405, it is
        older than what was recorded.
    """
    described: list[Table] = []
    manifests: dict[TableName, Manifest] = {}
    for name, version in versions.items():
        manifest = current(tables, public, name, version, digests.get(name, ""))
        manifests[name] = manifest
        described.append(manifest.described())
    return Catalog(tuple(described)), manifests


def current(
    tables: Path, public: PublicKey, name: TableName, version: int, digest: str
) -> Manifest:
    """The manifest of the version and digest the ledger recorded for this table.

    :raises IntegrityError: as `load`.
    """
    dataset, table = name
    folder = tables / dataset / table / str(version)
    if not (folder / MANIFEST_FILE).exists() and _older(tables / dataset / table, version):
        raise _rolled_back(dataset, table, version)
    manifest = Manifest.load(folder / MANIFEST_FILE, public, digest)
    if (manifest.dataset, manifest.table) != name or manifest.version > version:
        raise IntegrityError(
            "a table's folder holds the manifest of another table",
            code="PL402",
            facts={"folder": f"{dataset}/{table}/{version}"},
            hint="restore the table version's folder from a backup",
        )
    if manifest.version < version:
        raise _rolled_back(dataset, table, version)
    return manifest


def _older(folder: Path, version: int) -> bool:
    """Whether an earlier version is still there."""
    return any((folder / str(n) / MANIFEST_FILE).exists() for n in range(1, version))


def _rolled_back(dataset: str, table: str, version: int) -> IntegrityError:
    return IntegrityError(
        f"{dataset}.{table} is older than version {version}, which was registered already",
        code="PL405",
        hint="restore the newest version's folder from a backup",
    )
