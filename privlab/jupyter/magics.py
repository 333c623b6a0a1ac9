"""``%%private`` and ``%private``: a line and a cell become one call of the client.

The cell is text.  It is never executed and never expanded: ``$x`` and ``{x}``
mean nothing in it, and the values of ``:x`` travel beside it.  The magics are
synchronous on purpose: IPython does not await a magic.
"""

from __future__ import annotations

import keyword
import shlex
from argparse import Namespace
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from privlab.client.bounds import histogram, measure_bounds
from privlab.client.frames import Release
from privlab.client.price import price
from privlab.client.session import Session
from privlab.errors import BadQuery, CuratorUnreachable
from privlab.jupyter import cell as cells
from privlab.jupyter import completion, display
from privlab.jupyter.connection import Connection
from privlab.jupyter.phase import PhaseLine

SUBCOMMANDS = {
    "tables": "what can be asked about",
    "describe TABLE": "the columns of one table, their ranges and keys",
    "bounds TABLE.COLUMN [--share S]": "measure the bounds of a column without a range",
    "bounds TABLE.COLUMN --again [N]": "measure them anew, at the full price, to replace those",
    "budget": "what is left of your grants",
    "history": "your releases, newest first",
    "connect [URL]": "which curator answers, or another one: unix:/path/to/the.sock",
}


