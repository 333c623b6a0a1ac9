"""The magics in a real IPython shell, against a socket that speaks the protocol."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from privlab.client.frames import Release
from privlab.client.practice import Practice
from privlab.errors import BadQuery, BudgetExceeded, CuratorUnreachable, PrivlabError
from privlab.wire.messages import PRACTICE, Event, Problem

SQL = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    it = InteractiveShell.instance(config=config)
    it.extension_manager.load_extension("privlab")
    yield it
    it.extension_manager.unload_extension("privlab")
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell: InteractiveShell) -> Callable[[str], Any]:
    """Runs a cell; its value, or its error raised."""

    def cell(text: str) -> Any:
        done = shell.run_cell(text)
        if done.error_in_exec is not None:
            raise done.error_in_exec
        return done.result

    return cell


def test_a_cell_is_answered_and_shown(stand_in, run):
    release = run(f"%%private\n{SQL}\n")
    assert isinstance(release, Release)
    assert stand_in.asked[0].text.strip() == SQL
    assert stand_in.asked[0].price.share == "1"
    assert "0 (estimate −12 ± 18)" in release._repr_mimebundle_()["text/html"]


def test_the_first_word_names_the_variable_and_the_release(stand_in, run, shell):
    release = run(f"%%private by_ward --share 2%\n{SQL}")
    assert shell.user_ns["by_ward"] is release
    assert stand_in.asked[0].name == "by_ward"
    assert stand_in.asked[0].price.share == "2"


def test_an_assignment_names_it_too(stand_in, run, shell):
    release = run(f"%%private\nby_ward << {SQL}")
    assert shell.user_ns["by_ward"] is release
    assert stand_in.asked[0].text.strip() == SQL


@pytest.mark.parametrize(
    ("line", "price"),
    [
        ("--within n=25,stay=0.5", {"within": {"n": "25", "stay": "0.5"}}),
        ("--within 25", {"within": {"*": "25"}}),
        ("--epsilon 0.1", {"epsilon": "0.1"}),
        ("--share 3", {"share": "3"}),
    ],
)
def test_prices_go_as_they_were_typed(stand_in, run, line, price):
    run(f"%%private {line} --confidence 90% --purpose teaching\n{SQL}")
    asked = stand_in.asked[0]
    assert asked.price.model_dump(exclude_none=True) == price
    assert (asked.confidence, asked.purpose) == ("90", "teaching")
    assert not asked.simultaneous


def test_all_intervals_may_be_asked_for_at_once(stand_in, run):
    run(f"%%private --simultaneous\n{SQL}")
    assert stand_in.asked[0].simultaneous


def test_nothing_in_line_or_cell_is_expanded(stand_in, run, shell):
    shell.user_ns["ward"] = "secret"
    run("%%private\nSELECT '{ward}' AS x, '$ward' AS y, '{1/0}' AS z")
    assert stand_in.asked[0].text.strip() == "SELECT '{ward}' AS x, '$ward' AS y, '{1/0}' AS z"
    assert stand_in.asked[0].parameters == {}


def test_a_parameter_travels_beside_the_text(stand_in, run):
    run("low, other = 65, 'not sent'")
    run("%%private\nSELECT COUNT(*) AS n FROM visits WHERE age >= :low")
    asked = stand_in.asked[0]
    assert ":low" in asked.text
    assert asked.parameters["low"].text == ("65",)
    assert set(asked.parameters) == {"low"}


def test_an_option_may_be_a_variable(stand_in, run):
    run("s = 2")
    run(f"%%private --share :s\n{SQL}")
    assert stand_in.asked[0].price.share == "2"
    with pytest.raises(BadQuery) as refused:
        run(f"%%private --share :missing\n{SQL}")
    assert refused.value.code == "PL112"


def test_an_explanation_spends_nothing(stand_in, run, shell):
    page = run(f"%%private by_ward --explain\n{SQL}")
    assert "Nothing was spent" in repr(page)
    assert "by_ward" not in shell.user_ns
    assert all(path != "/v1/queries" for path in stand_in.paths)


def test_an_unknown_flag_is_a_usage_error(stand_in, run):
    with pytest.raises(UsageError):
        run(f"%%private --shares-of-what 1\n{SQL}")
    assert stand_in.asked == []


@pytest.mark.parametrize(
    ("line", "code"),
    [("--share 1 --epsilon 1", "PL108"), ("two-words", "PL112"), ("class", "PL112")],
)
def test_a_wrong_line_is_refused_before_anything_is_sent(stand_in, run, line, code):
    with pytest.raises(PrivlabError) as refused:
        run(f"%%private {line}\n{SQL}")
    assert refused.value.code == code
    assert stand_in.paths == []


def test_two_names_are_one_too_many(stand_in, run):
    with pytest.raises(BadQuery) as refused:
        run(f"%%private a\nb << {SQL}")
    assert refused.value.code == "PL112"


def test_a_refusal_is_shown_in_a_few_lines(stand_in, run, shell, capsys):
    problem = Problem(code="PL210", what="this does not fit", hint="--share 0.5%")
    stand_in.events = [Event(problem=problem)]
    with pytest.raises(BudgetExceeded):
        run(f"%%private\n{SQL}")
    shown = capsys.readouterr().out.strip().splitlines()
    assert shown == ["PL210 this does not fit", "  hint: --share 0.5%"]


def test_no_curator_is_said_and_named(nowhere, run):
    with pytest.raises(CuratorUnreachable) as refused:
        run(f"%%private\n{SQL}")
    assert refused.value.code == "PL300"


def test_an_interrupt_says_what_was_going_on(stand_in, run):
    stand_in.pause = 1.5

    def interrupt() -> None:
        deadline = time.monotonic() + 5
        while not stand_in.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(CuratorUnreachable) as refused:
        run(f"%%private\n{SQL}")
    assert refused.value.code == "PL305"
    assert refused.value.facts == {"while": "reading the question"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tables", ["visits", "flights", "made-up visits"]),
        ("describe visits", ["ward", "group key", "0 to 110", "withheld", "version 1"]),
        ("budget", ["clinic", "93\u00a0%", "0.42", "ada"]),
        ("history", ["by_ward", "1\u00a0%", "SELECT ward, COUNT(*) AS n"]),
        ("connect", ["/a/workspace", "ada (analyst)", "same-uid", "PRIVLAB_URL"]),
    ],
)
def test_the_line_magic_looks_around(stand_in, run, line, words):
    page = run(f"%private {line}")
    for word in words:
        assert word in repr(page)
        assert word in page._repr_mimebundle_()["text/html"].replace("&#x27;", "'")


def test_connect_takes_an_address(stand_in, run, monkeypatch):
    monkeypatch.delenv("PRIVLAB_URL")
    assert "you named it" in repr(run(f"%private connect {stand_in.url}"))


def test_an_unknown_table_is_refused_with_its_code(stand_in, run):
    with pytest.raises(BadQuery) as refused:
        run("%private describe vists")
    assert refused.value.code == "PL102"


@pytest.mark.parametrize("line", ["", "tabels", "describe", "connect a b"])
def test_a_wrong_command_lists_the_right_ones(stand_in, run, line):
    with pytest.raises(UsageError, match="%private tables"):
        run(f"%private {line}")


def test_a_curator_that_went_idle_is_found_again(stand_in, run):
    run("%private tables")
    stand_in.stop()
    with pytest.raises(CuratorUnreachable):
        run("%private budget")
    stand_in.start()
    assert "clinic" in repr(run("%private budget"))


def test_unloading_takes_everything_away(stand_in, run, shell):
    run("%private tables")
    run("%unload_ext privlab")
    assert shell.find_cell_magic("private") is None
    assert shell.find_line_magic("private") is None
    run("%load_ext privlab")


def test_practice_is_asked_for_shown_marked_and_assigned(stand_in, run, shell):
    practised = run(f"%%private by_ward --practice --share 2%\n{SQL}")
    assert isinstance(practised, Practice)
    assert shell.user_ns["by_ward"] is practised
    assert stand_in.paths[-1] == "/v1/practice"
    assert (stand_in.asked[0].name, stand_in.asked[0].price.share) == ("by_ward", "2")
    shown = practised._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert all(PRACTICE in text for text in shown.values())


def test_practice_does_not_go_with_explain(stand_in, run):
    with pytest.raises(BadQuery, match="one too many"):
        run(f"%%private --practice --explain\n{SQL}")
    assert stand_in.asked == []


def test_a_refused_practice_is_refused_in_the_same_words(stand_in, run):
    stand_in.refusal = Problem(code="PL103", what="weight has no bounds", hint="clip it")
    with pytest.raises(PrivlabError, match="weight has no bounds"):
        run(f"%%private --practice\n{SQL}")


def test_bounds_of_a_column_are_one_question(stand_in, run):
    page = run("%private bounds visits.age --share 2%")
    (asked,) = stand_in.asked
    counted = 'MAGNITUDE("age") AS bin, COUNT(DISTINCT "patient_id") AS n'
    assert asked.text == f'SELECT {counted} FROM "clinic"."visits" GROUP BY bin'
    assert stand_in.asked[0].price.share == "2"
    assert "0 to 110" in repr(page)


@pytest.mark.parametrize("again", ["--again", "--again 1"])
def test_the_first_time_that_bounds_are_measured_anew_is_the_first(stand_in, run, again):
    run(f"%private bounds visits.age {again} --share 2%")
    assert 'MAGNITUDE("age") AS bin' in stand_in.asked[0].text
    assert stand_in.asked[0].price.share == "2"


def test_the_price_of_bounds_is_explained_without_asking(stand_in, run):
    page = run("%private bounds visits.age --explain")
    assert stand_in.paths[-1] == "/v1/explain"
    assert "would cost 1 %" in repr(page)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("visits.nothing", "PL104"),
        ("age", "PL112"),
        ("visits.age --practice", "PL112"),
        ("visits.age --simultaneous", "PL112"),
        ("visits.age --share", None),
        ("visits.age --again 2", "PL112"),
        ("visits.age --again --again", None),
    ],
)
def test_bounds_of_nothing_are_not_asked(stand_in, run, line, code):
    with pytest.raises(PrivlabError if code else UsageError) as caught:
        run(f"%private bounds {line}")
    assert code is None or caught.value.code == code
    assert not stand_in.asked
