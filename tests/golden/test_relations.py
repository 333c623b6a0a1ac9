"""The noise-free answers over several tables are those of DuckDB, or of Polars.

As `test_differential`: joins, subqueries, code lists and unions of the corpus, on
protected tables of the same people that no bound of a contract touches.
"""

from __future__ import annotations

import polars as pl
import pytest

from privlab.query.compile import compile_question
from tests.golden import truth
from tests.golden.noise_free import (
    LABS,
    PATIENTS,
    Place,
    lab_rows,
    patient_rows,
    protected,
    rows,
)
from tests.golden.test_differential import compared
from tests.golden.test_queries import RELATIONS
from tests.query.conftest import CATALOG, PUBLIC, WARDS

PEOPLE = 300
TEXTS = [
    pytest.param(text, id=f"{param.id}: {at}")
    for param in RELATIONS
    for at, text in enumerate(param.values[0].texts)
    if param.values[0].verdict in ("accept", "differ")
]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    folder = tmp_path_factory.mktemp("tables")
    return {
        "visits": protected(folder, rows(PEOPLE * 3, 3)),
        "labs": protected(folder, lab_rows(PEOPLE), LABS),
        "patients": protected(folder, patient_rows(PEOPLE), PATIENTS),
    }


def known(places: dict[str, Place]) -> dict[str, pl.DataFrame]:
    """Every table but visits, the public one too."""
    names = [name for name, _ in WARDS.columns]
    wards = pl.DataFrame(list(WARDS.rows), schema=names, orient="row")
    return {"labs": places["labs"].frame, "patients": places["patients"].frame, "wards": wards}


def expected(text: str, places: dict[str, Place]) -> truth.Answer:
    sql = text.startswith(("SELECT", "WITH"))
    return (truth.in_duckdb if sql else truth.in_polars)(
        text, places["visits"].frame, **known(places)
    )


@pytest.mark.parametrize("text", TEXTS)
def test_the_answer_without_noise_is_the_answer_of_a_database(
    text: str, places: dict[str, Place]
) -> None:
    question = compile_question(text, {}, CATALOG, PUBLIC)
    assert compared(question, tuple(places.values()), expected(text, places)) == []


def test_a_row_more_is_seen(places: dict[str, Place]) -> None:
    """The comparison is not one that anything passes."""
    text = "SELECT p.sex, COUNT(*) AS n FROM labs l JOIN patients p USING (patient_id) GROUP BY 1"
    question = compile_question(text, {}, CATALOG, PUBLIC)
    labs = places["labs"].frame
    more = labs.vstack(labs.head(1))
    visits = places["visits"].frame
    others = {**known(places), "labs": more}
    assert compared(question, tuple(places.values()), expected(text, places)) == []
    assert compared(question, tuple(places.values()), truth.in_duckdb(text, visits, **others)) != []
