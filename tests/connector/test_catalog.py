"""The catalog: the registered versions, or an error; never quietly fewer or older ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from privlab.connector import catalog
from privlab.errors import BadContract, IntegrityError

Store = Callable[..., Any]
VISITS = ("clinic", "visits")


def test_the_registered_version_of_each_table_is_served(store: Store) -> None:
    store()
    second = store(version=2)

    tables, manifests = catalog.load(second.tables, second.signer.public, {VISITS: 2})

    assert [(t.name, t.version) for t in tables.tables] == [("visits", 2)]
    assert manifests == {VISITS: second.manifest}


def test_a_folder_that_was_never_registered_is_no_table(store: Store) -> None:
    stored = store()

    tables, manifests = catalog.load(stored.tables, stored.signer.public, {})

    assert tables.tables == ()
    assert manifests == {}


def test_an_older_version_than_recorded_is_found(store: Store) -> None:
    """The newest folder is gone, or holds an older version's files."""
    first, second = store(), store(version=2)
    shutil.rmtree(second.folder)
    for _ in range(2):
        with pytest.raises(IntegrityError) as caught:
            catalog.load(first.tables, first.signer.public, {VISITS: 2})
        assert caught.value.code == "PL405"
        if not second.folder.exists():
            shutil.copytree(first.folder, second.folder)


def test_a_newer_version_in_an_older_folder_is_found(store: Store) -> None:
    first, second = store(), store(version=2)
    shutil.rmtree(first.folder)
    shutil.copytree(second.folder, first.folder)

    with pytest.raises(IntegrityError) as caught:
        catalog.load(first.tables, first.signer.public, {VISITS: 1})

    assert caught.value.code == "PL402"


def test_another_tables_folder_is_found(store: Store) -> None:
    stored = store()
    shutil.copytree(stored.tables / "clinic" / "visits", stored.tables / "clinic" / "patients")

    with pytest.raises(IntegrityError) as caught:
        catalog.load(stored.tables, stored.signer.public, {("clinic", "patients"): 1})

    assert caught.value.code == "PL402"


def test_a_table_that_is_gone_altogether_is_an_error(store: Store) -> None:
    stored = store()
    shutil.rmtree(stored.folder)

    with pytest.raises(IntegrityError) as caught:
        catalog.load(stored.tables, stored.signer.public, {VISITS: 1})

    assert caught.value.code == "PL401"


def test_two_tables_of_one_name_are_refused(store: Store) -> None:
    """FROM names a table without its dataset."""
    first = store()
    text = first.contract.text.replace('"clinic"', '"hospital"')
    from privlab.connector.contract import parse
    from privlab.connector.manifest import Manifest

    contract = parse(text)
    folder = first.tables / "hospital" / "visits" / "1"
    shutil.copytree(first.folder, folder)
    Manifest(
        "hospital", "visits", 1, contract.text, first.manifest.parts, first.manifest.keys, "now"
    ).write(folder, first.signer)

    with pytest.raises(BadContract) as caught:
        catalog.load(first.tables, first.signer.public, {VISITS: 1, ("hospital", "visits"): 1})

    assert caught.value.code == "PL152"
