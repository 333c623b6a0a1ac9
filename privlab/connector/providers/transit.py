"""``transit:URL/MOUNT/KEY``: masters sealed by the transit engine of OpenBao or Vault.

The server's key never leaves it.  It seals each master under a context, the master's
name, from which the server derives the key it uses: so the key must be of the kind
``derived=true``.  (Its ``associated_data`` would bind a context too, but then the
server refuses to rewrap.)  What it returned lies in a file of the workspace, and is
worth nothing without the server.  Where the token may, retiring a master also
retires the version of the server's key that sealed it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from privlab.connector.durable import locked, read_private, remove, write_private
from privlab.connector.providers.provider import (
    MASTER_BYTES,
    Masters,
    Secrets,
    master_name,
    unusable,
)
from privlab.errors import IntegrityError, PrivlabError

SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]{1,4096}")
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


class Transit:
    """See `provider.Provider`.

    address: what stands behind ``transit:``.  path: where the sealed masters lie.
    """

    def __init__(self, address: str, path: Path, given: Secrets) -> None:
        self._path = path
        self._given = given
        self._server, self._mount, self._key = _split(address)

    def exists(self) -> bool:
        return self._path.exists() or self._path.is_symlink()

    def read(self) -> Masters:
        sealed, counter = self._sealed()
        found: dict[str, bytes] = {}
        for name, ciphertext in sealed.items():
            master = self._decrypt(ciphertext, name)
            if len(master) != MASTER_BYTES or master_name(master) != name:
                raise _not_ours()
            found[name] = master
        return Masters(found, counter)

    def add(self, master: bytes) -> None:
        with locked(self._path):
            sealed, counter = self._sealed() if self.exists() else ({}, 0)
            if sealed:
                self._advance()
            name = master_name(master)
            ciphertext = self._encrypt(master, name)
            self._check_binding(ciphertext, name)
            self._write({**sealed, name: ciphertext}, counter + 1)

    def keep(self, name: str) -> str:
        with locked(self._path):
            sealed, counter = self._sealed()
            kept = sealed[name]
            if set(sealed) != {name}:
                self._write({name: kept}, counter + 1)
        return self._retire(_version(kept))

    def destroy(self) -> str:
        remove(self._path)
        return f"to destroy the server's key as well, delete {self._key} on {self._server}"

    # --- the server ----------------------------------------------------------

    def _encrypt(self, master: bytes, name: str) -> str:
        body = {"plaintext": _text(master), "context": _text(_context(name))}
        found = self._call("POST", f"encrypt/{self._key}", body).get("ciphertext")
        if not isinstance(found, str) or _CIPHERTEXT.fullmatch(found) is None:
            raise _strange()
        return found

    def _decrypt(self, ciphertext: str, name: str) -> bytes:
        body = {"ciphertext": ciphertext, "context": _text(_context(name))}
        found = self._call("POST", f"decrypt/{self._key}", body).get("plaintext")
        try:
            return base64.b64decode(found, validate=True) if isinstance(found, str) else b""
        except (ValueError, binascii.Error):
            raise _strange() from None

    def _check_binding(self, ciphertext: str, name: str) -> None:
        """See the server refuse another context: a key that is not derived ignores it.

        :raises BadContract: PL152, it did not refuse.
        """
        try:
            self._decrypt(ciphertext, f"not {name}")
        except IntegrityError:
            return
        raise unusable(
            f"the transit key {self._key} does not bind what it seals to a context",
            f"make one that does: bao write -f {self._mount}/keys/{self._key} derived=true",
        )

    def _advance(self) -> None:
        """Make a new version of the server's key, where the token may."""
        try:
            self._call("POST", f"keys/{self._key}/rotate", {})
        except PrivlabError:
            return

    def _retire(self, version: int) -> str:
        """Have the server forget the versions before this one, where the token may."""
        if version == 1:
            return ""
        versions = {"min_decryption_version": version, "min_encryption_version": version}
        try:
            self._call("POST", f"keys/{self._key}/config", versions)
            self._call("POST", f"keys/{self._key}/trim", {"min_available_version": version})
        except PrivlabError:
            return (
                f"this token may not retire old versions of {self._key}; have it done by: "
                f"bao write {self._mount}/keys/{self._key}/config min_decryption_version={version}"
            )
        return ""

    def _call(self, method: str, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        url = f"{self._server}/v1/{self._mount}/{path}"
        headers = {"X-Vault-Token": self._given.token(), "X-Vault-Request": "true"}
        try:
            with httpx.Client(
                timeout=SECONDS, trust_env=False, verify=_trusted(self._server)
            ) as client:
                got = client.request(method, url, json=dict(body), headers=headers)
                value = got.json() if got.content else {}
        except (httpx.HTTPError, ValueError, OSError):
            raise unusable(
                f"no transit server answers at {self._server}",
                "is it running, and is its certificate one this machine trusts?",
            ) from None
        if got.is_success:
            data = value.get("data") if isinstance(value, dict) else None
            return data if isinstance(data, dict) else {}
        raise self._refusal(got.status_code)

    def _refusal(self, status: int) -> PrivlabError:
        """In our words: the server's may quote what it was sent."""
        match status:
            case 503:
                return unusable(
                    f"the transit server at {self._server} is sealed",
                    "have its operator unseal it, then try again",
                )
            case 403:
                return unusable(
                    f"the transit server does not let this token use {self._key}",
                    f"the token needs update on {self._mount}/encrypt/{self._key} "
                    f"and {self._mount}/decrypt/{self._key}",
                )
            case 400 | 404:
                return _not_ours()
            case _:
                return unusable(
                    f"the transit server at {self._server} answers with status {status}",
                    "ask its operator",
                )

    # --- what it sealed ------------------------------------------------------

    def _sealed(self) -> tuple[dict[str, str], int]:
        try:
            value = json.loads(read_private(self._path))
            sealed, counter = value["sealed"], int(value["counter"])
            if not sealed or not all(_CIPHERTEXT.fullmatch(one) for one in sealed.values()):
                raise ValueError("not sealed masters")
            return dict(sealed), counter
        except FileNotFoundError:
            raise unusable(
                f"there is no sealed master key at {self._path}",
                "restore it from a backup, or with: privlab key restore",
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise _not_ours() from None

    def _write(self, sealed: Mapping[str, str], counter: int) -> None:
        body = {"counter": str(counter), "sealed": dict(sealed)}
        write_private(self._path, json.dumps(body, sort_keys=True).encode("ascii"))


def _split(address: str) -> tuple[str, str, str]:
    """Server, mount and key of ``https://host:8200/transit/KEY``.

    :raises BadContract: PL152, another form, or http to another machine.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    segments = parts.path.strip("/").split("/")
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if (
        not secure
        or parts.username
        or parts.query
        or parts.fragment
        or len(segments) < 2
        or not all(_SEGMENT.fullmatch(one) for one in segments)
    ):
        raise unusable(
            "a transit custody is transit:https://HOST:8200/MOUNT/KEY",
            "http is only for this machine itself; the token is given apart",
        )
    return f"{parts.scheme}://{parts.netloc}", "/".join(segments[:-1]), segments[-1]


def _trusted(server: str) -> ssl.SSLContext | bool:
    """The certificates this machine trusts; SSL_CERT_FILE names others, as everywhere."""
    return ssl.create_default_context() if server.startswith("https:") else False


def _context(name: str) -> bytes:
    return b"privlab/master/v1\0" + name.encode("ascii")


def _version(ciphertext: str) -> int:
    found = _CIPHERTEXT.fullmatch(ciphertext)
    return int(found[1]) if found else 1


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _not_ours() -> IntegrityError:
    return IntegrityError(
        "the transit server does not open the sealed master key",
        code="PL404",
        hint="is it the key this workspace was made with, and are its versions still there? "
        "else: privlab key restore",
    )


def _strange() -> PrivlabError:
    return unusable(
        "the transit server's answer is not one of a transit engine", "is its URL right?"
    )
