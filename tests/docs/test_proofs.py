"""Proof pages name code and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/proofs").glob("*.md"))
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_proof_names_its_code_and_its_numeric_tests(page: Path) -> None:
    """Every path and every test on the page exists, and there is one of each."""
    text = page.read_text("utf-8")
    paths = re.findall(r"`((?:privlab|tests)/[\w/.]*)`", text)
    tests = re.findall(r"`(test_\w+)`", text)
    assert paths
    assert tests
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert set(tests) <= TESTS


def test_there_are_proofs() -> None:
    """The glob found them."""
    assert {page.stem for page in PAGES} >= {"bounding", "gdp", "intervals", "rounded-gaussian"}
