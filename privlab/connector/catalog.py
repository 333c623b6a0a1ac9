"""The tables of a workspace, from the manifests the curator signed.

``TABLES/DATASET/TABLE/VERSION/manifest.json``.  A folder that was never
registered is not a table; a registered version that is gone, or that holds an
older one, is an error, never a smaller catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from privlab.connector.manifest import MANIFEST_FILE, Manifest
from privlab.errors import BadContract, IntegrityError
from privlab.seal.keys import PublicKey
from privlab.terms.catalog import Catalog, Table

TableName = tuple[str, str]
"""Dataset and table."""


def load(
    tables: Path, public: PublicKey, versions: Mapping[TableName, int]
) -> tuple[Catalog, dict[TableName, Manifest]]:
    """The registered version of every table, and its manifest.

    versions: the newest version of each table, as the ledger recorded it.

    :raises IntegrityError: PL401, a manifest is not as it was signed; PL402, it
        belongs to another table; PL405, it is older than what was recorded.
    :raises BadContract: PL152, two datasets have a table of the same name.
    """
    described: list[Table] = []
    manifests: dict[TableName, Manifest] = {}
    for (dataset, table), version in sorted(versions.items()):
        manifest = current(tables, public, dataset, table, version)
        manifests[(dataset, table)] = manifest
        described.append(manifest.described())
    _refuse_twins(described)
    return Catalog(tuple(described)), manifests


def current(tables: Path, public: PublicKey, dataset: str, table: str, version: int) -> Manifest:
    """The manifest of the version the ledger recorded for this table.

    :raises IntegrityError: as `load`.
    """
    folder = tables / dataset / table / str(version)
    if not (folder / MANIFEST_FILE).exists() and _older(tables / dataset / table, version):
        raise _rolled_back(dataset, table, version)
    manifest = Manifest.load(folder / MANIFEST_FILE, public)
    if (manifest.dataset, manifest.table) != (dataset, table) or manifest.version > version:
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


def _refuse_twins(tables: list[Table]) -> None:
    seen: dict[str, str] = {}
    for table in tables:
        other = seen.setdefault(table.name, table.dataset)
        if other != table.dataset:
            raise BadContract(
                f"the datasets {other} and {table.dataset} both have a table {table.name}",
                code="PL152",
                hint="give one of them another name in its contract, then protect it again",
            )
