"""``privlab protect``: turn an owner's file into an encrypted table version."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from privlab.cli import budget, terminal
from privlab.errors import BadContract, Refused

if TYPE_CHECKING:
    from privlab.client.owner import Owner
    from privlab.connector.counts import Counts
    from privlab.connector.source import Source


@dataclass(frozen=True, slots=True)
class Protection:
    """A new version of a table, and what its owner should know of her rows."""

    dataset: str
    table: str
    version: int
    counts: Counts

    def __str__(self) -> str:
        """Several lines, for the owner's eyes only: the counts come from rows."""
        name = f"{self.dataset}.{self.table} version {self.version}"
        return "\n".join((*account(self.counts), f"{name} is protected"))


def protect(
    source: Annotated[
        str,
        typer.Argument(
            help="A Parquet, CSV or Arrow file, a folder or 'pattern', or postgresql://."
        ),
    ],
    contract: Annotated[Path, typer.Option(help="The contract, a TOML file.")],
    table: Annotated[
        str, typer.Option(help="In a database: NAME or SCHEMA.NAME, if not the contract's.")
    ] = "",
) -> None:
    """Encrypt a copy of your rows and let them be asked about.

    Lists every problem of the contract at once. Your file is read, not changed.

    Example: privlab protect visits.parquet --contract visits.toml
    """
    from privlab.client.owner import Owner

    text = contract_text(contract, source)
    owner = Owner.connect()
    done = protect_source(owner, source, text, table=table)
    terminal.say(str(done))
    for line in same_units(owner, done.dataset):
        terminal.say(line)
    if "://" not in source:
        terminal.say(f"the plain rows are still readable: {Path(source).resolve()}")
        terminal.note("keep them somewhere safe, or remove them: no analyst needs them")
    still = missing(owner, done.dataset, done.table)
    if still:
        terminal.say("before anybody can ask about it:")
        for line in still:
            terminal.say(f"  {line}")


def contract_text(contract: Path, source: object) -> str:
    """The contract's TOML.

    :raises BadContract: PL150, it cannot be read.
    """
    try:
        return contract.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadContract(
            f"there is no readable contract {contract}",
            code="PL150",
            hint=f"begin one with: privlab draft {source} -o {contract}",
        ) from None


def protect_source(owner: Owner, source: object, text: str, *, table: str = "") -> Protection:
    """Prepare, write and register one version, with a progress bar on standard error.

    source: a path or pattern, the address of a database, or a frame.

    :raises BadContract: PL150, PL151, PL153; nothing is registered then.
    """
    keep_compiled_code_private()
    with terminal.curator_part():
        from privlab.connector import contract as contracts
        from privlab.connector.protect import protect as write
    parsed = contracts.parse(text)
    opened = open_rows(source, table or parsed.stated.name)
    prepared = owner.prepare(text)
    with rows_bar(parsed.stated.name) as progress:
        written = write(
            opened,
            parsed,
            version=prepared.version,
            unit_key=prepared.unit_key,
            order_key=prepared.order_key,
            folder=prepared.folder,
            progress=progress,
        )
        digest = digest_of(source)
        new = owner.register(prepared, text, written.parts, written.keys, digest)
    return Protection(new.dataset, new.table, new.version, written.counts)


def open_rows(source: object, table: str) -> Source:
    """The rows that ``source`` names or is; ``table`` is read where it names a database.

    :raises BadContract: PL151, they cannot be read.
    """
    from privlab.connector import postgres
    from privlab.connector.source import open_frame, open_source

    if isinstance(source, str) and postgres.is_address(source):
        return postgres.Postgres(source, table, getpass if sys.stdin.isatty() else None)
    if isinstance(source, str | Path):
        return open_source(source)
    return open_frame(source)


