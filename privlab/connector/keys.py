"""Custody of a workspace's keys, and everything that is derived from them.

A provider keeps the 32-byte master between runs; the master opens the keychain; the
keychain's keys wrap data keys and seal answers, by AES-256-GCM with the place as
additional data, so that what was wrapped opens in its own place only (AES key wrap,
RFC 3394, cannot bind one).  Every other secret comes from HKDF-SHA256 (RFC 5869)
under a label.  Python does not erase memory: we keep keys few, and promise no more.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privlab.connector import keychain
from privlab.connector.keychain import KEY_BYTES, Keychain, Place
from privlab.connector.providers.provider import Provider, Secrets
from privlab.connector.providers.schemes import provider_of
from privlab.connector.stored import Stored, older
from privlab.errors import BadContract, IntegrityError
from privlab.seal.envelope import seal, unseal

__all__ = ["Custody", "Place", "Secrets"]

KEYCHAIN_FILE = "keys/keychain"
"""In a workspace's folder."""

_SALT = b"privlab/custody/v1"


class Custody:
    """Holds the keys of one workspace while its curator runs."""

    __slots__ = ("_chain", "_lock", "_stored", "master_id")

    def __init__(self, secret: bytes, *, stored: Stored | None = None) -> None:
        """Of these 32 bytes; without ``stored`` it lives in memory alone.

        :raises IntegrityError: PL404, not 32 bytes.
        """
        if len(secret) != KEY_BYTES:
            raise IntegrityError(
                f"a workspace's secret has {KEY_BYTES} bytes, this has {len(secret)}", code="PL404"
            )
        self._chain = Keychain(bytes(secret))
        self._stored = stored
        self._lock = threading.RLock()
        self.master_id = self.derive("id")[:8].hex()

    @classmethod
    def open(cls, uri: str, *, base: Path, given: Secrets | None = None, least: int = 0) -> Custody:
        """The custody of the workspace in ``base``, whose master ``uri`` names.

        least: the keychain's generation that the ledger has seen.

        :raises BadContract: PL152, no such key, an unsafe file or keyring, or it is
            locked or denied.
        :raises IntegrityError: PL404, what is stored does not open; PL412, it is older
            than what was seen.
        """
        provider = provider_of(uri, base, given or Secrets.found())
        stored, chain = Stored.open(base / KEYCHAIN_FILE, provider)
        if chain.generation < least:
            raise older("the keychain")
        made = cls(chain.secret, stored=stored)
        made._chain = chain
        return made

    @classmethod
    def create(
        cls, uri: str, *, base: Path, now: datetime, given: Secrets | None = None
    ) -> Custody:
        """Make a random secret and a random master; never overwrites one.

        :raises BadContract: PL152, something is there already, or it cannot be kept there.
        """
        provider = provider_of(uri, base, given or Secrets.found())
        chain = Keychain(secrets.token_bytes(KEY_BYTES), generation=1, since=_stamp(now))
        made = cls(chain.secret, stored=Stored.make(base / KEYCHAIN_FILE, provider, chain))
        made._chain = chain
        return made

    @classmethod
    def restore(
        cls, uri: str, master: bytes, *, base: Path, given: Secrets | None = None
    ) -> Custody:
        """Put the master of a recovery kit into the custody that lost it.

        :raises BadContract: PL152, something is there still.
        :raises IntegrityError: PL404, the kit is not of this workspace's keychain.
        """
        path = base / KEYCHAIN_FILE
        chain = keychain.opened(*keychain.read(path), master)
        provider = provider_of(uri, base, given or Secrets.found())
        if provider.exists():
            raise BadContract(
                "there is something in this custody still",
                code="PL152",
                hint="if it does not open, move it away first, then restore",
            )
        provider.add(master)
        made = cls(chain.secret, stored=Stored(path, provider, master))
        made._keep(replace(chain, seen=provider.read().counter))
        return made

    def master(self) -> bytes:
        """The master of today, for a recovery kit and nothing else.

        :raises ValueError: this custody lives in memory.
        """
        if self._stored is None:
            raise ValueError("a custody in memory has no master")
        return self._stored.master

    # --- what is derived -----------------------------------------------------

    def derive(self, label: str, *parts: str) -> bytes:
        """32 bytes that only this workspace, label and parts give (HKDF-SHA256)."""
        return _hkdf(self._chain.secret, _framed(label, *parts))

    def signing_seed(self) -> bytes:
        """The seed of the curator's Ed25519 key."""
        return self.derive("sign")

    # --- what is wrapped and sealed ------------------------------------------

    def provide(self, places: Iterable[Place]) -> None:
        """Make a key for each place that has none; durable when it returns.

        :raises IntegrityError: PL411, a place was shredded: its key is never made again.
        """
        with self._lock:
            wanted = tuple(places)
            self.check(wanted)
            fresh = {p: secrets.token_bytes(KEY_BYTES) for p in wanted if p not in self._chain.keys}
            if fresh:
                self._keep(self._chain.with_keys(fresh))

    def check(self, places: Iterable[Place]) -> None:
        """Return when none of these places was shredded.

        :raises IntegrityError: PL411, naming the first one that was.
        """
        for place in places:
            if place in self._chain.gone:
                raise shredded(place)

    def wrap(self, key: bytes, place: Place) -> bytes:
        """Encrypt a 32-byte data key for its place.

        :raises IntegrityError: PL411, the place was shredded.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, this has {len(key)}")
        self.provide((place,))
        return seal(self._key("wrap", (place,)), key, self._bound(place))

    def unwrap(self, wrapped: bytes, place: Place) -> bytes:
        """The data key again.

        :raises IntegrityError: PL404, another workspace, another place, or altered
            bytes; PL411, the place was shredded.
        """
        key = self._key("wrap", (place,))
        try:
            found = unseal(key, wrapped, self._bound(place))
        except IntegrityError:
            found = b""
        if len(found) != KEY_BYTES:
            raise _no_key()
        return found

    def seal(self, plain: bytes, places: Iterable[Place], label: str) -> bytes:
        """Seal what was made from these places: it opens while all of them have their keys.

        :raises IntegrityError: PL404, PL411, a place has no key.
        """
        return seal(self._key("rest", places), plain, label.encode("utf-8"))

    def unseal(self, sealed: bytes, places: Iterable[Place], label: str) -> bytes:
        """Read `seal` back.

        :raises IntegrityError: PL411, one of the places was shredded; PL404, it was changed.
        """
        return unseal(self._key("rest", places), sealed, label.encode("utf-8"))

    # --- what changes keys ---------------------------------------------------

    @property
    def generation(self) -> int:
        """Rises with every change of the keychain."""
        return self._chain.generation

    @property
    def since(self) -> str:
        """When this master took over: UTC, RFC 3339; "" in memory."""
        return self._chain.since

    def places(self) -> tuple[Place, ...]:
        """Everything that has a key, in order."""
        return tuple(sorted(self._chain.keys))

    def gone(self) -> tuple[Place, ...]:
        """Everything whose key was shredded, in order."""
        return tuple(sorted(self._chain.gone))

    def rotate(self, now: datetime, provider: Provider | None = None) -> str:
        """Seal the keychain under a new master and destroy the old one.

        No data, manifest or answer is rewritten.  provider: a second place for the
        new master (`Stored.renew`).  Returns what the owner must still do by hand.
        """
        with self._lock:
            return self._renew(replace(self._chain, since=_stamp(now)), provider)

    def shred(self, places: Iterable[Place], now: datetime) -> str:
        """Destroy the keys of these places, for good, and prove it by failing to read.

        Returns what the owner must still do by hand.

        :raises IntegrityError: PL404, the proof failed: a key can still be read.
        """
        with self._lock:
            lost = frozenset(places)
            left = self._renew(replace(self._chain.without(lost), since=_stamp(now)), None)
            self._prove(lost)
            return left

    def _prove(self, lost: frozenset[Place]) -> None:
        """Read everything anew: the places have no key, and one master is left."""
        if self._stored is None:
            still = lost & frozenset(self._chain.keys)
        else:
            still = lost & frozenset(self._stored.reread().keys)
            if len(self._stored.masters().by_name) != 1:
                still = lost
        if still:
            raise IntegrityError(
                "a key that was shredded can still be read",
                code="PL404",
                hint="the disk did not keep what was written: look at it, then shred again",
            )

    def _keep(self, chain: Keychain) -> None:
        chain = replace(chain, generation=chain.generation + 1)
        if self._stored is not None:
            self._stored.write(chain)
        self._chain = chain

    def _renew(self, chain: Keychain, provider: Provider | None) -> str:
        chain = replace(chain, generation=chain.generation + 1)
        if self._stored is None:
            self._chain = chain
            return ""
        self._chain = self._stored.renew(chain, provider)  # from here on it is the new state
        return self._stored.retire()

    def _key(self, label: str, places: Iterable[Place]) -> bytes:
        """What these places' keys give together."""
        chain, inputs, info = self._chain, b"", [label]
        for place in sorted(frozenset(places)):
            key = chain.keys.get(place)
            if key is None:
                raise shredded(place) if place in chain.gone else _no_key()
            inputs += key
            info.append(place.framed().hex())
        if not inputs:
            raise ValueError("nothing is sealed under no key")
        return _hkdf(inputs, _framed(*info))

    def _bound(self, place: Place) -> bytes:
        return bytes.fromhex(self.master_id) + place.framed()

    def __repr__(self) -> str:
        return f"Custody(master_id={self.master_id!r})"

    def __reduce__(self) -> str:
        raise TypeError("a key is never serialised")


def shredded(place: Place) -> IntegrityError:
    """PL411, naming what was shredded."""
    if place.is_texts:
        return IntegrityError(
            f"what quotes the questions of {place.column[:7]} about {place.dataset} was deleted",
            code="PL411",
            hint="what was bought then is still held: ask again, under a new id, and nothing "
            "is charged",
        )
    what = f"column {place.column} of " if place.column else ""
    if place.is_bucket:
        what = "a part of "
    return IntegrityError(
        f"{what}{place.dataset}.{place.table} version {place.version} was shredded",
        code="PL411",
        hint="nobody can read it again; a table protected anew is a new version",
    )


def _no_key() -> IntegrityError:
    return IntegrityError(
        "the workspace's keys do not open this table's key",
        code="PL404",
        hint="the table was protected in another workspace, or its manifest was moved",
    )


def _hkdf(material: bytes, info: bytes) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=_SALT, info=info)
    return kdf.derive(material)


def _framed(*parts: str) -> bytes:
    raw = [part.encode("utf-8") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in raw)


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
