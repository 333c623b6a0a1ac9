"""Rewritings: told strictly, and answered with facts of files alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privlab.connector.datakeys import DataKeys
from privlab.connector.manifest import key_names
from privlab.engine.rewrite import FULL, TOO_MANY, Rewrite, Rewritten
from privlab.engine.stored import Stored, StoredPart


def rewriting(
    place: Any, folder: Path, *, drop: tuple[bytes, ...] = ()
) -> tuple[Rewrite, DataKeys]:
    """All parts of ``visits`` anew, and the keys they are written under."""
    table = place.manifest.described()
    opened = place.manifest.unwrapped(key_names(table), place.custody)
    parts = tuple(
        StoredPart(part, opened[part.written].of(part.bucket)) for part in place.manifest.parts
    )
    fresh = DataKeys.fresh(key_names(table), [part.facts.bucket for part in parts])
    job = Rewrite(
        contract=place.manifest.contract_text,
        version=2,
        sources=(Stored("visits", 1, str(place.folder), parts, table.row_cap),),
        keys={part.facts.bucket: fresh.of(part.facts.bucket) for part in parts},
        order_key=b"p" * 32,
        drop=drop,
        folder=str(folder),
    )
    return job, fresh


@pytest.fixture
def job(place: Any, tmp_path: Path) -> Rewrite:
    return rewriting(place, tmp_path)[0]


def test_a_rewriting_comes_back_as_it_was(job: Rewrite) -> None:
    raw = job.encode()

    assert Rewrite.is_encoded(raw)
    assert Rewrite.decode(raw) == job
    assert repr(job) == "Rewrite(version 2, 4 parts)"


@pytest.mark.parametrize(
    "change",
    [
        {"sources": ()},
        {"keys": {}},
        {"order_key": b"short"},
        {"drop": (b"short",)},
    ],
)
def test_one_that_lacks_something_cannot_be_made(job: Rewrite, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(job, **change)


def test_anything_else_is_no_rewriting(job: Rewrite) -> None:
    good = json.loads(job.encode())
    for edited in (
        good | {"rewrite": 2},
        good | {"more": 1},
        good | {"least": [1]},
        good | {"keys": good["keys"][:1]},
        good | {"folder": None},
        good | {"contract": ""},
    ):
        with pytest.raises(ValueError, match="not a rewriting"):
            Rewrite.decode(json.dumps(edited).encode())


@pytest.mark.parametrize("words", [TOO_MANY, FULL])
def test_a_refusal_comes_back(job: Rewrite, words: str) -> None:
    answer = Rewritten((), words)

    assert Rewritten.decode(json.dumps(answer.encode()).encode(), job) == answer


def test_an_answer_of_other_parts_is_none(job: Rewrite) -> None:
    for answer in (Rewritten(()).encode(), Rewritten((), "").encode() | {"refused": "rows: 7"}):
        with pytest.raises(ValueError, match="not the parts"):
            Rewritten.decode(json.dumps(answer).encode(), job)
