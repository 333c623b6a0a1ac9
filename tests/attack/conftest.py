"""Pairs of tables that the attacks share: protected once, met by every plan and every bug."""

from __future__ import annotations

import pytest

from tests.attack.neighbours import Pair, by_hand, crowded, pairs, sampled

DRAWN = 12


@pytest.fixture(scope="session")
def hand() -> list[Pair]:
    return list(by_hand())


@pytest.fixture(scope="session")
def crowd() -> Pair:
    return crowded()


@pytest.fixture(scope="session")
def drawn() -> list[Pair]:
    return sampled(pairs(), DRAWN)
