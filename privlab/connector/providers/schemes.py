"""From a custody URI to the provider it names: one of ours, or one that another package brings.

A package adds a scheme by an entry point of the group ``privlab.custody``, whose name is
the scheme and whose object is a `Maker` (``docs/keys.md``).  It is imported only where a
workspace names its scheme, and it cannot take the place of one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol

from privlab.connector.providers.passphrase import PassphraseFile
from privlab.connector.providers.plain import PlainFile
from privlab.connector.providers.provider import Provider, Secrets, unusable
from privlab.connector.providers.system_keyring import SystemKeyring
from privlab.connector.providers.transit import Transit
from privlab.errors import BadContract, PrivlabError

GROUP = "privlab.custody"
SEALED_MASTERS = "keys/transit.json"
"""Where a workspace keeps what its transit server sealed."""

_SCHEME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Maker(Protocol):
    """Makes the provider of what stands behind the colon.

    base: the workspace's folder.  given: how to learn a passphrase, a PIN say, or a token.
    It raises BadContract (PL152) for words it does not understand, and reaches nothing yet.
    """

    def __call__(self, rest: str, base: Path, given: Secrets) -> Provider: ...


OURS: Mapping[str, Maker] = {
    "keyring": lambda rest, base, given: SystemKeyring(rest),
    "file": lambda rest, base, given: PassphraseFile(base / rest, given),
    "plain": lambda rest, base, given: PlainFile(base / rest),
    "transit": lambda rest, base, given: Transit(rest, base / SEALED_MASTERS, given),
}


def schemes() -> tuple[str, ...]:
    """Every scheme that can be named here: ours, then those of other packages."""
    return (*OURS, *sorted(_brought()))


def provider_of(uri: str, base: Path, given: Secrets) -> Provider:
    """The provider of ``keyring:NAME``, ``file:PATH``, ``plain:PATH``, ``transit:URL``, or another.

    A relative path is taken from ``base``, the workspace's folder.

    :raises BadContract: PL152, another scheme, nothing behind it, or a package whose
        scheme does not work.
    """
    scheme, _, rest = uri.partition(":")
    brought = {} if scheme in OURS else _brought()
    if not rest or (scheme not in OURS and scheme not in brought):
        raise unusable(
            f"custody {uri!r} is unknown",
            'write "keyring:NAME", "file:keys/master.key", "transit:https://HOST:8200/MOUNT/KEY" '
            'or, without encryption, "plain:keys/master.key"',
        )
    if scheme in OURS:
        return OURS[scheme](rest, base, given)
    return _made(brought[scheme], rest, base, given)


def _brought() -> dict[str, EntryPoint]:
    """What other packages bring.  None of it is imported here."""
    return {
        found.name: found
        for found in entry_points(group=GROUP)
        if found.name not in OURS and _SCHEME.fullmatch(found.name)
    }


def _made(found: EntryPoint, rest: str, base: Path, given: Secrets) -> Provider:
    try:
        made = found.load()(rest, base, given)
    except PrivlabError:
        raise
    except Exception:  # noqa: BLE001 - another package's, whatever it raises
        raise _broken(found.name) from None
    if not isinstance(made, Provider):
        raise _broken(found.name)
    return made


def _broken(scheme: str) -> BadContract:
    return unusable(
        f"the package that brings custody {scheme}: does not work",
        "see that it is of a version for this privlab",
    )
