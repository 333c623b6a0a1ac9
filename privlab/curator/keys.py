"""What an owner does with keys: list, rotate, shred; and what the calendar does.

The order of shredding: the ledger remembers it, the keychain is written without the
keys under a new master, the old master is destroyed, and a reading that fails proves
it.  What was cut short is ended at the next start (`finish`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from privlab.connector.keys import Place
from privlab.connector.manifest import FOOTER_KEY, MANIFEST_FILE, UNITS_FILE_COLUMNS, Manifest
from privlab.curator.desk import Desk
from privlab.curator.rest import texts_of
from privlab.errors import BadQuery, IntegrityError, Refused
from privlab.policy.decide import Request
from privlab.terms.principal import Principal
from privlab.wire.keys import KeyDeed, KeyFacts, Keys, Rotate, Rotated, Shred, Shredded

CALENDAR = "retention"
"""Whom the record names when the calendar did it."""

_SCOPE = re.compile(
    r"(?P<dataset>[a-z][a-z0-9_]*)"
    r"(\.(?P<table>[a-z][a-z0-9_]*)(@(?P<version>[1-9][0-9]{0,9}))?(:(?P<column>.+))?)?"
)


def listed(desk: Desk, who: Principal) -> Keys:
    """Every table version with its keys, oldest first."""
    _decide(desk, who, "")
    versions: dict[tuple[str, str, int], tuple[list[str], list[str]]] = {}
    there, gone = desk.custody.places(), desk.custody.gone()
    for place, at in [(p, 0) for p in there] + [(p, 1) for p in gone]:
        if place.is_texts:
            continue
        entry = versions.setdefault((place.dataset, place.table, place.version), ([], []))
        if _has_name(place):
            entry[at].append(place.column)
    ends = dict(_ends(desk))
    return Keys(
        custody=desk.workspace.custody.partition(":")[0],
        since=desk.custody.since,
        generation=desk.custody.generation,
        tables=tuple(
            KeyFacts(
                dataset=name[0],
                table=name[1],
                version=name[2],
                columns=tuple(there),
                shredded=tuple(gone),
                keep_until=f"{ends[name]:%Y-%m-%d}" if name in ends else "",
            )
            for name, (there, gone) in sorted(versions.items())
        ),
    )


def rotate(desk: Desk, who: Principal, body: Rotate) -> Rotated:
    """Seal the keychain under a new master; rewrites no data, manifest or answer."""
    _decide(desk, who, "")
    with desk.registering:
        now = desk.clock()
        oldest = now - timedelta(days=body.older_than_days)
        if body.older_than_days and _time(desk.custody.since) > oldest:
            return Rotated(done=False, since=desk.custody.since, left="")
        left = desk.custody.rotate(now)
        desk.ledger.key_deed(who.name, "key-rotate", desk.custody.generation)
        return Rotated(done=True, since=desk.custody.since, left=left)


def shred(desk: Desk, who: Principal, body: Shred) -> Shredded:
    """Destroy keys for good.  Losses stay; answers made from what went are gone too.

    :raises BadQuery: PL112, the scope names nothing that has a key.
    :raises IntegrityError: PL404, something that should be gone can still be read.
    """
    if body.scope is None:
        _decide(desk, who, "")
        with desk.registering:
            lost = _past(desk)
            return (
                Shredded(gone=_names(lost), left="") if body.dry else _shred(desk, CALENDAR, lost)
            )
    named = body.scope
    with desk.registering:
        lost = _of(desk, named)
        _decide(desk, who, lost[0].dataset)
        if body.dry:
            return Shredded(gone=_names(lost), left="")
        return _shred(desk, who.name, lost, named)


def noted(desk: Desk, who: Principal, body: KeyDeed) -> Keys:
    """Record what was done with keys outside the curator."""
    _decide(desk, who, "")
    desk.ledger.key_deed(who.name, body.deed, desk.custody.generation)
    return listed(desk, who)


def retire(desk: Desk) -> Shredded:
    """Shred what is past its contract's retention."""
    with desk.registering:
        return _shred(desk, CALENDAR, _past(desk))


def finish(desk: Desk) -> None:
    """End what was cut short: what the ledger holds for shredded has no key any more."""
    known = {Place(*place) for place in desk.ledger.shredded()}
    still = known & set(desk.custody.places())
    if still:
        desk.custody.shred(still, desk.clock())
        desk.ledger.key_deed("curator", "key-shred-ended", desk.custody.generation)
    desk.ledger.see_keychain(desk.custody.generation)


def _shred(desk: Desk, by: str, lost: tuple[Place, ...], named: str = "") -> Shredded:
    if not lost:
        return Shredded(gone=(), left="")
    by_dataset: dict[str, list[Place]] = {}
    for place in lost:
        by_dataset.setdefault(place.dataset, []).append(place)
    for dataset, places in by_dataset.items():
        subject = named or ", ".join(_names(places))
        rows = [(p.dataset, p.table, p.version, p.column) for p in places]
        desk.ledger.shred(by, dataset, subject[:1000], rows)
    return Shredded(gone=_names(lost), left=destroy(desk, by, by_dataset, named))


