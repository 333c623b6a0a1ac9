"""Every code can be explained from the terminal."""

from __future__ import annotations

import re

import pytest

from privlab.cli.demo.build import contract_text
from privlab.cli.explain import section
from privlab.connector import contract
from privlab.errors import CODES, PrivlabError
from privlab.query.compile import compile_question
from privlab.terms.catalog import Catalog


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_own_section(code: str) -> None:
    text = " ".join(section(code).split())
    assert text.startswith(f"{code} {CODES[code]}.")
    assert "What to do:" in text
    assert sum(other in text for other in CODES if other != code) <= 1


def test_a_code_may_be_written_small(privlab) -> None:
    assert privlab("explain", "pl103").out.startswith("PL103\n")


def examples() -> dict[str, str]:
    """The SQL example of each section that has one."""
    found = {}
    for code in CODES:
        block = re.search(r"```\n((?:SELECT|WITH|FROM)\b.*?)\n```", section(code), re.DOTALL)
        if block:
            found[code] = block[1]
    return found


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    names = ("flights", "visits", "patients")
    return Catalog(tuple(contract.parse(contract_text(name)).table(1) for name in names))


def test_most_of_the_language_s_refusals_have_an_example() -> None:
    assert len(examples()) >= 10


def test_the_fix_that_a_section_offers_is_accepted(catalog: Catalog) -> None:
    fix = re.search(r"`(AVG\(LEAST.*?\)\))`", section("PL103"))
    assert fix is not None
    compile_question(f"SELECT {fix[1]} AS h FROM flights", {}, catalog)


@pytest.mark.parametrize("code", examples())
def test_the_example_of_a_section_is_refused_with_its_code(code: str, catalog: Catalog) -> None:
    with pytest.raises(PrivlabError) as caught:
        compile_question(examples()[code], {}, catalog)
    assert caught.value.code == code


def test_no_value_of_the_privacy_unit_may_be_used_and_units_can_be_counted(
    catalog: Catalog,
) -> None:
    text = " ".join(section("PL201").split())
    assert "names the privacy unit no value may be used" in text
    fix = re.search(r"`(COUNT\(DISTINCT \w+\))`", text)
    assert fix is not None
    compile_question(f"SELECT {fix[1]} AS n FROM visits", {}, catalog)
    with pytest.raises(PrivlabError) as caught:
        compile_question("SELECT COUNT(*) AS n FROM visits WHERE patient_id = 1", {}, catalog)
    assert caught.value.code == "PL201"
