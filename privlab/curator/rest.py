"""Answers and vectors at rest: sealed under the keys of every column they were made from.

What quotes a question is sealed under the key of its month's words too.  So whoever shreds a column, a version, a table or a dataset shreds with it all
stored answers that read it, and each backup of them; the ledger's rows, its sums and
its record stay as they were.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from privlab.connector.keys import Custody, Place
from privlab.connector.manifest import FOOTER_KEY
from privlab.errors import IntegrityError
from privlab.query.plan import Plan
from privlab.release.statement import reads
from privlab.release.verify import verify
from privlab.seal.keys import PublicKey


class AtRest:
    """See `ledger.rest.Rest`.  A source is JSON: the dataset, then [table, version, columns]."""

    def __init__(self, custody: Custody, public: PublicKey) -> None:
        self._custody = custody
        self._public = public

    def source(self, bundle: str) -> str:
        facts = verify(bundle, self._public).facts
        dataset = facts["dataset"]
        one = (
            {"table": dataset["table"], "version": dataset["version"]} if "table" in dataset else {}
        )
        versions = {
            entry["table"]: entry["version"] for entry in dataset.get("tables", [one]) if entry
        }
        tables = [[table, versions[table], sorted(read)] for table, read in reads(facts).items()]
        return json.dumps([dataset["name"], sorted(tables)])

    def texts(self, dataset: str, at: str) -> str:
        """The month's; another one of it where the first was shredded with its dataset."""
        gone, month = self._custody.gone(), at[:7]
        tries = (month, *(f"{month}.{number}" for number in range(2, 1000)))
        place = next(p for one in tries if (p := Place.of_texts(dataset, one)) not in gone)
        self._custody.provide((place,))
        return texts_of(place)

    def generation(self) -> int:
        return self._custody.generation

    def name(self, kind: str, value: str) -> str:
        return self._custody.derive("name", kind, value).hex()

    def seal(self, source: str, label: str, plain: bytes, texts: str = "") -> bytes:
        return self._custody.seal(plain, _under(source, texts), label)

    def unseal(self, source: str, label: str, sealed: bytes, texts: str = "") -> bytes:
        return self._custody.unseal(sealed, _under(source, texts), label)


def texts_of(place: Place) -> str:
    """How the ledger names the key of words: JSON, the dataset and the month."""
    return json.dumps([place.dataset, place.column])


def _under(source: str, texts: str) -> tuple[Place, ...]:
    """All whose keys must be there.

    :raises IntegrityError: PL404, nothing is named, or not as we name it.
    """
    if not source and not texts:
        raise _not_ours()
    return (*(places(source) if source else ()), *(_texts(texts) if texts else ()))


def _texts(texts: str) -> tuple[Place, ...]:
    try:
        dataset, month = json.loads(texts)
        if not isinstance(dataset, str) or not isinstance(month, str):
            raise TypeError("names are texts")
    except (ValueError, TypeError, RecursionError):
        raise _not_ours() from None
    return (Place.of_texts(dataset, month),)


def places(source: str) -> tuple[Place, ...]:
    """What a source names: its columns, and the footer of each table version.

    :raises IntegrityError: PL404, it is no source.
    """
    try:
        dataset, tables = json.loads(source)
        return tuple(_places(dataset, tables))
    except (ValueError, TypeError, RecursionError):
        raise _not_ours() from None


def read_by(plan: Plan) -> tuple[Place, ...]:
    """What a question reads: its columns, and the footer of each table version."""
    tables = [(scan.table, scan.version, sorted(plan.reads[scan.table])) for scan in plan.tables]
    return tuple(_places(plan.dataset, tables))


def _places(dataset: str, tables: Iterable[tuple[str, str | int, list[str]]]) -> Iterator[Place]:
    for table, version, columns in tables:
        for column in (FOOTER_KEY, *columns):
            yield Place(dataset, table, int(version), column)


def _not_ours() -> IntegrityError:
    return IntegrityError(
        "a stored answer is not sealed as this workspace seals",
        code="PL404",
        hint="the ledger was changed, or is another workspace's: restore it",
    )
