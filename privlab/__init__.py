"""privlab: ask questions of tables you may not see.

In a notebook, ``%load_ext privlab`` and then ``%%private``; in a script or in
another notebook system, the functions below.  They are the notebook's part.
The curator's part needs ``privlab[curator]`` and is run by the ``privlab``
command.

Nothing heavy is imported here: the curator imports this package too, and it
must never load a dataframe library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from privlab.cli.protect import Protection
    from privlab.client.bounds import Bounds
    from privlab.client.frames import Release
    from privlab.client.session import Session
    from privlab.wire.messages import Explanation, State, TableFacts

__all__ = ["ask", "bounds", "budget", "connect", "describe", "explain", "protect", "tables"]

_session: Session | None = None


def connect(url: str | None = None) -> Session:
    """Connect to a curator and use it for the functions below.

    url: ``unix:/path/to/socket``, or None to let `wire.locate` find one.

    :raises CuratorUnreachable: nobody answers, or the wrong process does.
    """
    global _session
    from privlab.client.session import Session

    _session = Session.connect(url)
    return _session


def ask(
    text: str,
    *,
    name: str = "",
    share: str | float | None = None,
    within: Mapping[str, object] | str | float | None = None,
    epsilon: str | float | None = None,
    params: Mapping[str, object] | None = None,
    public: Mapping[str, object] | None = None,
    purpose: str = "exploration",
    confidence: str | float = 95,
    simultaneous: bool = False,
    practice: bool = False,
) -> Release:
    """Answer a question, written in SQL or in Polars text, with differential privacy.

    share: percent of your grant to spend (default 1).
    within: the half-width wanted, for every column or by name: ``{"n": 25}``.
    epsilon: spend what a loss of this epsilon, alone, would be.
    params: values by name.  public: frames of your own by the name the text calls them.
    confidence: percent, of each interval; simultaneous: of all of them at once.
    practice: answer about invented rows instead: free, unsigned, and no release.

    :raises PrivlabError: what was refused, why, and what to type next.
    """
    from privlab.client.price import price

    session = _connected()
    put = session.practise if practice else session.ask
    return put(
        text,
        name=name,
        price=price(share=share, within=within, epsilon=epsilon),
        parameters=params,
        public=public,
        purpose=purpose,
        confidence=str(confidence),
        simultaneous=simultaneous,
    )


def explain(
    text: str,
    *,
    share: str | float | None = None,
    within: Mapping[str, object] | str | float | None = None,
    epsilon: str | float | None = None,
    params: Mapping[str, object] | None = None,
    public: Mapping[str, object] | None = None,
    purpose: str = "exploration",
    confidence: str | float = 95,
    simultaneous: bool = False,
) -> Explanation:
    """What `ask` would cost and how close it would come.  Spends nothing."""
    from privlab.client.price import price

    return _connected().explain(
        text,
        price=price(share=share, within=within, epsilon=epsilon),
        parameters=params,
        public=public,
        purpose=purpose,
        confidence=str(confidence),
        simultaneous=simultaneous,
    )


def bounds(
    column: str,
    *,
    share: str | float | None = None,
    epsilon: str | float | None = None,
    purpose: str = "exploration",
    again: int | bool = False,
) -> Bounds:
    """Measure the bounds of a column whose contract states none: ``"visits.charge"``.

    share, epsilon, purpose: as for `ask`; it is one question, charged as one.
    again: have bounds that you measured measured anew and replaced, at the full price;
    which time it is, 2 to 9, so that a second run is free, or True for the next time.

    :raises PrivlabError: what was refused, why, and what to type next.
    """
    from privlab.client.bounds import measure_bounds
    from privlab.client.price import price

    put = price(share=share, within=None, epsilon=epsilon)
    return measure_bounds(_connected(), column, price=put, purpose=purpose, again=again)


def protect(
    source: object,
    *,
    contract: str | PathLike[str],
    table: str = "",
) -> Protection:
    """Encrypt rows of your own as the next version of a table.  Needs ``privlab[curator]``.

    source: a frame of Polars or pandas, or of any library that speaks Arrow
    (``__arrow_c_stream__``); a path, a folder or a pattern; ``postgresql://...``,
    of which ``table`` is read, else the table with the contract's name.
    contract: the path of the contract, a TOML file.

    The counts of the result come from rows and are for the owner's eyes only.

    :raises BadContract: PL150 to PL153; nothing is registered then.
    """
    from pathlib import Path

    from privlab.cli.protect import contract_text, protect_source
    from privlab.client.owner import Owner

    text = contract_text(Path(contract), source if isinstance(source, str) else "FILE")
    return protect_source(Owner(_connected()), source, text, table=table)


def tables() -> tuple[TableFacts, ...]:
    """Every table you can ask about."""
    return _connected().tables()


def describe(name: str) -> TableFacts:
    """One table, as its contract states it."""
    return _connected().describe(name)


def budget() -> State:
    """Your accounts and releases."""
    return _connected().state()


def _connected() -> Session:
    return _session if _session is not None else connect()


# --- Jupyter's hooks ----------------------------------------------------------


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext privlab``."""
    from privlab.jupyter.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext privlab``."""
    from privlab.jupyter.magics import unload

    unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "privlab"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from privlab.jupyter.serverext import _jupyter_server_extension_points as points

    return points()
