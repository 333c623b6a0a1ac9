"""What each kind of dictionary says becomes lines of a contract that say where they are from."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from privlab.connector.contract import parse
from privlab.connector.dictionaries import names, omop
from privlab.connector.draft import draft
from privlab.terms.catalog import Column, Kind
from tests.connector.test_draft import ANSWERS

FRICTIONLESS = """\
{"resources": [{"name": "visits", "path": "visits.csv", "schema": {
  "missingValues": ["", "NA"],
  "primaryKey": "visit",
  "foreignKeys": [{"fields": "patient", "reference": {"resource": "patients", "fields": "id"}}],
  "fields": [
    {"name": "visit", "type": "integer"},
    {"name": "patient", "type": "string", "constraints": {"required": true}},
    {"name": "ward", "type": "string", "title": "Ward", "constraints": {"enum": ["n", "s \\"x\\""]}},
    {"name": "triage", "type": "integer", "categories": [{"value": 1, "label": "red"}, {"value": 2}]},
    {"name": "age", "type": "integer", "description": "years\\nat admission",
     "constraints": {"minimum": 0, "maximum": 120}},
    {"name": "stay", "type": "number", "constraints": {"minimum": 0.5, "maximum": "60"}},
    {"name": "on", "type": "date", "constraints": {"minimum": "2019-01-01", "maximum": "2025-12-31"}},
    {"name": "since", "type": "year", "constraints": {"minimum": 1990}},
    {"name": "urgent", "type": "boolean", "constraints": {"enum": [true, false]}},
    {"name": "contact", "type": "string", "format": "email"},
    {"name": "odd", "type": "integer", "constraints": {"enum": ["a", "b"]}}
  ]}}]}
"""

DBT = """\
version: 2
models:
  - name: visits
    columns:
      - name: visit
        tests: [unique, not_null]
      - name: patient
        data_tests:
          - not_null
          - relationships: {to: "ref('patients')", field: id}
      - name: ward
        data_type: varchar(20)
        description: where she lay
        data_tests:
          - accepted_values: {arguments: {values: [n, no]}}
      - name: triage
        tests:
          - accepted_values: {values: [1, 2], config: {where: "year > 2020"}}
      - name: age
        data_type: bigint
        tests:
          - dbt_utils.accepted_range: {min_value: 0, max_value: 120}
      - name: stay
        data_type: numeric(8, 2)
        tests:
          - dbt_expectations.expect_column_values_to_be_between: {min_value: 0, max_value: 60.5}
      - name: contact
        meta: {contains_pii: true}
      - name: odd
        tags: [PII]
"""
COLUMNS = [
    "visit",
    "patient",
    "ward",
    "triage",
    "age",
    "stay",
    "on",
    "since",
    "urgent",
    "contact",
    "odd",
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file without types: a dictionary's are as good as any guess."""
    file = tmp_path / "visits.csv"
    file.write_text(",".join(COLUMNS) + "\n" + ",".join("secret" for _ in COLUMNS) + "\n")
    return file


def filled(text: str) -> str:
    for question, answer in {**ANSWERS, 'step = "?"': "step = 0.5"}.items():
        text = text.replace("\n" + question, "\n" + answer)
    return text


def columns(text: str) -> dict[str, Column]:
    return {c.name: c for c in parse(filled(text)).stated.columns}


