"""The catalog: the registered versions, or an error; never quietly fewer or older ones."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privlab.connector import catalog
from privlab.connector.manifest import MANIFEST_FILE, Manifest
from privlab.errors import IntegrityError
from privlab.terms.catalog import Catalog

Store = Callable[..., Any]
VISITS = ("clinic", "visits")
PATIENTS = ("clinic", "patients")
HOSPITAL = ("hospital", "visits")


def digest(folder: Path) -> str:
    """What the ledger records of a manifest."""
    return hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()


def loaded(
    stored: Any, versions: Mapping[tuple[str, str], int], digests: Mapping[tuple[str, str], str]
) -> tuple[Catalog, dict[tuple[str, str], Manifest]]:
    return catalog.load(stored.tables, stored.signer.public, versions, digests)


def refused(
    stored: Any, versions: Mapping[tuple[str, str], int], digests: Mapping[tuple[str, str], str]
) -> str:
    with pytest.raises(IntegrityError) as caught:
        loaded(stored, versions, digests)
    return caught.value.code


def test_the_registered_version_of_each_table_is_served(store: Store) -> None:
    store()
    second = store(version=2)

    tables, manifests = loaded(second, {VISITS: 2}, {VISITS: digest(second.folder)})

    assert [(t.name, t.version) for t in tables.tables] == [("visits", 2)]
    assert manifests == {VISITS: second.manifest}


def test_a_folder_that_was_never_registered_is_no_table(store: Store) -> None:
    stored = store()

    tables, manifests = loaded(stored, {}, {})

    assert tables.tables == ()
    assert manifests == {}


def test_an_older_version_than_recorded_is_found(store: Store) -> None:
    """The newest folder is gone, or holds an older version's files."""
    first, second = store(), store(version=2)
    newest = digest(second.folder)
    shutil.rmtree(second.folder)
    assert refused(first, {VISITS: 2}, {VISITS: newest}) == "PL405"

    shutil.copytree(first.folder, second.folder)
    assert refused(first, {VISITS: 2}, {VISITS: newest}) == "PL401"
    assert refused(first, {VISITS: 2}, {VISITS: digest(first.folder)}) == "PL405"


def test_a_newer_version_in_an_older_folder_is_found(store: Store) -> None:
    first, second = store(), store(version=2)
    recorded = digest(first.folder)
    shutil.rmtree(first.folder)
    shutil.copytree(second.folder, first.folder)

    assert refused(first, {VISITS: 1}, {VISITS: recorded}) == "PL401"
    assert refused(first, {VISITS: 1}, {VISITS: digest(first.folder)}) == "PL402"


def test_another_tables_folder_is_found(store: Store) -> None:
    stored = store()
    shutil.copytree(stored.tables / "clinic" / "visits", stored.tables / "clinic" / "patients")

    assert refused(stored, {PATIENTS: 1}, {PATIENTS: "0" * 64}) == "PL401"
    assert refused(stored, {PATIENTS: 1}, {PATIENTS: digest(stored.folder)}) == "PL402"


def test_a_table_that_is_gone_altogether_is_an_error(store: Store) -> None:
    stored = store()
    recorded = digest(stored.folder)
    shutil.rmtree(stored.folder)

    assert refused(stored, {VISITS: 1}, {VISITS: recorded}) == "PL401"


def test_a_manifest_that_was_signed_but_not_registered_is_refused(store: Store) -> None:
    """The right signature over the right table and version does not replace the ledger's word."""
    stored = store()
    recorded = digest(stored.folder)
    replace(stored.manifest, created="2025-01-02T03:04:06Z").write(stored.folder, stored.signer)

    assert refused(stored, {VISITS: 1}, {VISITS: recorded}) == "PL401"
    assert refused(stored, {VISITS: 1}, {}) == "PL401"


def test_a_pipe_in_the_manifests_place_is_refused_and_not_waited_for(store: Store) -> None:
    stored = store()
    recorded = digest(stored.folder)
    (stored.folder / MANIFEST_FILE).unlink()
    os.mkfifo(stored.folder / MANIFEST_FILE)

    assert refused(stored, {VISITS: 1}, {VISITS: recorded}) == "PL401"


def test_of_two_tables_of_one_name_the_first_has_the_bare_name(store: Store) -> None:
    """FROM names a table without its dataset; a twin must not keep the curator from starting."""
    first = store()
    text = first.contract.text.replace('"clinic"', '"hospital"')
    twin = replace(first.manifest, dataset="hospital", contract_text=text)
    folder = first.tables / "hospital" / "visits" / "1"
    shutil.copytree(first.folder, folder)
    twin.write(folder, first.signer)
    digests = {VISITS: digest(first.folder), HOSPITAL: digest(folder)}

    for order in ((VISITS, HOSPITAL), (HOSPITAL, VISITS)):
        tables, manifests = loaded(first, dict.fromkeys(order, 1), digests)

        bare = tables.table("visits")
        assert bare is not None
        assert bare.dataset == order[0][0]
        for dataset, name in order:
            found = tables.table(f"{dataset}.{name}")
            assert found is not None
            assert found.dataset == dataset
        assert manifests == {VISITS: first.manifest, HOSPITAL: twin}
