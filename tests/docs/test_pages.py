"""What the pages say of the program is what the program does today."""

from __future__ import annotations

import inspect
import re
import stat
from pathlib import Path

from privlab.curator import answer
from privlab.wire import locate

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    """The page's words on one line."""
    return " ".join((DOCS / f"{name}.md").read_text("utf-8").split())


def test_the_tier_that_is_claimed_is_the_one_the_socket_allows(tmp_path: Path) -> None:
    """Another uid cannot enter the socket's folder, so nobody can be at tier 3."""
    folder = locate.runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path)})

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "**Only tier 1 can be reached today.**" in page("threat-model")
    assert "builds tiers" not in page("threat-model")


def test_what_is_not_built_is_said_in_one_place_and_claimed_nowhere() -> None:
    claims, _, to_come = page("threat-model").partition("## Not built yet")

    assert "counts as one bit" not in claims
    assert "marks every later release" not in page("errors")
    for missing in ("Failures counted", "The same people in two datasets", "Raising a cap", "log"):
        assert missing in to_come


def test_the_stops_on_the_page_are_in_the_order_of_the_code() -> None:
    code = inspect.getsource(answer.answer)
    calls = ("compile_ask(", "permitted(", "recorded(", "certify(", "charged(", "run(", "sealed(")
    stops = re.findall(r"^\| \d \|.*$", (DOCS / "architecture.md").read_text("utf-8"), re.MULTILINE)

    assert sorted(calls, key=code.index) == list(calls)
    assert "replayed" not in stops[2]
    assert "a replayed id" in stops[4]
    assert "OpenDP certifies" in stops[5]


def test_the_glossary_has_the_words_and_marks_those_to_come() -> None:
    words = re.findall(r"^\| \*\*([\w ]+)\*\*( \(to come\))? \|", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)  # fmt: skip
    known = {word for word, _ in words}

    assert len(known) == len(words)
    assert {"workspace", "cap", "account", "share", "custody", "zygote"} <= known
    assert {word for word, mark in words if mark} == {"block", "log", "checkpoint"}
