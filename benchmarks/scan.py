"""What encryption costs a scan: the same frames, encrypted and plain, by both readers.

Eight columns of made-up rows in a few files, written by Polars as parts are, once plain and once
under Parquet Modular Encryption with a key per column.  A scan reads a file's bytes from the page
cache, checks them as a part's where they are encrypted, and collects all columns or two.  All ways
take turns in one process; of each the best round counts.  Beside them: how fast this
machine decrypts, decompresses and copies, one core each.

    python benchmarks/scan.py [--rows 4] [--files 4] [--rounds 7] [--json]

--rows: millions.  With --json the last line is one JSON object: a list of cells, the
limits in GB/s, and ``native_vs_plain_max``, the number to watch: processor time of the native
reader over that of the plain scan, at most 1.15.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privlab.connector.decrypt import open_part
from privlab.connector.parts import FileFacts, footer_digest
from privlab.connector.reader import Reader

AAD = b"privlab/table/v1\0bench\0rows\x001\x000\0rows"
TWO = ["group", "amount"]
CODECS: tuple[Any, ...] = ("lz4", "zstd", "uncompressed")


def frame(rows: int, seed: int) -> pl.DataFrame:
    """Eight columns: group codes, amounts, times, a few texts and many."""
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "group": draw.integers(0, 1000, rows),
            "amount": np.round(draw.gamma(2, 50, rows), 2),
            "score": draw.normal(size=rows),
            "at": (1_700_000_000_000_000 + draw.integers(0, 10**13, rows)),
            "age": draw.integers(0, 110, rows),
            "urgent": draw.random(rows) < 0.3,
            "ward": draw.integers(0, 16, rows),
            "note": draw.integers(0, 10**9, rows),
        }
    ).with_columns(
        pl.col("at").cast(pl.Datetime("us")),
        pl.format("ward-{}", "ward").alias("ward"),
        pl.format("note-{}", "note").alias("note"),
    )


def write(rows: pl.DataFrame, path: Path, codec: Any, keys: dict[str, bytes] | None) -> FileFacts:
    """One file as a part is written, or the same without encryption."""
    properties = keys and pl.ParquetEncryptionProperties(
        footer_key=keys[""],
        column_keys={name: key for name, key in keys.items() if name},
        aad_prefix=AAD,
        store_aad_prefix=False,
    )
    rows.write_parquet(path, compression=codec, statistics=False, encryption=properties)
    raw = path.read_bytes()
    return FileFacts(path.name, len(raw), footer_digest(raw))


def plain(path: Path, columns: list[str]) -> int:
    scan = pl.scan_parquet(path.read_bytes(), use_statistics=False, glob=False)
    return scan.select(columns).collect(engine="in-memory").height


def encrypted(
    path: Path, facts: FileFacts, keys: dict[str, bytes], columns: list[str], reader: Reader
) -> int:
    named = {name: keys[name] for name in ("", *columns)}
    scan = open_part(facts, path.read_bytes(), AAD, named, reader)
    return scan.select(columns).collect(engine="in-memory").height


def best(ways: dict[str, Callable[[], int]], rounds: int) -> dict[str, tuple[float, float]]:
    """Per way the least processor time and the least wall time, in seconds."""
    found = {name: (float("inf"), float("inf")) for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            wall, used = time.perf_counter(), time.process_time()
            way()
            used, wall = time.process_time() - used, time.perf_counter() - wall
            found[name] = (min(found[name][0], used), min(found[name][1], wall))
    return found


def rate(size: int, act: Callable[[], object], rounds: int) -> float:
    """GB/s of the best round."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        act()
        times.append(time.process_time() - began)
    return round(size / min(times) / 1e9, 2)


def limits(rounds: int) -> dict[str, float]:
    """One core: AES-256-GCM on pages of 1 MiB, codecs (output) on amounts, copying memory."""
    page = secrets.token_bytes(1 << 20)
    cipher, nonce = AESGCM(secrets.token_bytes(32)), bytes(12)
    sealed = cipher.encrypt(nonce, page, AAD)
    amounts = frame(1_000_000, 7)["amount"].to_numpy().tobytes()
    source = np.ones(1 << 25, dtype=np.uint64)
    target = np.empty_like(source)
    found = {
        "aes_256_gcm": rate(
            64 << 20,
            lambda: [cipher.decrypt(nonce, sealed, AAD) for _ in range(64)],
            rounds,
        ),
        "memory_copy": rate(source.nbytes, lambda: np.copyto(target, source), rounds),
    }
    for codec, name in (("lz4", "lz4_raw"), ("zstd", "zstd")):
        packed = pa.Codec(name).compress(amounts)

        def unpack(packed: Any = packed, name: str = name) -> object:
            return [pa.Codec(name).decompress(packed, len(amounts)) for _ in range(8)]

        found[codec] = rate(8 * len(amounts), unpack, rounds)
    return found


def measure(rows: int, files: int, rounds: int, folder: Path) -> list[dict[str, Any]]:
    cells = []
    frames = [frame(rows // files, seed) for seed in range(files)]
    names = frames[0].columns
    keys = {name: secrets.token_bytes(32) for name in ("", *names)}
    for codec in CODECS:
        paths = [folder / f"{codec}-{at}.parquet" for at in range(files)]
        sealed = [folder / f"{codec}-{at}.sealed" for at in range(files)]
        for one, path in zip(frames, paths, strict=True):
            write(one, path, codec, None)
        facts = [write(one, path, codec, keys) for one, path in zip(frames, sealed, strict=True)]
        for title, columns in (("all 8", names), ("2", TWO)):

            def by(
                reader: Reader,
                columns: list[str] = columns,
                sealed: Any = sealed,
                facts: Any = facts,
            ) -> int:
                pairs = zip(sealed, facts, strict=True)
                return sum(encrypted(path, of, keys, columns, reader) for path, of in pairs)

            ways: dict[str, Callable[[], int]] = {
                "plain": lambda columns=columns, paths=paths: sum(plain(p, columns) for p in paths),
                "native": lambda by=by: by(Reader.NATIVE),
                "arrow": lambda by=by: by(Reader.ARROW),
            }
            assert len({way() for way in ways.values()}) == 1
            times = best(ways, rounds)
            cell: dict[str, Any] = {"codec": codec, "columns": title}
            cell["mib"] = round(sum(of.size for of in facts) / 2**20, 1)
            for name, (used, wall) in times.items():
                cell[f"{name}_ms"] = round(1000 * used, 1)
                cell[f"{name}_wall_ms"] = round(1000 * wall, 1)
            for name in ("native", "arrow"):
                cell[f"{name}_vs_plain"] = round(times[name][0] / times["plain"][0], 3)
                cell[f"{name}_vs_plain_wall"] = round(times[name][1] / times["plain"][1], 3)
            print({name: cell[name] for name in cell})
            cells.append(cell)
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=float, default=4, help="millions")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cells = measure(int(asked.rows * 1e6), asked.files, asked.rounds, Path(folder))
    found = limits(asked.rounds)
    print("GB/s of one core:", found)
    if asked.json:
        top = max(cell["native_vs_plain"] for cell in cells)
        print(json.dumps({"cells": cells, "limits_gb_s": found, "native_vs_plain_max": top}))


if __name__ == "__main__":
    main()
