"""The command as a whole: its nouns, its statuses, its silence about itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from privlab.cli.app import app

NOUNS = (
    "init", "draft", "protect", "tables", "describe", "ask", "verify", "trust",
    "explain", "budget", "key", "curator", "demo",
)  # fmt: skip


def test_help_lists_every_noun(privlab) -> None:
    ended = privlab("--help")
    assert ended.status == 0
    assert all(f"\n  {noun} " in ended.out for noun in NOUNS)
    assert "4 something was" in ended.out


@pytest.mark.parametrize(
    "words",
    [*((noun,) for noun in NOUNS[:9]), ("budget", "plan"), ("budget", "show"), ("budget", "grant"),
     ("budget", "thresholds"),
     *(("key", verb) for verb in ("list", "rotate", "shred", "unlock", "recovery-kit", "restore", "move")),
     ("curator", "start"), ("curator", "stop"), ("curator", "status"), ("curator", "run"),
     ("demo", "build"), ("demo", "run")],
)  # fmt: skip
def test_the_help_of_every_command_ends_with_an_example(privlab, words: tuple[str, ...]) -> None:
    ended = privlab(*words, "--help")
    assert ended.status == 0
    assert f"Example: privlab {' '.join(words)}" in " ".join(ended.out.split())


def test_a_word_it_does_not_know_is_wrong_usage(privlab) -> None:
    assert privlab("bogus").status == 2
    assert privlab("verify").status == 2
    assert privlab("budget", "plan", "clinic").status == 2


def test_an_error_is_its_own_text_and_nothing_more(privlab) -> None:
    ended = privlab("explain", "PL999")
    assert ended.status == 1
    assert ended.out == ""
    assert ended.err.startswith("PL112 there is no code 'PL999'\n  hint: ")
    assert "Traceback" not in ended.err


def test_the_module_runs_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "privlab", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("privlab ")


def test_help_loads_nothing_heavy() -> None:
    """So that completion and --help are quick, and work without the curator's part."""
    code = (
        "import sys; from privlab.cli.app import app; "
        "print(sorted({'polars','numba','opendp','fastapi','pyarrow','numpy','sqlglot'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_app_is_what_the_project_file_names() -> None:
    assert app.info.name == "privlab"
