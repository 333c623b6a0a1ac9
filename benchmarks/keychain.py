"""What a keychain of many places costs: ``python benchmarks/keychain.py``.

Three versions of a table of 30 columns in 256 buckets, as they are stored (a key per
column and a key per bucket), and as many places as a key per column and bucket would be.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from privlab.connector.keys import KEYCHAIN_FILE, Custody, Place

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CUSTODY = "plain:keys/master.key"
VERSIONS, COLUMNS, BUCKETS = range(1, 4), range(30), range(256)
BEST_OF = 5


def stored() -> list[Place]:
    """The places of the three versions: footer, columns, buckets."""
    columns = ["", *(f"column_{column:03d}" for column in COLUMNS)]
    return [Place("clinic", "visits", v, name) for v in VERSIONS for name in columns] + [
        Place.of_bucket("clinic", "visits", v, bucket) for v in VERSIONS for bucket in BUCKETS
    ]


def crossed() -> list[Place]:
    """One place for each column in each bucket."""
    return [
        Place("clinic", "visits", v, f"column_{column:03d}.{bucket:04d}")
        for v in VERSIONS
        for column in COLUMNS
        for bucket in BUCKETS
    ]


def milliseconds(act: Callable[[], object], times: int = 1) -> float:
    """The shortest of so many runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return min(taken) * 1000


def measured(places: list[Place]) -> str:
    """One line of figures."""
    with tempfile.TemporaryDirectory() as home:
        base = Path(home)
        custody = Custody.create(CUSTODY, base=base, now=NOW)
        first = [place for place in places if place.version == 1]
        provide = milliseconds(lambda: custody.provide(places))
        size = (base / KEYCHAIN_FILE).stat().st_size
        rotate = milliseconds(lambda: custody.rotate(NOW), BEST_OF)
        opens = milliseconds(lambda: Custody.open(CUSTODY, base=base), BEST_OF)
        shred = milliseconds(lambda: custody.shred(first, NOW))
        left = (base / KEYCHAIN_FILE).stat().st_size
    return (
        f"{len(places):,} places: provide {provide:.0f} ms, rotate {rotate:.0f} ms, "
        f"open {opens:.0f} ms, shred a third {shred:.0f} ms; {size:,} bytes, then {left:,}"
    )


if __name__ == "__main__":
    for places in (stored(), crossed()):
        print(measured(places))
