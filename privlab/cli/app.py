"""The ``privlab`` command: its nouns, and how it ends."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from privlab.cli import (
    append,
    ask,
    budget,
    catalog,
    check,
    curator,
    describe,
    draft,
    explain,
    forget,
    init,
    key,
    protect,
    terminal,
    trust,
    verify,
)
from privlab.cli.demo import command as demo
from privlab.errors import PrivlabError

app = typer.Typer(
    name="privlab",
    help="Ask questions of tables you may not see; protect the tables you own.",
    epilog="Exit status: 0 done, 1 refused, 2 wrong usage, 3 no curator, 4 something was changed.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)

app.command("init")(init.init)
app.command("draft")(draft.draft)
app.command("check")(check.check)
app.command("protect")(protect.protect)
app.command("append")(append.append)
app.command("forget")(forget.forget)
app.add_typer(budget.app, name="budget")
app.command("tables")(describe.tables)
app.command("describe")(describe.describe)
app.command("ask")(ask.ask)
app.command("verify")(verify.verify)
app.command("trust")(trust.trust)
app.command("explain")(explain.explain)
app.add_typer(catalog.app, name="catalog")
app.add_typer(key.app, name="key")
app.add_typer(curator.app, name="curator")
app.add_typer(demo.app, name="demo")


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    """Everything happens in the commands."""
    if version:
        terminal.say(f"privlab {installed_version()}")
        raise typer.Exit


def installed_version() -> str:
    """The version of the installed package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("privlab")
    except PackageNotFoundError:
        return "from an uninstalled source tree"


def main() -> None:
    """Run one command; never returns.  The statuses are those of `terminal`."""
    try:
        app(prog_name="privlab")
    except PrivlabError as error:
        terminal.problem(error)
        sys.exit(terminal.status_of(error))
    except KeyboardInterrupt:
        sys.exit(130)
