"""A workspace: the folder that holds one curator's tables, keys and ledger."""

from __future__ import annotations

import os
import pwd
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from privlab.connector.keys import KEYCHAIN_FILE, Custody, Secrets
from privlab.connector.providers.schemes import schemes
from privlab.connector.reader import Reader
from privlab.errors import BadContract
from privlab.terms.principal import Principal, Role, Tier
from privlab.wire.locate import ADDRESS_FILE, WORKSPACE_FILE

POLICIES = ("personal", "team")
PERSONAL_ROLES = frozenset({Role.OWNER, Role.STEWARD, Role.ANALYST})
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the workspace knows: the uid of her processes, and what she may be."""

    name: str
    uid: int
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Workspace:
    """The settings of ``privlab.toml`` and where things are."""

    folder: Path
    policy: str
    custody: str
    idle_minutes: int
    people: tuple[Person, ...] = field(default=())
    reader: Reader = Reader.NATIVE

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.sqlite"

    @property
    def public_key(self) -> Path:
        return self.folder / "curator.pub"

    @property
    def address(self) -> Path:
        return self.folder / ADDRESS_FILE

    @property
    def lock(self) -> Path:
        return self.folder / "curator.lock"

    @property
    def keychain(self) -> Path:
        return self.folder / KEYCHAIN_FILE

    def table_folder(self, dataset: str, table: str, version: int) -> Path:
        """Where the parts of one table version are."""
        return self.tables / dataset / table / str(version)

    def principal(self, uid: int) -> Principal | None:
        """Whoever has this uid, with the tier of a process on this machine."""
        tier = Tier.SAME_UID if uid == os.getuid() else Tier.OTHER_UID
        for person in self.people:
            if person.uid == uid:
                return Principal(person.name, person.roles, tier)
        return None


def load(folder: Path) -> Workspace:
    """Read ``privlab.toml``.

    :raises BadContract: PL152, with every problem at once.
    """
    file = folder / WORKSPACE_FILE
    try:
        settings = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise BadContract(
            f"there is no workspace in {folder}", code="PL152", hint="make one with: privlab init"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise BadContract(f"{file} cannot be read as TOML", code="PL152") from None
    problems: list[str] = []

    def section(name: str) -> dict[str, object]:
        found = settings.get(name, {})
        if isinstance(found, dict):
            return found
        problems.append(f"[{name}] must be a section")
        return {}

    about, keys, curator, engine, people = (
        section(n) for n in ("workspace", "keys", "curator", "engine", "people")
    )
    if about.get("format") != FORMAT:
        problems.append(f"[workspace] format must be {FORMAT}")
    policy = about.get("policy")
    if policy not in POLICIES:
        problems.append(f"[workspace] policy must be one of {', '.join(POLICIES)}")
    custody = keys.get("custody")
    if not isinstance(custody, str) or custody.partition(":")[0] not in schemes():
        problems.append(f"[keys] custody must begin with one of {', '.join(schemes())} and a colon")
    idle = curator.get("idle_minutes", 120)
    if not isinstance(idle, int) or isinstance(idle, bool) or idle < 1:
        problems.append("[curator] idle_minutes must be a whole number above 0")
    reader = engine.get("reader", str(Reader.NATIVE))
    if reader not in list(Reader):
        problems.append(f"[engine] reader must be one of {', '.join(Reader)}")
    known = tuple(_person(name, entry, problems) for name, entry in people.items())
    if problems:
        raise BadContract(
            f"{file} has {len(problems)} problem(s)",
            code="PL152",
            facts={str(n): problem for n, problem in enumerate(problems, 1)},
        )
    return Workspace(
        folder.resolve(),
        str(policy),
        str(custody),
        int(str(idle)),
        tuple(person for person in known if person is not None),
        Reader(str(reader)),
    )


def create(
    folder: Path, *, custody: str, policy: str = "personal", given: Secrets | None = None
) -> Workspace:
    """Make a workspace owned by the user who runs this.

    custody: where its master key is kept, a URI (``docs/keys.md``).

    Under ``personal`` she is owner, steward and analyst in one; under ``team``
    she is the owner, and adds the others to ``privlab.toml``.

    :raises BadContract: PL152, there is one already, or the policy is unknown.
    """
    if policy not in POLICIES:
        raise BadContract(
            f"there is no policy set {policy!r}", code="PL152", hint=f"use {' or '.join(POLICIES)}"
        )
    file = folder / WORKSPACE_FILE
    if file.exists():
        raise BadContract(
            f"{folder} is a workspace already",
            code="PL152",
            hint="use it, or name another folder",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("tables", "keys", "contracts", "cache"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    uid = os.getuid()
    roles = sorted(PERSONAL_ROLES if policy == "personal" else {Role.OWNER, Role.STEWARD})
    lines = [
        "# A privlab workspace.  The curator reads this file when it starts.",
        "",
        "[workspace]",
        f"format = {FORMAT}",
        f'policy = "{policy}"',
        "",
        "[curator]",
        "# The Python that has privlab[curator]; notebooks may use another.",
        f'python = "{_toml(sys.executable)}"',
        "idle_minutes = 120",
        "",
        "[keys]",
        "# Where the master key is kept.  Changed by: privlab key move URI",
        f'custody = "{_toml(custody)}"',
        "",
        f'[people."{_toml(_user_name(uid))}"]',
        f"uid = {uid}",
        "roles = [" + ", ".join(f'"{role}"' for role in roles) + "]",
        "",
    ]
    Custody.create(custody, base=folder, now=datetime.now(UTC), given=given)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write("\n".join(lines))
    return load(folder)


def _person(name: str, entry: object, problems: list[str]) -> Person | None:
    match entry:
        case {"uid": int(uid), "roles": list(roles)} if not isinstance(uid, bool) and uid >= 0:
            unknown = [str(role) for role in roles if role not in list(Role)]
            if not unknown:
                return Person(name, uid, frozenset(Role(str(role)) for role in roles))
            problems.append(
                f"[people.{name}] knows no role {', '.join(unknown)}; there are {', '.join(Role)}"
            )
        case _:
            problems.append(f'[people.{name}] needs uid = 1000 and roles = ["analyst"]')
    return None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _toml(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
