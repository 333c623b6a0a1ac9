"""``privlab demo``: build the demo workspace, and run a notebook against it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import terminal

app = typer.Typer(
    help="A workspace with real flights and a synthetic clinic.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="Where the demo lives.")]


@app.command()
def build(folder: Folder = Path(".demo")) -> None:
    """Build the demo workspace.

    Fetches the flights, makes up the clinic, protects both, grants a budget.

    Example: privlab demo build
    """
    with terminal.curator_part():
        from privlab.cli.demo import build as steps
    demo = steps.build(folder.resolve(), terminal.note)
    terminal.say(f"the demo is ready in {demo.workspace}")
    terminal.note(f"to ask there: export PRIVLAB_WORKSPACE={shlex.quote(str(demo.workspace))}")


@app.command()
def run(
    notebook: Annotated[Path, typer.Argument(help="A notebook.")],
    folder: Annotated[Path, typer.Option(help="Where the demo lives.")] = Path(".demo"),
) -> None:
    """Run a notebook and print what it answered.

    Example: privlab demo run notebooks/01_first_query.ipynb
    """
    from privlab.cli.demo import tour

    tour.run(notebook, folder.resolve())
