"""Contracts: what is stated is what is read, and every problem is listed at once."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.column import decimal
from privlab.connector.contract import parse
from privlab.errors import BadContract
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.loss import Currency

HEAD = {
    "name": '"visits"',
    "dataset": '"hospital"',
    "unit": '"patient_id"',
    "rows_per_unit": "8",
    "row_cap": "1000",
}
COLUMNS = '[columns.patient_id]\ntype = "int"\n'


def contract(columns: str = COLUMNS, **fields: str | None) -> str:
    lines = [f"{name} = {value}" for name, value in {**HEAD, **fields}.items() if value is not None]
    return "[table]\n" + "\n".join(lines) + "\n" + columns


def problems(text: str) -> list[str]:
    with pytest.raises(BadContract) as caught:
        parse(text)
    assert caught.value.code == "PL150"
    facts = caught.value.facts
    assert list(facts) == [str(n) for n in range(1, len(facts) + 1)]
    return list(facts.values())


def test_a_full_contract_is_read_word_for_word() -> None:
    text = contract(
        COLUMNS
        + '[columns.ward]\ntype = "text"\nkeys = ["b", "a"]\nnullable = false\nabout = "where"\n'
        + '[columns.stay]\ntype = "float"\nrange = [0.5, 60]\nstep = 0.25\n'
        + '[columns.grade]\ntype = "int"\nkeys = [3, 1]\nrange = [1, 5]\n'
        + '[columns.day]\ntype = "date"\nrange = [2020-01-01, 2020-12-31]\n'
        + '[columns.notes]\ntype = "text"\nwithheld = true\n',
        unit_word='"patient"',
        rows_per_group="4",
        groups_per_unit="3",
        rows="900",
        units="100",
        purposes='["audit"]',
        sensitivity="2",
        synthetic="true",
        null_unit='"one"',
        null_values='["NA"]',
    )

    read = parse(text)

    table = read.table(3)
    assert (table.dataset, table.name, table.version) == ("hospital", "visits", 3)
    assert table.bound == ContributionBound(8, 4, 3)
    assert (table.rows, table.units, table.row_cap) == (900, 100, 1000)
    assert (table.purposes, table.sensitivity, table.synthetic) == (("audit",), 2, True)
    assert (read.null_unit, read.null_values, read.text) == ("one", ("NA",), text)
    ward, stay, grade = (table.column(name) for name in ("ward", "stay", "grade"))
    assert ward is not None
    assert ward.keys == ("b", "a")
    assert not ward.nullable
    assert stay is not None
    assert (stay.low, stay.high, stay.step) == (Fraction(1, 2), Fraction(60), Fraction(1, 4))
    assert grade is not None
    assert (grade.keys, grade.low, grade.high) == ((3, 1), 1, 5)
    day = table.column("day")
    assert day is not None
    assert (day.low, day.high) == (date(2020, 1, 1), date(2020, 12, 31))
    assert table.columns[-1].withheld


def test_what_is_not_stated_has_a_safe_default() -> None:
    table = parse(contract()).stated

    assert table.bound == ContributionBound(8, 8, 8)
    assert (table.unit_word, table.rows, table.purposes, table.synthetic) == (
        "patient_id",
        None,
        (),
        False,
    )


def test_a_dataset_is_gdp_unless_its_contract_says_pure() -> None:
    assert parse(contract()).stated.currency is Currency.GDP
    assert parse(contract(privacy='"gdp"')).stated.currency is Currency.GDP
    assert parse(contract(privacy='"pure"')).stated.currency is Currency.PURE
    (line,) = problems(contract(privacy='"zcdp"'))
    assert line == '[table] privacy must be "gdp" or "pure"; write: privacy = "gdp"'


def test_a_truth_value_has_both_keys() -> None:
    column = parse(contract(COLUMNS + '[columns.urgent]\ntype = "bool"\n')).stated.column("urgent")

    assert column is not None
    assert column.keys == (False, True)


def test_every_problem_is_listed_at_once_with_what_to_type() -> None:
    found = problems(
        "[table]\n"
        'name = "Visits!"\n'
        'unit = "patient"\n'
        "rows_per_units = 3\n"
        'row_cap = "?"\n'
        "sensitivity = 9\n"
        '[columns.patients]\ntype = "integer"\n'
        '[columns.stay]\ntype = "float"\nrange = [0, 60]\n'
        "[column.x]\n"
    )

    text = "\n".join(found)
    for words in (
        "the contract has no field 'column' (did you mean 'columns'?)",
        "no field 'rows_per_units' (did you mean 'rows_per_unit'?)",
        "name must be small letters",
        'needs dataset; write: dataset = "hospital"',
        "needs rows_per_unit; write: rows_per_unit = 8",
        "row_cap is still open",
        "sensitivity must be a whole number from 0 to 3",
        "[columns.patients] type must be one of bool, int, float, text, date, datetime",
        "[columns.stay] needs step; write: step = 0.01",
        "the unit column 'patient' is not among the columns (did you mean 'patients'?)",
    ):
        assert words in text
    assert len(found) == 10


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ('type = "text"\nrange = [0, 1]', "range must be absent"),
        ('type = "bool"\nstep = 1', "step must be absent"),
        ('type = "int"\nrange = [5, 5]', "range must be two whole numbers, smaller first"),
        ('type = "int"\nrange = [0, 1.5]', "range must be two whole numbers"),
        ('type = "int"\nrange = [0, 9223372036854775808]', "range must be two whole numbers"),
        ('type = "int"\nrange = [0, 10]\nstep = 0.5', 'step must be a whole number for an "int"'),
        ('type = "int"\nrange = [0, 10]\nstep = 3', "write 9 in place of 10"),
        ('type = "float"\nrange = [0, 1]\nstep = 0', "step must be a number above 0"),
        ('type = "float"\nrange = [0, 1.15]\nstep = 0.1', "write 1.2 in place of 1.15"),
        ('type = "float"\nstep = 0.1', "has a step but no range"),
        ('type = "float"\nkeys = [1.0]', 'keys must be absent: a "float" forms no groups'),
        ('type = "date"\nkeys = [2020-01-01]', "keys must be absent: the groups of days"),
        ('type = "date"\nrange = [2021-01-01, 2020-01-01]', "two days, earlier first"),
        ('type = "date"\nrange = [2021-01-01T00:00:00, 2022-01-01]', "two days, earlier first"),
        ('type = "int"\nkeys = [1, true]', 'values of type "int"'),
        ('type = "int"\nkeys = []', "keys must be a list of 1 to"),
        ('type = "text"\nkeys = ["a", "b", "a"]', "keys names 'a' twice"),
        ('type = "int"\nrange = [0, 9000000000000000000]', "a sum over 1,000 rows could overflow"),
        ('type = "float"\nrange = [0, 1e12]\nstep = 0.00001', "range is too wide for its step"),
        ('type = "int"\nnullable = "no"', "nullable must be true or false"),
        ('typ = "int"', "no field 'typ' (did you mean 'type'?)"),
    ],
)
def test_a_column_that_contradicts_itself_is_named(column: str, words: str) -> None:
    assert any(words in one for one in problems(contract(COLUMNS + f"[columns.x]\n{column}\n")))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rows_per_unit": "0"}, "rows_per_unit must be a whole number from 1"),
        ({"rows_per_unit": "true"}, "rows_per_unit must be a whole number from 1"),
        ({"rows_per_group": "9"}, "rows_per_group = 9 is above rows_per_unit = 8"),
        ({"groups_per_unit": "9"}, "groups_per_unit = 9 is above rows_per_unit = 8"),
        ({"null_unit": '"keep"'}, 'null_unit must be "drop" or "one"'),
        ({"purposes": '["a", "a"]'}, "purposes must be a list of different texts"),
        ({"unit": '"patient\\u0007"'}, "unit must be a text"),
        ({"unit": None}, "needs unit"),
        ({"synthetic": "1"}, "synthetic must be true or false"),
        ({"row_cap": "1e3"}, "row_cap must be a whole number"),
    ],
)
def test_a_table_that_contradicts_itself_is_named(
    fields: dict[str, str | None], words: str
) -> None:
    assert any(words in one for one in problems(contract(**fields)))


@pytest.mark.parametrize("name", ["privlab_unit_hi", '""', '"a\\u0000b"', f'"{"x" * 201}"'])
def test_names_of_the_format_itself_are_refused(name: str) -> None:
    found = problems(contract(COLUMNS + f'[columns.{name}]\ntype = "int"\n'))

    assert any("rename the column in your file" in one for one in found)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ('type = "float"', 'its type is "int" or "text", not "float"'),
        ('type = "int"\nkeys = [1, 2]', "nothing of it is public"),
        ('type = "int"\nrange = [1, 2]', "nothing of it is public"),
    ],
)
def test_nothing_of_the_unit_can_be_made_public(unit: str, words: str) -> None:
    assert any(words in one for one in problems(contract(f"[columns.patient_id]\n{unit}\n")))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400", "1e-400", "1e999999999"])
def test_numbers_out_of_reach_are_refused_before_they_are_computed_with(number: str) -> None:
    text = contract(COLUMNS + f'[columns.x]\ntype = "float"\nrange = [0, {number}]\nstep = 1\n')

    with pytest.raises(BadContract) as caught:
        parse(text)

    assert caught.value.code == "PL150"


def test_text_that_is_no_toml_is_refused_with_its_place() -> None:
    found = problems("[table\n")

    assert "line 1" in found[0]


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=6))
def test_decimals_are_read_exactly(value: object) -> None:
    """No float on the way: what is typed is what is stated."""
    high = Fraction(str(value)) + 1
    columns = f'[columns.x]\ntype = "float"\nrange = [{value:f}, {decimal(high)}{"" if "." in decimal(high) else ".0"}]\nstep = 0.000001\n'

    column = parse(contract(COLUMNS + columns, row_cap="10")).stated.column("x")

    assert column is not None
    assert (column.low, column.high, column.kind) == (Fraction(str(value)), high, Kind.FLOAT)


@given(st.text(max_size=200))
def test_any_text_is_a_contract_or_a_list_of_problems(text: str) -> None:
    with pytest.raises(BadContract):
        parse(text)


@pytest.mark.parametrize("unit", ["patient_id", "patient id", 'a "b"'])
def test_the_lines_to_add_for_a_column_are_toml(unit: str) -> None:
    """A section's head stands on a line of its own."""
    listed = problems(contract('[columns.age]\ntype = "int"\n', unit=json.dumps(unit)))
    head, line = listed[0].split("; write a line ")[1].split(" and below it: ")

    assert tomllib.loads(f"{head}\n{line}") == {"columns": {unit: {"type": "int"}}}
    assert parse(contract(f"{head}\n{line}\n", unit=json.dumps(unit))).stated.unit == unit


@pytest.mark.parametrize("columns", ["", "[columns]\nage = 3\n"])
def test_a_contract_without_a_column_shows_how_one_is_written(columns: str) -> None:
    assert any(
        "write a line [columns.age] and below it" in line for line in problems(contract(columns))
    )
