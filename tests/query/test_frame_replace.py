"""``replace`` and ``replace_strict`` are choices by values that are written out."""

from __future__ import annotations

import pytest

from privlab.errors import BadQuery
from privlab.query.canonical import question_id
from privlab.query.compile import compile_question
from tests.query.conftest import CATALOG


def asked(method: str) -> str:
    text = f'visits.group_by(w=pl.col("ward").{method}).agg(n=pl.len())'
    return question_id(compile_question(text, {}, CATALOG))


@pytest.mark.parametrize(
    "method",
    [
        'replace({"A": "x"})',
        'replace("A", "x")',
        'replace(["A"], ["x"])',
        'replace(["A"], "x")',
        'replace(old="A", new="x")',
        'replace_strict({"A": "x"}, default=pl.col("ward"))',
    ],
)
def test_spellings_of_one_replacement_are_one_question(method: str) -> None:
    assert asked(method) == asked('replace({"A": "x"})')


@pytest.mark.parametrize(
    "method",
    [
        "replace({})",
        "replace()",
        'replace("A")',
        'replace(["A", "B"], ["x"])',
        'replace(["A", "A"], ["x", "y"])',
        "replace({**codes})",
        "replace(codes)",
        'replace({"A": "x"}, return_dtype=pl.String)',
        'replace_strict({"A": "x"}, 1)',
    ],
)
def test_what_does_not_say_which_value_becomes_which_is_refused(method: str) -> None:
    with pytest.raises(BadQuery) as caught:
        asked(method)
    assert caught.value.code == "PL106"
    assert caught.value.caret is not None
