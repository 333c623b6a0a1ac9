"""From a custody URI to the provider it names."""

from __future__ import annotations

from pathlib import Path

from privlab.connector.providers.passphrase import PassphraseFile
from privlab.connector.providers.plain import PlainFile
from privlab.connector.providers.provider import Provider, Secrets, unusable
from privlab.connector.providers.system_keyring import SystemKeyring
from privlab.connector.providers.transit import Transit

SCHEMES = ("keyring", "file", "plain", "transit")

SEALED_MASTERS = "keys/transit.json"
"""Where a workspace keeps what its transit server sealed."""


def provider_of(uri: str, base: Path, given: Secrets) -> Provider:
    """The provider of ``keyring:NAME``, ``file:PATH``, ``plain:PATH`` or ``transit:URL``.

    A relative path is taken from ``base``, the workspace's folder.

    :raises BadContract: PL152, another scheme, or nothing behind it.
    """
    scheme, _, rest = uri.partition(":")
    if scheme not in SCHEMES or not rest:
        raise unusable(
            f"custody {uri!r} is unknown",
            'write "keyring:NAME", "file:keys/master.key", "transit:https://HOST:8200/MOUNT/KEY" '
            'or, without encryption, "plain:keys/master.key"',
        )
    match scheme:
        case "keyring":
            return SystemKeyring(rest)
        case "file":
            return PassphraseFile(base / rest, given)
        case "plain":
            return PlainFile(base / rest)
        case _:
            return Transit(rest, base / SEALED_MASTERS, given)
