"""How a source fits its contract, in numbers per rule; nothing is written.

The numbers come from rows, so they are for the owner alone.  What she then
writes into the contract is public: it must not follow from them.
"""

from __future__ import annotations

from pathlib import Path

from privlab.connector.counts import Counter, Counts, reading
from privlab.connector.protect import READING, Progress, decoded, parallel, reads
from privlab.connector.source import Read, Source, open_source
from privlab.terms.contract import Contract

WORKERS = 2


def check(source: Path | Source, contract: Contract, *, progress: Progress | None = None) -> Counts:
    """Read everything once, and count.  Units are not counted: ``units`` is 0.

    :raises BadContract: PL151, as `protect` would.
    """
    opened = open_source(source) if isinstance(source, Path) else source
    how = reading(opened.schema, contract)
    counter = Counter(contract, how)

    def piece(read: Read) -> None:
        counter.add(decoded(read, opened.name))
        if progress is not None:
            progress(READING, counter.rows_read, opened.rows)

    for _ in parallel(piece, reads(opened, how), WORKERS):
        pass
    return counter.accepted()