def destroy(desk: Desk, by: str, lost: Mapping[str, Iterable[Place]], named: str) -> str:
    """Destroy keys that the ledger holds for shredded, by dataset, and prove it.

    Returns what the owner must still do by hand.

    :raises IntegrityError: PL404, something that should be gone can still be read.
    """
    left = desk.custody.shred([place for places in lost.values() for place in places], desk.clock())
    for dataset, places in lost.items():
        _cannot_be_read(desk, places)
        desk.ledger.key_deed(
            by, "key-shred-proved", desk.custody.generation, dataset=dataset, subject=named
        )
    return left


def _cannot_be_read(desk: Desk, places: Iterable[Place]) -> None:
    """Try each key that went, as a question would, from the manifest on disk.

    :raises IntegrityError: PL404, one opened.
    """
    manifests = _manifests(desk)
    for place in places:
        if place.is_texts and desk.ledger.any_words(texts_of(place)):
            raise _still_there()
        manifest = manifests.get((place.dataset, place.table, place.version))
        if manifest is None:
            continue
        for wrapped in _wrapped(manifest, place):
            try:
                desk.custody.unwrap(wrapped, place)
            except IntegrityError as refusal:
                if refusal.code == "PL411":
                    continue
                raise
            raise _still_there()


def _wrapped(manifest: Manifest, place: Place) -> Iterator[bytes]:
    """The data keys that are wrapped for this place: one of each version that wrote parts."""
    for of in manifest.keys.values():
        if place.is_bucket:
            yield from (
                key for number, key in of.buckets.items() if _of_bucket(place, number) == place
            )
        else:
            yield of.columns.get(place.column, b"")


def _of_bucket(place: Place, number: int) -> Place:
    return Place.of_bucket(place.dataset, place.table, place.version, number)


def _has_name(place: Place) -> bool:
    """Whether it is a column of the contract."""
    return not place.is_bucket and place.column not in (FOOTER_KEY, *UNITS_FILE_COLUMNS)


def _still_there() -> IntegrityError:
    return IntegrityError(
        "a key that was shredded can still be read",
        code="PL404",
        hint="look at the disk, then shred again",
    )


def _of(desk: Desk, scope: str) -> tuple[Place, ...]:
    """Every place of a scope that has a key.

    A version goes with its footer, its pseudonyms and all its columns; a column goes
    in every version of its table, or in the one that is named.
    """
    found = _SCOPE.fullmatch(scope)
    if found is None:
        raise BadQuery(
            f"{scope[:80]!r} is not a scope of keys",
            code="PL112",
            hint="write DATASET, DATASET.TABLE, DATASET.TABLE@VERSION or DATASET.TABLE:COLUMN",
        )
    table, version, column = found["table"], found["version"], found["column"]
    lost = tuple(
        place
        for place in desk.custody.places()
        if place.dataset == found["dataset"]
        and table in (None, place.table)
        and version in (None, str(place.version))
        and column in (None, place.column)
    )
    if not lost or (column is not None and not _has_name(lost[0])):
        raise BadQuery(
            f"nothing with a key is called {scope[:80]}",
            code="PL112",
            hint="see what there is with: privlab key list",
        )
    return lost


def _past(desk: Desk) -> tuple[Place, ...]:
    """Every place of a table version that its contract lets nobody keep any longer."""
    over = {name for name, end in _ends(desk) if end <= desk.clock()}
    return tuple(p for p in desk.custody.places() if (p.dataset, p.table, p.version) in over)


def _ends(desk: Desk) -> Iterator[tuple[tuple[str, str, int], datetime]]:
    """When each version's retention ends, where its contract states one."""
    for name, manifest in _manifests(desk).items():
        days = manifest.described().retention_days
        if days is not None:
            yield name, _time(manifest.rows_since) + timedelta(days=days)


def _manifests(desk: Desk) -> dict[tuple[str, str, int], Manifest]:
    """Of every registered version whose manifest is still there and as it was signed.

    What is not cannot be read by anybody; the newest ones are checked at the start.
    """
    found = {}
    for (dataset, table, version), digest in desk.ledger.every_version().items():
        file = desk.workspace.table_folder(dataset, table, version) / MANIFEST_FILE
        with suppress(IntegrityError):
            found[dataset, table, version] = Manifest.load(file, desk.signer.public, digest)
    return found


def _names(places: Iterable[Place]) -> tuple[str, ...]:
    """Versions that went whole, and columns of the others."""
    listed = tuple(places)
    whole = {(p.dataset, p.table, p.version) for p in listed if p.column == FOOTER_KEY}
    names = {f"{dataset}.{table}@{version}" for dataset, table, version in whole}
    names |= {
        f"{p.dataset}.{p.table}@{p.version}:{p.column}"
        for p in listed
        if (p.dataset, p.table, p.version) not in whole and not p.is_texts
    }
    names |= {f"{p.dataset}: questions of {p.column}" for p in listed if p.is_texts}
    return tuple(sorted(names))


def _decide(desk: Desk, who: Principal, dataset: str) -> None:
    request = Request(principal=who, action="keys", dataset=dataset)
    try:
        desk.policy.decide(request, desk.clock())
    except Refused as refusal:
        desk.ledger.deny(who.name, "keys", dataset, refusal.code)
        raise


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
