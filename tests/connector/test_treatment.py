"""What a contract may say of dropping, redacting and coarsening, and what is refused in words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.connector.contract import parse
from privlab.errors import BadContract
from privlab.terms.treatment import Coarsening, Redaction, Treatment

HEAD = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 4
row_cap = 1_000

[columns.patient]
type = "text"
"""


def problems(section: str) -> list[str]:
    with pytest.raises(BadContract) as caught:
        parse(HEAD + section)
    return list(caught.value.facts.values())


@pytest.mark.parametrize(
    ("section", "treatment"),
    [
        ('type = "int"\nrange = [0, 120]\ncoarsen = 5', Coarsening(step=Fraction(5))),
        (
            'type = "float"\nrange = [0, 60]\nstep = 0.5\ncoarsen = 0.5',
            Coarsening(step=Fraction(1, 2)),
        ),
        (
            'type = "date"\nrange = [2019-01-01, 2025-12-31]\ncoarsen = "month"',
            Coarsening(grain="month"),
        ),
        ('type = "datetime"\ncoarsen = "hour"', Coarsening(grain="hour")),
        ('type = "text"\nkeys = ["10", "80"]\ncoarsen = "prefix:2"', Coarsening(prefix=2)),
        ('type = "text"\nredact = "null"', Redaction()),
        ('type = "text"\nredact = "mask"\nkeys = ["xx-00"]', Redaction(mask=True)),
        ('type = "text"\nredact = "text:gone"\nkeys = ["gone"]', Redaction(text="gone")),
        ('type = "bool"\nredact = "null"', Redaction()),
        ('type = "int"\nredact = "null"', Redaction()),
    ],
)
def test_a_treatment_is_read_and_its_words_are_the_columns(
    section: str, treatment: Treatment
) -> None:
    contract = parse(HEAD + '[columns.x]\nabout = "of x"\n' + section)

    assert contract.treatments == {"x": treatment}
    column = contract.stated.column("x")
    assert column is not None
    assert column.about == f"of x; {treatment.words}"


def test_a_dropped_column_is_none_of_the_tables() -> None:
    contract = parse(HEAD + '[columns.ssn]\ndrop = true\n[columns.age]\ntype = "int"\ndrop = false')

    assert contract.dropped == ("ssn",)
    assert [c.name for c in contract.stated.columns] == ["patient", "age"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('type = "int"\ncoarsen = 0', "coarsen must be a whole number above 0"),
        ('type = "int"\ncoarsen = 0.5', "coarsen must be a whole number above 0"),
        ('type = "int"\ncoarsen = true', "coarsen must be a whole number above 0"),
        ('type = "float"\ncoarsen = "month"', "coarsen must be a number above 0"),
        ('type = "float"\ncoarsen = 0.0000000000000000001', "coarsen must be a number above 0"),
        ('type = "date"\ncoarsen = "hour"', "coarsen must be one of week, month, quarter, year"),
        ('type = "datetime"\ncoarsen = "decade"', "coarsen must be one of minute, hour, day"),
        ('type = "text"\ncoarsen = "prefix:0"', 'coarsen must be "prefix:" and 1 to 1,000'),
        ('type = "text"\ncoarsen = "prefix:1001"', 'coarsen must be "prefix:" and 1 to 1,000'),
        ('type = "text"\ncoarsen = 2', 'coarsen must be "prefix:" and 1 to 1,000'),
        ('type = "bool"\ncoarsen = 1', 'coarsen must be absent: a "bool" has two values'),
        ('type = "int"\nredact = "mask"', 'redact must be "null"'),
        ('type = "text"\nredact = true', 'redact must be "null", "mask" or "text:" and a text'),
        ('type = "text"\nredact = "?"', "redact is still open"),
        ('type = "text"\nredact = "null"\nnullable = false', "remove nullable = false"),
        ('type = "text"\nredact = "null"\nkeys = ["a"]', "remove its range and keys"),
        ('type = "int"\nredact = "null"\nrange = [0, 1]', "remove its range and keys"),
        ('type = "text"\nredact = "mask"\ncoarsen = "prefix:2"', "redact and coarsen; remove one"),
        (
            'type = "text"\nredact = "text:gone"\nkeys = ["a"]',
            "keys has 'a', which is stored as 'gone'",
        ),
        (
            'type = "int"\nkeys = [10, 12]\ncoarsen = 5',
            "keys has 12, which is stored as 10; keys are values as they are stored",
        ),
        (
            'type = "text"\nkeys = ["north"]\ncoarsen = "prefix:2"',
            "keys has 'north', which is stored as 'no'",
        ),
        (
            'type = "int"\nrange = [18, 120]\ncoarsen = 5',
            "range begins at 18, which is stored as 15; write 15 there",
        ),
        (
            'type = "datetime"\nrange = [2019-01-15, 2025-12-31]\ncoarsen = "month"',
            "range begins at 2019-01-15, which is stored as 2019-01-01; write 2019-01-01 there",
        ),
        ('drop = true\nkeys = ["a"]', "is dropped, so remove keys"),
        ('drop = "yes"', "drop must be true or false"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(section: str, words: str) -> None:
    assert any(words in line for line in problems(f"[columns.x]\n{section}")), section


@pytest.mark.parametrize("field", ["drop = true", 'redact = "null"', 'coarsen = "prefix:2"'])
def test_the_unit_is_never_treated(field: str) -> None:
    lines = problems(field)

    assert len(lines) == 1
    assert "is the unit: remove " + field.split()[0] in lines[0]


def test_a_table_of_dropped_columns_alone_is_refused() -> None:
    text = HEAD.replace('[columns.patient]\ntype = "text"\n', "[columns.ssn]\ndrop = true\n")

    with pytest.raises(BadContract) as caught:
        parse(text)

    assert any("every column is dropped" in line for line in caught.value.facts.values())
