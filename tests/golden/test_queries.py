"""The corpus of questions: accepted or refused, and one question whichever way it is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from privlab.errors import PrivlabError
from privlab.query.canonical import decode_plan, encode_plan, plan_text, question_id
from privlab.query.compile import compile_question
from tests.query.conftest import CATALOG, PUBLIC

FOLDER = Path(__file__).parent / "queries"
LEAST = 120


@dataclass
class Block:
    """One question of a file."""

    title: str
    texts: list[str] = field(default_factory=list)
    verdict: str = ""
    plan: list[str] = field(default_factory=list)


def read(text: str) -> list[Block]:
    found = []
    for part in re.split(r"\n\n+", text.strip()):
        block = Block("")
        for line in part.splitlines():
            word, _, rest = line.partition(": ")
            if line.startswith("## "):
                block.title = line[3:]
            elif block.verdict:
                block.plan.append(line)
            elif word in ("sql", "polars"):
                block.texts.append(rest)
            elif line.startswith("  "):
                block.texts[-1] += "\n" + line
            else:
                block.verdict = line
        found.append(block)
    return found


BLOCKS = [
    pytest.param(block, id=f"{file.stem}: {block.title or block.texts[0][:60]}")
    for file in sorted(FOLDER.glob("*.txt"))
    for block in read(file.read_text("utf-8"))
]


RELATIONS = [param for param in BLOCKS if str(param.id).startswith("relations: ")]
ONE_TABLE = [param for param in BLOCKS if param not in RELATIONS]
"""Those that join, stack or aggregate per unit, and those that read one table as it is."""


@pytest.mark.parametrize("block", BLOCKS)
def test_a_question_is_answered_or_refused_as_written(block: Block) -> None:
    assert block.texts
    verdict, _, words = block.verdict.partition(": ")
    if verdict.startswith("refuse "):
        for text in block.texts:
            with pytest.raises(PrivlabError) as caught:
                compile_question(text, {}, CATALOG, PUBLIC)
            error = caught.value
            assert error.code == verdict.removeprefix("refuse "), f"{text}\n{error}"
            assert words in f"{error.what}\n{error.hint}", str(error)
            assert error.caret is not None
            assert error.hint
        return
    questions = [compile_question(text, {}, CATALOG, PUBLIC) for text in block.texts]
    ids = {question_id(one) for one in questions}
    for question in questions:
        assert decode_plan(encode_plan(question.plan)) == question.plan
    if verdict == "differ":
        assert len(ids) == len(block.texts)
        return
    assert verdict == "accept", block.verdict
    assert len(ids) == 1, "\n\n".join(plan_text(one.plan) for one in questions)
    if block.plan:
        lines = plan_text(questions[0].plan).splitlines()[1:]
        bounded = block.plan[0].startswith("bound ")
        assert lines[0 if bounded else 1 :] == block.plan


def test_there_are_many_of_both_kinds() -> None:
    blocks = [param.values[0] for param in BLOCKS]
    verdicts = [block.verdict.split()[0] for block in blocks if isinstance(block, Block)]
    assert len(verdicts) >= LEAST
    assert verdicts.count("refuse") >= LEAST // 5
    both = [b for b in blocks if isinstance(b, Block) and len(b.texts) > 1]
    assert len(both) >= LEAST // 2
