"""Verification: what was signed passes, and nothing else."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privlab.errors import IntegrityError
from privlab.release.bundle import make
from privlab.release.result import result_json
from privlab.release.statement import PrivacyFacts, statement
from privlab.release.verify import MEDIA_TYPE, PAYLOAD_TYPE, main, verify, verify_file
from privlab.seal import dsse
from privlab.seal.canonical import canonical
from privlab.seal.keys import PublicKey, SigningKey
from privlab.terms.catalog import Kind
from privlab.terms.release import ResultColumn, ResultTable

from .conftest import predicate

VECTORS = Path(__file__).parents[1] / "vectors" / "release.json"


def refused(text: str, key: SigningKey) -> str:
    """The words of the PL407 that ``text`` gets."""
    with pytest.raises(IntegrityError) as caught:
        verify(text, key.public)
    assert caught.value.code == "PL407"
    return caught.value.what


def test_a_release_verifies_and_gives_back_facts_and_numbers(bundle: str, key: SigningKey) -> None:
    """As texts: a number would lose digits in somebody's reader."""
    release = verify(bundle, key.public)

    assert release.result["rows"] == [["A", "3.143"], ["B", None]]
    assert release.result["half_widths"] == [[None, "0.334"], [None, None]]
    assert release.facts["loss"]["epsilon"] == "0.3814"
    assert release.facts["measures"][1]["noises"][0] == {"multiplier": "100", "shift": "0"}


def edited(bundle: str, **members: object) -> str:
    return json.dumps(json.loads(bundle) | members)


def test_an_edited_result_is_refused(bundle: str, key: SigningKey) -> None:
    """Whatever is edited: a number, the caption, or only a space."""
    result = json.loads(bundle)["result"]

    for other in (
        result.replace("3.143", "3.144"),
        result.replace("at most 8", "all"),
        result + " ",
    ):
        assert refused(edited(bundle, result=other), key) == (
            "the numbers are not the ones that were signed"
        )


def test_an_edited_epsilon_is_refused(bundle: str, key: SigningKey) -> None:
    """The statement is what the signature is over."""
    envelope = json.loads(bundle)["envelope"]
    payload = base64.b64decode(envelope["payload"]).replace(
        b'"epsilon":"0.3814"', b'"epsilon":"0.0381"'
    )
    envelope["payload"] = base64.b64encode(payload).decode()

    assert "signature" in refused(edited(bundle, envelope=envelope), key)


def test_another_key_is_refused(bundle: str) -> None:
    """Also a key whose id somebody wrote into the envelope."""
    other = SigningKey(b"\x08" * 32)
    envelope = json.loads(bundle)["envelope"]
    envelope["signatures"][0]["keyid"] = other.public.key_id

    assert "signature" in refused(edited(bundle, envelope=envelope), other)


def test_the_envelope_of_another_release_is_refused(
    bundle: str, key: SigningKey, facts: PrivacyFacts, result: str
) -> None:
    """Both are signed by the right key; they do not belong together."""
    other = result.replace("3.143", "9.999")
    envelope = json.loads(make(other, statement(other, facts), key))["envelope"]

    assert "numbers" in refused(edited(bundle, envelope=envelope), key)


def test_a_notebook_editor_that_rewrites_json_does_no_harm(bundle: str, key: SigningKey) -> None:
    """JupyterLab parses and writes the output again: numbers change, strings do not."""
    rewritten = json.dumps(json.loads(bundle), indent=1, sort_keys=True, ensure_ascii=True)
    assert rewritten != bundle

    assert verify(rewritten, key.public) == verify(bundle, key.public)


@pytest.mark.parametrize("member", ["mediaType", "envelope", "result"])
def test_a_name_that_occurs_twice_is_refused(bundle: str, key: SigningKey, member: str) -> None:
    """Two readers would see two different releases."""
    twice = bundle[:-1] + f',"{member}":{json.dumps(json.loads(bundle)[member])}}}'
    assert json.loads(twice) == json.loads(bundle)

    assert "not JSON" in refused(twice, key)


def signed(result: str, key: SigningKey, **members: Any) -> str:
    """A bundle over any statement at all, signed by the right key."""
    whole = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "result.json", "digest": {"sha256": _sha256(result)}}],
        "predicateType": "urn:privlab:release:v1",
        "predicate": {},
    }
    envelope = dsse.sign(PAYLOAD_TYPE, canonical(whole | members), key)
    return json.dumps({"mediaType": MEDIA_TYPE, "envelope": envelope, "result": result})


def _sha256(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def test_a_name_twice_inside_the_signed_result_is_refused(result: str, key: SigningKey) -> None:
    """Even the curator's own signature does not make it mean one thing."""
    twice = result[:-1] + ',"title":"other"}'

    assert "not JSON" in refused(signed(twice, key), key)


@pytest.mark.parametrize(
    "members",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "urn:privlab:release:v2"},
        {"predicate": "none"},
        {"subject": []},
        {"subject": [{"digest": {"sha256": "0"}}, {"digest": {"sha256": "0"}}]},
    ],
)
def test_a_signed_statement_of_another_kind_is_refused(
    members: dict[str, object], result: str, key: SigningKey
) -> None:
    """The key may sign other things one day; they are no releases."""
    assert "statement" in refused(signed(result, key, **members), key)


