"""Keys of pages: of a column and a bucket together, so that losing either loses them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.datakeys import DataKeys, column_key
from privlab.connector.parts import aad_prefix

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "table.json").read_text())
KEYS = st.binary(min_size=32, max_size=32)


@given(column=KEYS, bucket=KEYS, name=st.text(max_size=40))
def test_a_key_is_hkdf_of_the_columns_salted_with_the_buckets(
    column: bytes, bucket: bytes, name: str
) -> None:
    text = name.encode()
    info = b"privlab/column/v1" + len(text).to_bytes(4, "big") + text
    library = HKDF(algorithm=SHA256(), length=32, salt=bucket, info=info).derive(column)

    assert column_key(column, bucket, name) == library


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda one: one["name"] or "footer")
def test_keys_are_those_of_the_specification(vector: dict[str, str]) -> None:
    column, bucket = bytes.fromhex(vector["column"]), bytes.fromhex(vector["bucket"])

    assert column_key(column, bucket, vector["name"]).hex() == vector["key"]


@pytest.mark.parametrize("vector", VECTORS["aad"], ids=lambda one: one["kind"])
def test_additional_data_are_those_of_the_specification(vector: dict[str, str]) -> None:
    place = (vector["dataset"], vector["table"], int(vector["written"]), int(vector["bucket"]))

    assert aad_prefix(*place, vector["kind"]).hex() == vector["aad"]


def test_fresh_keys_differ_by_column_and_by_bucket() -> None:
    keys = DataKeys.fresh(("", "age", "ward"), range(3))

    found = [key for bucket in range(3) for key in keys.of(bucket).values()]

    assert len(set(found)) == 9
    assert not set(found) & {*keys.columns.values(), *keys.buckets.values()}


def test_keys_are_neither_shown_nor_serialised() -> None:
    keys = DataKeys.fresh(("age",), (0,))

    assert repr(keys) == "DataKeys(1 columns, 1 buckets)"
    with pytest.raises(TypeError, match="never serialised"):
        pickle.dumps(keys)
