"""How long a private question takes, beside the same question in plain Polars.

Needs the demo (``make demo`` builds it) and spends about one thousandth of its
grant on ``clinic``.  The plain side reads the unencrypted file and gives the
exact answer; the private side decrypts, bounds, adds noise, signs and records.
Run with ``make bench``.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import polars as pl

from privlab.client.price import price
from privlab.client.session import Session

DEMO = Path(__file__).resolve().parents[1] / ".demo"
ROUNDS = 7
QUESTION = """
SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay
FROM visits WHERE cost >= {limit} GROUP BY ward
"""


def private(session: Session, limit: float) -> None:
    session.ask(QUESTION.format(limit=limit), price=price(share="0.01"))


def plain(limit: float) -> None:
    (
        pl.scan_parquet(DEMO / "data" / "visits.parquet")
        .filter(pl.col("cost") >= limit)
        .group_by("ward")
        .agg(n=pl.len(), stay=pl.col("stay_days").mean())
        .collect()
    )


def milliseconds(run: object, *limits: float) -> list[float]:
    assert callable(run)
    taken = []
    for limit in limits:
        begin = time.perf_counter()
        run(limit)
        taken.append(1000 * (time.perf_counter() - begin))
    return taken


def main() -> None:
    os.environ["PRIVLAB_WORKSPACE"] = str(DEMO / "workspace")
    session = Session.connect()
    # a limit nobody asked for before, so that nothing is answered from a view
    first = (time.time_ns() // 1_000_000) % 10_000 / 1000
    limits = [round(first + 10 * n, 3) for n in range(ROUNDS)]
    session.tables()
    rows = [
        ("plain Polars, plain Parquet", milliseconds(plain, *limits)),
        ("private, first time", milliseconds(lambda at: private(session, at), *limits)),
        ("private, asked again", milliseconds(lambda at: private(session, at), *limits)),
    ]
    print(f"{'visits, 1.5 million rows':32} {'median':>9} {'fastest':>9}   milliseconds")
    for words, taken in rows:
        print(f"{words:32} {statistics.median(taken):9.1f} {min(taken):9.1f}")


if __name__ == "__main__":
    main()
