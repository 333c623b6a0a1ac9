"""Making a bundle: one text, checked before it is handed out."""

from __future__ import annotations

import json

import pytest

from privlab.errors import IntegrityError
from privlab.release.bundle import make
from privlab.release.statement import PrivacyFacts, statement
from privlab.release.verify import verify
from privlab.seal.keys import SigningKey


def test_a_bundle_is_one_json_text_with_the_result_inside(bundle: str, result: str) -> None:
    """Three members; the result is a string and stays byte for byte."""
    parsed = json.loads(bundle)

    assert list(parsed) == ["mediaType", "envelope", "result"]
    assert parsed["result"] == result
    assert len(bundle) < 6_000


def test_the_same_facts_give_the_same_bundle(
    bundle: str, result: str, facts: PrivacyFacts, key: SigningKey
) -> None:
    """Ed25519 and canonical JSON leave nothing to chance."""
    assert make(result, statement(result, facts), key) == bundle


def test_a_statement_about_another_result_is_not_signed(
    result: str, facts: PrivacyFacts, key: SigningKey
) -> None:
    """The curator finds its own mistake before anyone else does."""
    with pytest.raises(IntegrityError) as caught:
        make(result, statement(result + " ", facts), key)
    assert caught.value.code == "PL407"


def test_a_result_with_every_awkward_character_survives(
    facts: PrivacyFacts, key: SigningKey, result: str
) -> None:
    """Quotes, line separators and characters beyond the first plane."""
    odd = result.replace("at most", 'a "b" \\\\ \u2028 \U0001f600'.replace('"', '\\"'))

    assert verify(make(odd, statement(odd, facts), key), key.public).result["caption"]
