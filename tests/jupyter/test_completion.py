"""Tab inside private cells, in a real IPython completer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def offered() -> Iterator[Callable[..., list[str]]]:
    """What Tab offers at the end of a text, or at ``at``."""
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.extension_manager.load_extension("privlab")

    def complete(text: str, at: int | None = None) -> list[str]:
        with provisionalcompleter():
            return [c.text for c in shell.Completer.completions(text, at or len(text))]

    yield complete
    shell.extension_manager.unload_extension("privlab")
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%%private --sh", ["--share"]),
        ("%%private --purpose tea", ["teaching"]),
        ("%%private\nSELECT wa", ["ward"]),
        ("%%private\nSELECT 1 FROM vi", ["visits"]),
        ("%%private\nSELECT visits.wa", ["ward"]),
        ("%%private\nSELECT v.ag", ["age"]),
        ('%%private\nvisits.filter(pl.col("ag', ["age"]),
        ("%private desc", ["describe"]),
        ("%private describe fli", ["flights"]),
    ],
)
def test_what_fits_is_offered(stand_in, offered, text, found):
    assert offered(text) == found


def test_columns_are_those_of_the_tables_in_the_cell(stand_in, offered):
    text = "%%private\nSELECT o FROM visits"
    assert "origin" not in offered(text, text.index("o FROM") + 1)
    text = "%%private\nSELECT o FROM flights"
    assert offered(text, text.index("o FROM") + 1) == ["origin"]


def test_withheld_columns_are_never_offered(stand_in, offered):
    assert "notes" not in offered("%%private\nSELECT note")


@pytest.mark.parametrize("text", ["x = war", "print(visi", "# %%private\nwar"])
def test_nothing_of_ours_is_offered_in_plain_python(stand_in, offered, text):
    assert not {"ward", "visits"} & set(offered(text))
    assert stand_in.paths == []


def test_flags_are_offered_without_a_curator(nowhere, offered):
    assert "--explain" in offered("%%private --")
    assert "--practice" in offered("%%private --pr")
    assert "ward" not in offered("%%private\nSELECT wa")


def test_tables_are_read_once_a_minute(stand_in, offered):
    for _ in range(3):
        offered("%%private\nSELECT wa")
    assert stand_in.paths.count("/v1/tables") == 1
