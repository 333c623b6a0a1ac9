"""The deepest and the longest expressions that are let in, through a real engine child.

A planner that overflowed its stack would end the child, and every such question with it.
"""

from __future__ import annotations

import pytest

from privlab.engine.handle import Engine
from privlab.engine.job import Job
from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from privlab.query.passes.limit_size import MAX_NESTING, MAX_TERMS
from privlab.query.passes.limit_text import MAX_OPEN
from tests.golden.noise_free import CUSTODY, QUIET, SHARP, Place, protected, rows
from tests.query.conftest import CATALOG

WITHIN = "SELECT SUM(LEAST(GREATEST({}, 0), 9)) FROM visits"
WHERE = "SELECT COUNT(*) FROM visits WHERE {}"
OPEN = MAX_OPEN - 4
"""Beside those of the text around."""


def around(before: str, after: str, inner: str = "age", times: int = OPEN) -> str:
    return before * times + inner + after * times


DEEPEST = {
    "choices": WITHIN.format(around("CASE WHEN urgent THEN 1 + ", " ELSE 3 END", "cost")),
    "the first": WITHIN.format(around("COALESCE(stay_days, 1 - ", ")")),
    "the larger": WITHIN.format(around("GREATEST(stay_days, 1 - ", ")")),
    "quotients": WITHIN.format(around("1 / (1 + ", ")")),
    "rests": WITHIN.format(around("MOD(7, 1 + ", ")")),
    "products": WITHIN.format(around("age * (stay_days - ", ")")),
    "roundings": WITHIN.format(around("ROUND(1 - ", ", 1)", "cost", MAX_NESTING // 3 - 2)),
    "either and both": WHERE.format(around("(age = stay_days OR urgent AND ", ")", "urgent")),
    "casts": WITHIN.format("cost" + "::DOUBLE::INT" * (MAX_NESTING // 2 - 2)),
    "months": WHERE.format(
        "admitted" + " + INTERVAL '1' MONTH" * (MAX_NESTING - 2) + " > '2024-01-01'"
    ),
    "clips": "visits.select(pl.col('cost')"
    + ".fill_null(pl.col('age')).sqrt()" * (MAX_NESTING // 2 - 2)
    + ".clip(0, 9).sum())",
    "replaced": "visits.filter(pl.col('note')"
    + ".str.replace_all('a', 'b', literal=True)" * (MAX_NESTING - 2)
    + " == 'b').select(pl.len())",
}
LONGEST = {
    "and": " AND ".join(f"age <> {at} + stay_days" for at in range(MAX_TERMS)),
    "or": " OR ".join(f"age = {at} + stay_days" for at in range(MAX_TERMS)),
    "whole numbers": " + ".join(f"ABS(age - {at})" for at in range(MAX_TERMS)) + " > 9",
    "decimals": " + ".join(f"ABS(cost - {at})" for at in range(MAX_TERMS)) + " > 9",
    "choices": "CASE "
    + " ".join(f"WHEN age = {at} + stay_days THEN urgent" for at in range(MAX_TERMS))
    + " END",
}


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return protected(tmp_path_factory.mktemp("visits"), rows(300, 3))


def released(engine: Engine, place: Place, text: str) -> tuple[tuple[int, ...], ...]:
    plan = compile_question(text, {}, CATALOG).plan
    job = Job.of(
        plan=plan,
        noises=tuple(SHARP if one.chosen else QUIET for one in plan.measures),
        tables=[(place.manifest, place.folder)],
        custody=CUSTODY,
    )
    return engine.run(job).vectors


@pytest.mark.parametrize("name", DEEPEST)
def test_the_deepest_question_is_answered(engine: Engine, visits: Place, name: str) -> None:
    (vector,) = released(engine, visits, DEEPEST[name])
    assert 0 <= vector[0] <= 9 * 10**9


@pytest.mark.parametrize("name", LONGEST)
def test_the_longest_chain_is_answered(engine: Engine, visits: Place, name: str) -> None:
    ((count,),) = released(engine, visits, WHERE.format(LONGEST[name]))
    ((rest,),) = released(engine, visits, WHERE.format(f"NOT ({LONGEST[name]})"))
    ((unknown,),) = released(engine, visits, WHERE.format(f"({LONGEST[name]}) IS NULL"))
    assert count + rest + unknown == 300


@pytest.mark.parametrize(
    "text",
    [
        WHERE.format(" OR ".join(["age = stay_days"] * (MAX_TERMS + 1))),
        WHERE.format(" + ".join(["age"] * (MAX_TERMS + 1)) + " > 1"),
        WHERE.format("NOT " * (MAX_NESTING + 1) + "urgent"),
        WHERE.format("(" * (MAX_OPEN + 1) + "urgent" + ")" * (MAX_OPEN + 1)),
    ],
)
def test_one_more_is_refused(text: str) -> None:
    with pytest.raises(PrivlabError) as caught:
        compile_question(text, {}, CATALOG)
    assert caught.value.code == "PL106"
    assert any(str(most) in caught.value.what for most in (MAX_TERMS, MAX_NESTING, MAX_OPEN))