@pytest.mark.parametrize(
    "table",
    [
        "[]",
        "{}",
        '{"rows":[]}',
        '{"title":"","caption":"","confidence":"95","columns":[],"rows":[["1"]],"half_widths":[[null]]}',
        (
            '{"title":"","caption":"","confidence":"95","columns":[{"name":"n","label":"rows","kind":"int",'
            '"decimals":0}],"rows":[[1]],"half_widths":[[null]]}'
        ),
    ],
)
def test_a_signed_result_that_is_no_table_is_refused(table: str, key: SigningKey) -> None:
    """Its readers trust the shape after this check."""
    assert refused(signed(table, key), key)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"mediaType":"x"}', "NaN", "9" * 5000, "[" * 100_000, '"\\ud800"'],
)
def test_a_text_that_is_no_bundle_is_refused(text: str, key: SigningKey) -> None:
    """Without a traceback, however odd."""
    assert refused(text, key)


def test_a_member_too_many_is_refused(bundle: str, key: SigningKey) -> None:
    """What is not signed must not travel along and be believed."""
    assert refused(edited(bundle, note="epsilon is 0.01"), key)
    assert refused(edited(bundle, result="\ud800"), key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.floats(0, 0.9999))
def test_a_truncated_bundle_is_refused(bundle: str, key: SigningKey, cut: float) -> None:
    """Wherever it was cut."""
    assert refused(bundle[: int(cut * len(bundle))], key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_no_changed_character_changes_what_is_believed(
    bundle: str, key: SigningKey, data: st.DataObject
) -> None:
    """A change either is refused or leaves facts and numbers as they were."""
    at = data.draw(st.integers(0, len(bundle) - 1))
    new = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    try:
        found = verify(bundle[:at] + new + bundle[at + 1 :], key.public)
    except IntegrityError:
        return
    assert found == verify(bundle, key.public)


def test_a_test_release_is_shouted_about(
    result: str,
    facts: PrivacyFacts,
    key: SigningKey,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Seeded noise and test mode first of all; so is a flag that is not there."""
    real = replace(facts, synthetic=False)
    for other, word in (
        (replace(real, seeded=True), "repeated"),
        (replace(real, test_mode=True), "test mode"),
        (facts, "SYNTHETIC"),
    ):
        (warning,) = verify(make(result, statement(result, other), key), key.public).warnings
        assert word in warning
    assert verify(make(result, statement(result, real), key), key.public).warnings == ()
    bare = predicate(facts)
    del bare["test"], bare["dataset"]
    assert len(verify(signed(result, key, predicate=bare), key.public).warnings) == 3
    file = tmp_path / "release.json"
    file.write_text(make(result, statement(result, replace(real, seeded=True)), key))
    assert main([str(file), "--key", key.public.text]) == 0
    assert capsys.readouterr().out.startswith("TEST RELEASE")


def notebook(*values: object) -> dict[str, Any]:
    outputs = [
        {"output_type": "display_data", "data": {MEDIA_TYPE: value, "text/plain": ["n"]}}
        for value in values
    ]
    other = {"output_type": "stream", "name": "stdout", "text": ["hello"]}
    return {
        "nbformat": 4,
        "cells": [
            {"cell_type": "markdown", "source": ["# notes"]},
            {"cell_type": "code", "outputs": [other, *outputs]},
        ],
    }


def test_every_release_of_a_notebook_is_checked(
    bundle: str, key: SigningKey, tmp_path: Path
) -> None:
    """Each output is checked, and a copy beside it must say the same."""
    file = tmp_path / "n.ipynb"
    copy = verify(bundle, key.public).result
    file.write_text(
        json.dumps(notebook({"bundle": bundle, "receipt": {}}, {"bundle": bundle, "result": copy}))
    )
    assert len(verify_file(file, key.public)) == 2

    lie = json.loads(json.dumps(copy))
    lie["rows"][0][1] = "99"
    for bad in (
        {"bundle": bundle, "result": lie},
        {"bundle": bundle.replace("3.143", "9.143")},
        {"bundle": 1},
        "text",
    ):
        file.write_text(json.dumps(notebook({"bundle": bundle}, bad)))
        with pytest.raises(IntegrityError) as caught:
            verify_file(file, key.public)
        assert caught.value.code == "PL407"


@pytest.mark.parametrize("text", ["{}", '{"cells":[]}', '{"cells":[1,{"outputs":3}]}', "[]", "no"])
def test_a_notebook_without_a_release_does_not_verify(
    text: str, key: SigningKey, tmp_path: Path
) -> None:
    """Nothing to check is not a success."""
    file = tmp_path / "n.ipynb"
    file.write_text(text)

    with pytest.raises(IntegrityError):
        verify_file(file, key.public)


def test_a_file_that_cannot_be_read_is_a_plain_refusal(key: SigningKey, tmp_path: Path) -> None:
    """Missing, or not text."""
    binary = tmp_path / "b.json"
    binary.write_bytes(b"\xff\xfe")

    for file in (tmp_path / "none.json", binary):
        with pytest.raises(IntegrityError):
            verify_file(file, key.public)


def test_the_program_needs_neither_the_notebook_nor_the_curator(
    bundle: str, key: SigningKey, tmp_path: Path
) -> None:
    """Run as a module: it says what verified, and loads nothing heavy."""
    file = tmp_path / "by_ward.json"
    file.write_text(bundle)
    code = (
        "import sys, runpy\n"
        "sys.argv = ['verify', *sys.argv[1:]]\n"
        "try:\n    runpy.run_module('privlab.release.verify', run_name='__main__')\n"
        "except SystemExit as end:\n    status = end.code\n"
        "heavy = {'rfc8785', 'pydantic', 'polars', 'numpy', 'apsw', 'cedarpy', 'httpx', 'IPython'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else status)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(file), "--key", key.public.text],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "3.143 ± 0.334" in done.stdout
    assert done.stdout.endswith("verified: 1\n")


def test_no_title_and_no_cell_can_draw_the_table_that_is_printed(
    facts: PrivacyFacts, key: SigningKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The title and the names are an analyst's; a line or a tab of theirs is spelled out."""
    table = ResultTable(
        (ResultColumn("ward\tstay", "key", Kind.TEXT), ResultColumn("n", "rows", Kind.INT)),
        (("A\n9 ± 0", Fraction(3)),),
        ((None, Fraction(1)),),
        Fraction(95),
    )
    result = result_json(table, title="by_ward\nward\tstay\nA\t0 ± 0\x1b[8m", caption="a\u2028b")
    file = tmp_path / "by_ward.json"
    file.write_text(make(result, statement(result, facts), key))

    assert main([str(file), "--key", key.public.text]) == 0

    lines = capsys.readouterr().out.split("\n")
    at = lines.index(r"by_ward\nward\tstay\nA\t0 ± 0\x1b[8m")
    assert lines[at + 1] == "ward\\tstay\tn"
    assert lines[at + 2].startswith("A\\n9 ± 0\t3 ± ")
    assert lines[at + 3] == r"a\u2028b"


def test_the_program_ends_with_4_when_something_was_changed(
    bundle: str, key: SigningKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with 2 for wrong usage."""
    file = tmp_path / "by_ward.json"
    file.write_text(bundle.replace("3.143", "3.144"))

    assert main([str(file), "--key", key.public.text]) == 4
    assert main([str(file), "--key", "nonsense"]) == 4
    assert "PL407" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        main([str(file)])
    assert usage.value.code == 2


def test_the_published_vectors_hold() -> None:
    """``docs/spec/release.md``: another implementation checks itself against these."""
    vectors = json.loads(VECTORS.read_text("utf-8"))
    public = PublicKey.parse(vectors["key"])

    for case in vectors["good"]:
        assert verify(case["bundle"], public).facts["loss"]["epsilon"] == case["epsilon"]
    for case in vectors["bad"]:
        with pytest.raises(IntegrityError):
            verify(case["bundle"], public)
    assert len(vectors["bad"]) >= 6


def test_a_published_vector_has_groups_that_a_threshold_showed(key: SigningKey) -> None:
    """And two that no reader may believe: a lower threshold, and none."""
    vectors = json.loads(VECTORS.read_text("utf-8"))
    (shown,) = (case for case in vectors["good"] if "threshold" in case["name"])
    bad = [case["bundle"] for case in vectors["bad"] if "threshold" in case["name"]]
    facts = verify(shown["bundle"], key.public).facts

    assert facts["question"]["groupKeys"].startswith("not public")
    assert facts["threshold"] == {"measure": "0", "at": "1700", "groups": "4"}
    assert 3e-9 < Fraction(facts["loss"]["deltaOfThresholds"]) < 5e-9
    words = sorted(refused(text, key) for text in bad)
    assert len(words) == 2
    assert "less than the threshold that it names costs" in words[0]
    assert words[1].startswith("the statement's")


def test_the_vectors_are_what_we_make_today(
    bundle: str, pure_bundle: str, shown_bundle: str, key: SigningKey
) -> None:
    """So that a change of the format is seen, and gets a new version."""
    vectors = json.loads(VECTORS.read_text("utf-8"))

    assert vectors["key"] == key.public.text
    assert vectors["good"][0]["bundle"] == bundle
    assert vectors["good"][2]["bundle"] == pure_bundle
    assert vectors["good"][-1]["bundle"] == shown_bundle