def test_a_data_package_states_types_keys_ranges_and_nulls(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text(FRICTIONLESS)

    text = draft(rows, [tmp_path / "datapackage.json"])

    found = columns(text)
    assert "secret" not in text
    assert parse(filled(text)).null_values == ("NA",)
    assert found["ward"].keys == ("n", 's "x"')
    assert found["ward"].about == "Ward"
    assert found["triage"].keys == (1, 2)
    assert (found["age"].low, found["age"].high) == (0, 120)
    assert found["age"].about == "years at admission"
    assert (found["stay"].low, found["stay"].high, found["stay"].kind) == (0.5, 60, Kind.FLOAT)
    assert found["on"].low is not None
    assert not found["patient"].nullable
    assert found["contact"].withheld
    assert found["odd"].keys is None
    assert [found[c].kind for c in ("since", "urgent")] == [Kind.INT, Kind.BOOL]
    for words in (
        "# enum in datapackage.json",
        "# categories in datapackage.json",
        "# minimum in datapackage.json, maximum in datapackage.json",
        "# minimum in datapackage.json is 1990; a range has two ends",
        "# refers to patients (foreignKeys in datapackage.json)",
        "# one row each (primaryKey in datapackage.json)",
        "# missingValues in datapackage.json",
        "# required in datapackage.json",
        "# an e-mail address, format in datapackage.json",
        "# enum in datapackage.json: not 1 to 10,000 values of type int, so no keys",
    ):
        assert words in text, words


def test_a_schema_file_of_dbt_states_what_its_tests_test(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.yml").write_text(DBT)

    text = draft(rows, [tmp_path / "schema.yml"])

    found = columns(text)
    assert found["ward"].keys == ("n", "no")
    assert found["triage"].keys is None, "a test with a condition says nothing of all rows"
    assert (found["age"].low, found["age"].high, found["age"].kind) == (0, 120, Kind.INT)
    assert found["stay"].kind is Kind.FLOAT
    assert not found["visit"].nullable
    assert found["contact"].withheld
    assert found["odd"].withheld
    for words in (
        "# accepted_values in schema.yml",
        "# refers to patients (relationships in schema.yml)",
        "# no value twice (unique in schema.yml)",
        "# description in schema.yml",
        "# personal, meta in schema.yml",
    ):
        assert words in text, words


def test_of_two_dictionaries_the_first_one_says(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text(FRICTIONLESS)
    (tmp_path / "schema.yml").write_text(DBT)

    text = draft(rows, [tmp_path / "schema.yml", tmp_path / "datapackage.json"])

    assert columns(text)["ward"].keys == ("n", "no")
    assert columns(text)["triage"].keys == (1, 2)


def test_types_of_a_typed_file_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "datapackage.json").write_text(FRICTIONLESS)
    file = tmp_path / "visits.parquet"
    pl.DataFrame({"patient": [1], "ward": ["a"], "age": ["x"]}).write_parquet(file)

    found = columns(draft(file, [tmp_path / "datapackage.json"]))

    assert {name: c.kind for name, c in found.items()} == {
        "patient": Kind.INT,
        "ward": Kind.TEXT,
        "age": Kind.TEXT,
    }
    assert found["age"].low is None


def test_nothing_of_a_dictionary_breaks_out_of_its_line(rows: Path, tmp_path: Path) -> None:
    hostile = r"x'\n[columns.evil]\ntype = 'int'"
    text = FRICTIONLESS.replace('"title": "Ward"', f'"title": "{hostile}"')
    text = text.replace('"enum": ["n"', f'"enum": ["{hostile}"')
    text = text.replace('"resource": "patients"', f'"resource": "{hostile}"')
    assert text.count("evil") == 3
    file = tmp_path / "data\npackage.json"
    file.write_text(text)

    made = draft(rows, [file])

    assert set(columns(made)) == set(COLUMNS)
    assert columns(made)["ward"].keys is None, "a key with a line break is none"


def test_a_table_of_the_common_data_model_is_known_by_its_names(tmp_path: Path) -> None:
    file = tmp_path / "PERSON.csv"
    names_ = ["person_id", *omop.TABLES["person"].split()]
    file.write_text(",".join(name.upper() for name in names_) + "\n")

    text = draft(file)

    stated = parse(filled(text)).stated
    assert (stated.unit, stated.unit_word) == ("PERSON_ID", "person")
    found = {c.name.lower(): c for c in stated.columns}
    assert found["gender_concept_id"].keys == (0, 8507, 8532)
    assert (found["month_of_birth"].low, found["month_of_birth"].high) == (1, 12)
    assert found["birth_datetime"].kind is Kind.DATETIME
    withheld = {name for name, c in found.items() if c.withheld}
    assert withheld == {n for n in found if n.endswith("_source_value")} | {
        "birth_datetime", "day_of_birth", "location_id"
    }  # fmt: skip
    assert "# By its names this is person of the OMOP CDM 5.4." in text


@pytest.mark.parametrize(
    ("table", "columns_"),
    [
        ("person", ["id", "gender_concept_id"]),
        ("person", ["person_id", "a", "b", "c"]),
        ("visits", ["person_id", "visit_concept_id"]),
    ],
)
def test_what_only_shares_a_name_with_the_model_is_not_it(table: str, columns_: list[str]) -> None:
    assert omop.recognised(table, columns_) is None


def test_every_table_of_the_model_is_recognised_whole_and_its_types_fit_its_names() -> None:
    for table, listed in omop.TABLES.items():
        sheet = omop.recognised(table, ["person_id", *listed.split()])
        assert sheet is not None, table
        for name, said in sheet.columns.items():
            if name.endswith("_date"):
                assert said.kind is not None
                assert said.kind.value is Kind.DATE


@pytest.mark.parametrize(
    ("name", "kind", "what"),
    [
        ("SSN", Kind.TEXT, "an identity number"),
        ("email", Kind.TEXT, "an e-mail address"),
        ("e-mail", Kind.TEXT, "an e-mail address"),
        ("Home Phone", Kind.TEXT, "a telephone number"),
        ("last_name", Kind.TEXT, "a name"),
        ("address.street", Kind.TEXT, "an address"),
        ("AddressLine1", Kind.TEXT, "an address"),
        ("clinical_notes", Kind.TEXT, "a free text"),
        ("date_of_birth", Kind.DATE, "a date of birth"),
        ("DOB", Kind.TEXT, "a date of birth"),
        ("zip_code", Kind.TEXT, "where a person lives"),
        ("iban", Kind.TEXT, "an account's number"),
        ("ip_address", Kind.TEXT, "a device's address"),
        ("latitude", Kind.FLOAT, "a place on the map"),
        ("mrn", Kind.INT, "a record number"),
    ],
)
def test_a_name_that_names_persons_is_withheld(name: str, kind: Kind, what: str) -> None:
    said = names.stated(name, kind)

    assert said.withheld is not None
    assert said.withheld.value == what


@pytest.mark.parametrize("name", ["patient_id", "PersonKey", "customer", "user_id", "subject no"])
def test_a_name_of_a_persons_id_is_marked_and_left_to_the_owner(name: str) -> None:
    said = names.stated(name, Kind.INT)

    assert said.person
    assert said.withheld is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ward", Kind.TEXT), ("age", Kind.INT), ("notes", Kind.INT), ("email", Kind.BOOL),
     ("admitted", Kind.DATE), ("hostname", Kind.TEXT), ("stay_days", Kind.FLOAT)],
)  # fmt: skip
def test_other_names_say_nothing(name: str, kind: Kind) -> None:
    assert names.stated(name, kind) == names.Stated()
