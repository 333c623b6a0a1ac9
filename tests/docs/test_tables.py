"""What the page of tables says that a value becomes is what it becomes."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from privlab.connector.contract import parse
from privlab.connector.counts import reading
from privlab.terms.contract import Contract

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text("utf-8")
HEAD = """\
[table]
name = "t"
dataset = "d"
unit = "u"
rows_per_unit = 1
row_cap = 10
[columns.u]
type = "int"
"""
TREATED = re.findall(
    r"^\| `(type = .*?)`, `(\w+ = .*?)` \| `(.*?)` \| (?:`(.*?)` )?\|$", PAGE, re.M
)


def stored(contract: Contract, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(reading(frame.schema, contract).columns)


@pytest.mark.parametrize(("kind", "treatment", "value", "becomes"), TREATED)
def test_a_treated_value_becomes_what_the_page_says(
    kind: str, treatment: str, value: str, becomes: str
) -> None:
    contract = parse(f"{HEAD}[columns.x]\n{kind}\n{treatment}\n")

    back = stored(contract, pl.DataFrame({"u": [1, 2], "x": [value, None]}))["x"].to_list()

    assert back[1] is None
    assert ("" if back[0] is None else str(back[0])) == becomes


def test_the_page_shows_every_treatment() -> None:
    shown = {treatment for _, treatment, _, _ in TREATED}

    assert len(TREATED) >= 17
    for word in ("null", "text:", "mask", "minute", "hour", "day", "week", "month", "quarter", "year", "prefix:"):  # fmt: skip
        assert any(word in treatment for treatment in shown), word


def test_the_example_of_treatments_is_a_contract() -> None:
    example = PAGE.split("```toml\n")[1].split("```")[0]

    contract = parse(HEAD + example)

    assert contract.dropped == ("ssn",)
    assert set(contract.treatments) == {"note", "born"}