@magics_class
class PrivateMagics(Magics):
    """The two magics and the connection they share."""

    def __init__(self, shell: InteractiveShell, connection: Connection) -> None:
        super().__init__(shell)
        self.connection = connection
        self._shell = shell

    @no_var_expand
    @magic_arguments()
    @argument("name", nargs="?", default="", help="variable that receives the release")
    @argument("--share", metavar="S", help="percent of your grant to pay, such as 1%% (default)")
    @argument("--within", metavar="W", help="error to reach, such as n=25,stay=0.5")
    @argument("--epsilon", metavar="E", help="epsilon of this answer alone; epsilons do not add")
    @argument("--confidence", metavar="C", default="95", help="percent of the interval (95)")
    @argument("--simultaneous", action="store_true", help="all intervals hold at once, not each")
    @argument("--purpose", metavar="P", default="exploration", help="why you ask; judged, recorded")
    @argument("--public", metavar="P", action="append", help="a frame of yours: wards=df")
    @argument("--explain", action="store_true", help="show the price and spend nothing")
    @argument("--practice", action="store_true", help="invented rows: free, unsigned, no release")
    @cell_magic("private")  # type: ignore[arg-type]
    def private(self, line: str, cell: str) -> Release | display.Page:
        """Ask a question of tables you may not see, in SQL or in Polars syntax.

        Values of the notebook are bound with ``:name`` in SQL and by their bare
        name in Polars syntax.  Any option may be ``:name`` too.
        """
        options = self._options(line)
        if options.explain and options.practice:
            raise BadQuery(
                "--explain and --practice together are one too many",
                code="PL112",
                hint="keep --practice: it shows the price too",
            )
        assigned, question = cells.split_assignment(cell)
        name = self._name(options.name, assigned)
        names = self._shell.user_ns
        asked: dict[str, Any] = {
            "price": price(share=options.share, within=options.within, epsilon=options.epsilon),
            "parameters": cells.parameters(question, names),
            "public": cells.frames(options.public or (), names),
            "purpose": options.purpose,
            "confidence": options.confidence.removesuffix("%").strip(),
            "simultaneous": options.simultaneous,
        }
        with PhaseLine(self._shell) as phase:
            try:
                if not self.connection.is_open:
                    phase.say("finding the curator")
                if options.explain:
                    explained = self.connection.read(lambda s: s.explain(question, **asked))
                    return display.explain_page(explained, asked["confidence"])
                if options.practice:
                    phase.say("practising")
                    release: Release = self.connection.read(
                        lambda s: s.practise(question, name=name, **asked)
                    )
                else:
                    session = self.connection.open()
                    release = session.ask(question, name=name, on_phase=phase, **asked)
            except KeyboardInterrupt:
                raise _interrupted(phase.last) from None
        if name:
            names[name] = release
        return release

    @no_var_expand
    @line_magic("private")  # type: ignore[arg-type]
    def subcommand(self, line: str) -> display.Page:
        """Look around: tables, describe TABLE, budget, history, connect [URL]; measure bounds."""
        words = _words(line)
        try:
            match words:
                case ["tables"]:
                    return display.tables_page(self.connection.read(Session.tables))
                case ["describe", table]:
                    return display.describe_page(self.connection.read(lambda s: s.describe(table)))
                case ["bounds", column, *options]:
                    return self._bounds(column, options)
                case ["budget"]:
                    return display.budget_page(self.connection.read(Session.state))
                case ["history"]:
                    return display.history_page(self.connection.read(Session.history))
                case ["connect", *url] if len(url) <= 1:
                    session = self.connection.open(*url)
                    return display.connected_page(session.hello, session.place.why)
        except KeyboardInterrupt:
            raise _interrupted("looking around") from None
        listed = "\n".join(f"  %private {name:31} {what}" for name, what in SUBCOMMANDS.items())
        tried = f"%private {line.strip()}: no such command" if words else "%private needs a command"
        raise UsageError(
            f"{tried}\n{listed}\nA question goes into a cell that starts with %%private"
        )

    def _bounds(self, column: str, options: list[str]) -> display.Page:
        """One question, asked and charged as any other."""
        again, options = _again(options)
        words = "bounds " + " ".join(map(shlex.quote, options))
        asked = self._options(words)
        if asked.name != "bounds" or asked.practice or asked.simultaneous or asked.public:
            raise BadQuery(
                "bounds takes a column, --again, --share, --within, --epsilon, --purpose, --explain",
                code="PL112",
                hint=f"%private bounds {column} --share 1%",
            )
        put = price(share=asked.share, within=asked.within, epsilon=asked.epsilon)
        if asked.explain:
            return display.explain_page(
                self.connection.read(
                    lambda s: s.explain(
                        histogram(s, column, again), price=put, purpose=asked.purpose
                    )
                )
            )
        with PhaseLine(self._shell) as phase:
            found = measure_bounds(
                self.connection.open(),
                column,
                price=put,
                purpose=asked.purpose,
                on_phase=phase,
                again=again,
            )
        return display.bounds_page(found)

    def _options(self, line: str) -> Namespace:
        """The line as options; a value ``:name`` is taken from the notebook."""
        options: Namespace = parse_argstring(self.private, line)
        for option, value in vars(options).items():
            if not isinstance(value, str) or not value.startswith(":"):
                continue
            variable = value[1:]
            if variable not in self._shell.user_ns:
                raise BadQuery(
                    f"--{option} names {value}, and the notebook has no such variable",
                    code="PL112",
                    hint=f"set it in a cell before this one: {variable} = …",
                )
            setattr(options, option, str(self._shell.user_ns[variable]))
        return options

    def _name(self, named: str, assigned: str) -> str:
        if named and assigned and named != assigned:
            raise BadQuery(
                f"the release has two names, {named} and {assigned}",
                code="PL112",
                hint=f"write %%private {assigned}, or {assigned} << SELECT …",
            )
        name = named or assigned
        if name and (not name.isidentifier() or keyword.iskeyword(name)):
            raise BadQuery(
                f"{name!r} cannot be the name of a variable",
                code="PL112",
                hint="the first word after %%private names the release: %%private by_ward",
            )
        return name


def _interrupted(phase: str) -> CuratorUnreachable:
    return CuratorUnreachable(
        "interrupted",
        code="PL305",
        hint="run the cell again; if it had been charged already, the same question is free",
        facts={"while": phase},
    )


def _again(options: list[str]) -> tuple[int | bool, list[str]]:
    """Which time the bounds are asked for, True for the next one, and the other options."""
    if "--again" not in options:
        return False, options
    at = options.index("--again")
    rest = options[at + 1 :]
    if rest and rest[0].isascii() and rest[0].isdecimal() and len(rest[0]) < 3:
        return int(rest[0]) or 1, [*options[:at], *rest[1:]]
    return True, [*options[:at], *rest]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def load(shell: InteractiveShell) -> None:
    """What ``%load_ext privlab`` does: the magics and their completion."""
    connection = Connection()
    shell.register_magics(PrivateMagics(shell, connection))
    completion.install(shell, connection)


def unload(shell: InteractiveShell) -> None:
    """What ``%unload_ext privlab`` does: both are gone, and so is the connection."""
    completion.remove(shell)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("private", None)
    magics = shell.magics_manager.registry.pop(PrivateMagics.__name__, None)
    if magics is not None:
        magics.connection.close()
