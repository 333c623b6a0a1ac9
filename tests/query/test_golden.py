"""Golden pairs: texts of one question, and the plan they all compile to.

A file in ``golden/`` holds blocks separated by blank lines: the texts of one
question separated by ``---``, then ``=>``, then the canonical plan text.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from privlab.query.canonical import plan_text, view_id
from privlab.query.compile import compile_question
from privlab.terms.catalog import Catalog

FOLDER = Path(__file__).parent / "golden"


def blocks() -> list[tuple[str, list[str], str]]:
    found = []
    for file in sorted(FOLDER.glob("*.txt")):
        for block in file.read_text().strip().split("\n\n"):
            lines = [line for line in block.splitlines() if not line.startswith("## ")]
            asked, plan = "\n".join(lines).split("\n=>\n")
            texts = asked.split("\n---\n")
            found.append((f"{file.stem}: {texts[0].splitlines()[0][:60]}", texts, plan))
    return found


@pytest.mark.parametrize(("texts", "plan"), [b[1:] for b in blocks()], ids=[b[0] for b in blocks()])
def test_texts_of_one_question_compile_to_its_plan(
    catalog: Catalog, texts: list[str], plan: str
) -> None:
    questions = [compile_question(text, {}, catalog) for text in texts]
    for question in questions:
        assert plan_text(question.plan) == plan
    ids = {
        tuple(view_id(one.plan, at) for at in range(len(one.plan.measures))) for one in questions
    }
    assert len(ids) == 1
