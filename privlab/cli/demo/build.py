"""Build the demo workspace: files, protected tables, budgets.  Quick when it is there."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from pathlib import Path

from privlab.accounting import levels
from privlab.cli import curator
from privlab.cli.demo import clinic, flights
from privlab.cli.protect import protect_source
from privlab.client.owner import Owner
from privlab.client.session import Session
from privlab.curator import workspace as workspaces
from privlab.errors import PrivlabError
from privlab.wire import locate

Say = Callable[[str], None]
Files = Callable[[str, Path], Path]

ANALYSTS = 1
QUESTIONS = 100
"""Per dataset, so that the default price of 1 % is one question of a hundred."""

TABLES = ("flights", "patients", "visits")

LEVELS = {"aviation": "open", "clinic": "standard"}
"""Aircraft are things; patients, though made up, are treated as people."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that can be asked."""

    session: Session
    workspace: Path


def source_file(name: str, data: Path) -> Path:
    """The plain file of one demo table, made or fetched into ``data`` when missing."""
    if name == "flights":
        return flights.fetch(data)
    files = clinic.build(data)
    return files.patients if name == "patients" else files.visits


def build(folder: Path, say: Say, files: Files = source_file) -> Demo:
    """Make ``folder/data`` and ``folder/workspace`` complete, whatever is there already.

    say: hears of each step.  files: gives the plain file of a table by name.

    :raises PrivlabError: what a step was refused for.
    """
    data, home = folder / "data", folder / "workspace"
    mark, edition = folder / "edition", _edition()
    if home.is_dir() and not (mark.is_file() and mark.read_text("ascii") == edition):
        say("another version of privlab made what is there; making it anew")
        if (home / locate.WORKSPACE_FILE).is_file():
            curator.end(home)
        shutil.rmtree(home)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(edition, "ascii")
    if not (home / locate.WORKSPACE_FILE).is_file():
        say(f"making a workspace in {home}")
        workspaces.create(home, custody="plain:keys/master.key")  # nothing in it is secret
        try:
            locate.trust(home)
        except PrivlabError as error:
            say(f"it is not on your list of trusted workspaces: {error.what}")
    say("starting its curator")
    place = locate.find(env={**os.environ, "PRIVLAB_URL": "", "PRIVLAB_WORKSPACE": str(home)})
    locate.start(place)
    owner = Owner(Session(place))
    there = {table.name for table in owner.session.tables()}
    for name in TABLES:
        if name in there:
            continue
        say(f"getting {name}")
        file = files(name, data)
        say(f"protecting {name}")
        protect_source(owner, file, contract_text(name))
    for dataset, level in LEVELS.items():
        facts = owner.dataset(dataset)
        if facts.cap != "0":
            continue
        plan = levels.plan(level, ANALYSTS, QUESTIONS)
        say(f"granting a budget on {dataset}: {level}, {QUESTIONS} questions of 1 % each")
        me = owner.session.hello.principal
        delta = Fraction(facts.delta)
        owner.set_budget(dataset, plan.cap, delta, {me: plan.grant}, levels.thresholds_of(delta))
    return Demo(owner.session, home)


def _edition() -> str:
    """What a demo's workspace depends on: the ledger's schema and the contracts, as SHA-256."""
    schema = (resources.files("privlab.ledger") / "schema.sql").read_text("utf-8")
    texts = [schema, *(contract_text(name) for name in TABLES)]
    return hashlib.sha256("\0".join(texts).encode("utf-8")).hexdigest()


def contract_text(name: str) -> str:
    """The contract of one demo table, as TOML."""
    return (resources.files("privlab.cli.demo") / "contracts" / f"{name}.toml").read_text("utf-8")
