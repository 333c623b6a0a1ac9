"""The demo's contracts are good contracts, and fit the demo's files."""

from importlib import resources

import pytest

from privlab.cli.demo import clinic
from privlab.connector import contract

NAMES = ("flights", "visits", "patients")


def text(name: str) -> str:
    return (resources.files("privlab.cli.demo") / "contracts" / f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_has_no_problems(name: str) -> None:
    assert contract.parse(text(name)).stated.name == name


@pytest.mark.parametrize("name", NAMES)
def test_bounds_are_small(name: str) -> None:
    """A large bound makes every answer on real data useless."""
    assert contract.parse(text(name)).stated.bound.squared_rows <= 288


def test_the_clinic_has_every_column_its_contracts_name() -> None:
    patients = clinic.make_patients(20)
    for name, frame in (("patients", patients), ("visits", clinic.make_visits(patients))):
        stated = contract.parse(text(name)).stated
        assert [c.name for c in stated.columns] == frame.columns
        for column in stated.columns:
            if column.keys is not None and not column.nullable:
                assert set(frame[column.name]) <= set(column.keys)


def test_the_clinic_says_that_it_is_synthetic_and_the_flights_that_they_are_real() -> None:
    assert contract.parse(text("visits")).stated.synthetic
    assert contract.parse(text("patients")).stated.synthetic
    assert not contract.parse(text("flights")).stated.synthetic


def test_both_tables_of_the_clinic_hide_the_same_unit() -> None:
    visits, patients = (contract.parse(text(n)).stated for n in ("visits", "patients"))
    assert (visits.dataset, visits.unit) == (patients.dataset, patients.unit)


def test_free_text_is_withheld() -> None:
    assert [c.name for c in contract.parse(text("visits")).stated.columns if c.withheld] == [
        "notes"
    ]
