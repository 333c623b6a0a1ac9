"""Statuses follow codes, markup in data is not obeyed, and a missing extra is named."""

from __future__ import annotations

import pytest

from privlab.cli import terminal
from privlab.errors import CODES, BadContract, PrivlabError

EXPECTED = {"PL1": 1, "PL2": 1, "PL3": 3, "PL4": 4, "PL5": 1}


@pytest.mark.parametrize("code", CODES)
def test_the_status_is_the_one_the_page_promises(code: str) -> None:
    assert terminal.status_of(PrivlabError("x", code=code)) == EXPECTED[code[:3]]


def test_markup_in_a_name_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("[red]not red[/red] [/nothing]")
    terminal.table(("a",), [("[bold]b[/bold]",)])
    printed = capsys.readouterr().out
    assert "[red]not red[/red] [/nothing]" in printed
    assert "[bold]b[/bold]" in printed


def test_a_long_line_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("word " * 60 + "end")
    assert capsys.readouterr().out.count("\n") == 1


def test_a_problem_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.problem(PrivlabError("no", code="PL300", hint="yes"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "PL300 no\n  hint: yes\n"


def test_a_missing_extra_is_named_with_what_to_install() -> None:
    with pytest.raises(BadContract) as caught, terminal.curator_part():
        raise ModuleNotFoundError("No module named 'sqlglot'", name="sqlglot")
    assert caught.value.code == "PL152"
    assert 'pip install "privlab[curator]"' in caught.value.hint


def test_a_missing_module_of_ours_is_a_bug_and_stays_one() -> None:
    with pytest.raises(ModuleNotFoundError), terminal.curator_part():
        raise ModuleNotFoundError("no", name="privlab.nothing")