def digest_of(source: object) -> str:
    """The SHA-256 of a source's files; "" of a frame or a database, which have none.

    :raises BadContract: PL151, there are no such files.
    """
    from privlab.connector.lineage import source_digest
    from privlab.connector.postgres import is_address
    from privlab.connector.source import listed, unreadable

    if is_address(source) or not isinstance(source, str | Path):
        return ""
    try:
        return source_digest(listed(source))
    except OSError:
        raise unreadable(Path(source).name) from None


@contextmanager
def rows_bar(table: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar on standard error with the phase and the rows done; numbers alone, no values."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
        console=terminal.err,
        transient=True,
        disable=not terminal.err.is_terminal,
    )
    with bar:
        task = bar.add_task(f"protecting {table}", total=None)

        def progress(phase: str, done: int, total: int | None) -> None:
            bar.update(task, description=f"{phase} {table}", completed=done, total=total)

        yield progress


def same_units(owner: Owner, dataset: str) -> list[str]:
    """A warning for each other dataset whose unit has this one's column and word.

    By their names alone: nothing compares the people (``docs/threat-model.md``).
    """
    tables = owner.session.tables()
    units = {(t.unit, t.unit_word) for t in tables if t.dataset == dataset}
    twins = {
        (t.dataset, t.unit, t.unit_word)
        for t in tables
        if t.dataset != dataset and (t.unit, t.unit_word) in units
    }
    return [
        f"warning: {other} is about a {word} by {unit} too; if these are the same, the losses of "
        f"both add up and no budget counts the sum: give all their tables one dataset"
        for other, unit, word in sorted(twins)
    ]


def missing(owner: Owner, dataset: str, table: str) -> list[str]:
    """What keeps the table from being asked about, each with the next thing to do.

    Of the budget nothing is said to an owner whom the policy does not show it.
    """
    lines = []
    tables = owner.session.tables()
    if any(t.name == table and not t.purposes for t in tables):
        lines.append(
            'a purpose: write purposes = ["exploration"] into the contract, then protect it again'
        )
    try:
        facts = owner.dataset(dataset)
    except Refused:
        lines.append(f"a budget, if {dataset} has none: its steward gives one")
    else:
        if facts.cap == "0":
            lines.append(f"a budget: {budget.first_budget(facts)}")
        elif not set(facts.grants) & set(facts.people):
            person = facts.people[0] if facts.people else "PERSON"
            lines.append(f"a grant: privlab budget grant {dataset} {person} --share 10%")
    return lines


def keep_compiled_code_private() -> None:
    """Have Numba keep what it compiles in a folder of this user's alone.

    It stores pickles, beside the sources unless told otherwise, and this process
    holds rows and keys.  The folder is the user's and not the workspace's: the
    workspace may be another's.  Must run before Numba is imported.

    :raises BadContract: PL152, the folder is not this user's alone.
    """
    with terminal.curator_part():
        from privlab.sandbox.folders import private_folder
    base = os.environ.get("XDG_CACHE_HOME") or ""
    cache = Path(base) if base.startswith("/") else Path.home() / ".cache"
    os.environ["NUMBA_CACHE_DIR"] = str(private_folder(cache / "privlab" / "compiled"))


def account(counts: Counts) -> list[str]:
    """What the owner should know about her file, in words.  For her eyes only."""
    lines = [
        f"read {counts.rows_read:,} rows, kept {counts.rows_kept:,}, of {counts.units:,} units"
    ]
    if counts.without_unit:
        lines.append(f"{counts.without_unit:,} rows name no unit")
    kinds: tuple[tuple[str, Mapping[str, int]], ...] = (
        ("could not be read as the stated type and are null", counts.unreadable),
        ("are outside the stated range or keys", counts.outside),
        ("are null where the contract says never", counts.unexpected_nulls),
        ("were redacted", counts.redacted),
        ("became coarser", counts.coarsened),
    )
    for words, columns in kinds:
        for name, count in columns.items():
            lines.append(f"{name}: {count:,} values {words}")
    lines += [f"{name}: dropped, never read" for name in counts.dropped]
    return lines
