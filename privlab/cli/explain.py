"""``privlab explain PL103``: what an error means and what to do."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import typer

from privlab.cli import terminal
from privlab.errors import CODES, BadQuery


def explain(
    code: Annotated[str, typer.Argument(help="A code such as PL103, as an error shows it.")],
) -> None:
    """Explain an error code and what to do.

    Example: privlab explain PL103
    """
    wanted = code.strip().upper()
    if wanted not in CODES:
        known = ", ".join(CODES)
        raise BadQuery(f"there is no code {code!r}", code="PL112", hint=f"known: {known}")
    terminal.say(section(wanted))


def section(code: str) -> str:
    """The section of ``docs/errors.md`` for this code, its heading included."""
    page = (resources.files("privlab.cli") / "errors.md").read_text("utf-8")
    _, _, rest = page.partition(f"\n### {code}\n")
    lines: list[str] = []
    for line in rest.splitlines():
        if line.startswith(("## ", "### ")):
            break
        lines.append(line.replace("**", ""))
    return f"{code}\n" + "\n".join(lines).rstrip()
