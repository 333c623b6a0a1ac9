"""One small catalog for all query tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

import pytest

from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from privlab.query.plan import Question
from privlab.query.relations import PublicRows
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Column, Kind, Table

VISITS = Table(
    dataset="clinic",
    name="visits",
    version=1,
    unit="patient_id",
    unit_word="patient",
    bound=ContributionBound(rows=8, rows_per_group=4, groups=3),
    row_cap=4_000_000,
    columns=(
        Column("patient_id", Kind.TEXT, nullable=False),
        Column("ward", Kind.TEXT, keys=("A", "B", "C"), nullable=False),
        Column("sex", Kind.TEXT, keys=("f", "m")),
        Column("urgent", Kind.BOOL, nullable=False),
        Column("age", Kind.INT, nullable=False, low=Fraction(0), high=Fraction(110)),
        Column("stay_days", Kind.INT, low=Fraction(0), high=Fraction(60)),
        Column("cost", Kind.FLOAT, low=Fraction(0), high=Fraction(50_000), step=Fraction(1, 100)),
        Column("weight", Kind.FLOAT, nullable=False, low=Fraction(0), high=Fraction(200)),
        Column("score", Kind.INT),
        Column(
            "admitted", Kind.DATE, nullable=False, low=date(2023, 1, 1), high=date(2024, 12, 31)
        ),
        Column("seen", Kind.DATETIME, low=date(2023, 1, 1), high=date(2024, 12, 31)),
        Column("note", Kind.TEXT),
        Column("diagnosis", Kind.TEXT, withheld=True),
    ),
    rows=1_500_000,
    units=200_000,
)

LABS = Table(
    dataset="clinic",
    name="labs",
    version=1,
    unit="patient_id",
    unit_word="patient",
    bound=ContributionBound(rows=20, rows_per_group=10, groups=5),
    row_cap=8_000_000,
    columns=(
        Column("patient_id", Kind.TEXT, nullable=False),
        Column("kind", Kind.TEXT, keys=("na", "k", "crp"), nullable=False),
        Column("value", Kind.FLOAT, low=Fraction(0), high=Fraction(500), step=Fraction(1, 10)),
        Column("ward", Kind.TEXT, keys=("A", "B", "C")),
        Column("taken", Kind.DATE, nullable=False, low=date(2023, 1, 1), high=date(2024, 12, 31)),
    ),
    rows=3_000_000,
    units=180_000,
)

PATIENTS = Table(
    dataset="clinic",
    name="patients",
    version=1,
    unit="patient_id",
    unit_word="patient",
    bound=ContributionBound(rows=1, rows_per_group=1, groups=1),
    row_cap=300_000,
    columns=(
        Column("patient_id", Kind.TEXT, nullable=False),
        Column("sex", Kind.TEXT, keys=("f", "m")),
        Column("born", Kind.INT, nullable=False, low=Fraction(1900), high=Fraction(2024)),
        Column("area", Kind.TEXT),
    ),
    rows=200_000,
    units=200_000,
)

STAYS = Table(
    dataset="hotel",
    name="stays",
    version=1,
    unit="guest_id",
    unit_word="guest",
    bound=ContributionBound(rows=3, rows_per_group=3, groups=3),
    row_cap=10_000,
    columns=(
        Column("guest_id", Kind.TEXT, nullable=False),
        Column("ward", Kind.TEXT, keys=("A", "B")),
    ),
)

WARDS = PublicRows(
    (("ward", Kind.TEXT), ("beds", Kind.INT), ("region", Kind.TEXT)),
    (("A", 10, "north"), ("B", 20, "south"), ("C", 5, "north")),
)
"""A frame that an analyst may bring."""

CATALOG = Catalog((VISITS, LABS, PATIENTS, STAYS))
PUBLIC = {"wards": WARDS}


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="session")
def visits() -> Table:
    return VISITS


@pytest.fixture(scope="session")
def ask() -> Callable[..., Question]:
    """Compile a text, parameters as keywords."""

    def compiled(text: str, **parameters: object) -> Question:
        return compile_question(text, parameters, CATALOG, PUBLIC)  # type: ignore[arg-type]

    return compiled


@pytest.fixture(scope="session")
def refusal() -> Callable[..., PrivlabError]:
    """The error that a text is refused with."""

    def refused(text: str, **parameters: object) -> PrivlabError:
        with pytest.raises(PrivlabError) as caught:
            compile_question(text, parameters, CATALOG, PUBLIC)  # type: ignore[arg-type]
        return caught.value

    return refused
