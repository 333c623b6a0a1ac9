"""Checking counts what protecting counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from privlab.connector.check import check
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from tests.connector.conftest import CONTRACT, visits


def test_the_counts_are_those_of_protecting(tmp_path: Path) -> None:
    file = tmp_path / "v.parquet"
    visits().write_parquet(file)
    contract = parse(CONTRACT)
    heard: list[tuple[str, int, int | None]] = []

    counts = check(file, contract, progress=lambda *said: heard.append(said))

    secret = {"unit_key": b"u" * 32, "order_key": b"o" * 32}
    done = protect(file, contract, version=1, folder=tmp_path / "t" / "1", **secret)
    assert counts == replace(done.counts, units=0)
    assert counts.outside
    assert heard == [("reading", 300, 300)]
