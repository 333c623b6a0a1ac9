"""Every code can be explained from the terminal."""

from __future__ import annotations

import pytest

from privlab.cli.explain import section
from privlab.errors import CODES


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_own_section(code: str) -> None:
    text = " ".join(section(code).split())
    assert text.startswith(f"{code} {CODES[code]}.")
    assert "What to do:" in text
    assert sum(other in text for other in CODES if other != code) <= 1


def test_a_code_may_be_written_small(privlab) -> None:
    assert privlab("explain", "pl103").out.startswith("PL103\n")
