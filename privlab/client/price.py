"""A price as people write it, turned into the wire's words."""

from __future__ import annotations

from collections.abc import Mapping

from privlab.errors import BadQuery
from privlab.wire.messages import Price


def price(
    *,
    share: str | float | None = None,
    within: Mapping[str, object] | str | float | None = None,
    epsilon: str | float | None = None,
) -> Price:
    """At most one of the three; a share of 1 % when none is given.

    share: percent, with or without the sign.  within: one half-width for all
    columns, a mapping by column, or the text ``n=25,stay=0.5``.

    :raises BadQuery: PL108, two prices, or a half-width that is not a number.
    """
    given = [
        word
        for word, value in (("share", share), ("within", within), ("epsilon", epsilon))
        if value is not None
    ]
    if len(given) > 1:
        raise BadQuery(
            f"a question has one price, and this one names {' and '.join(given)}",
            code="PL108",
            hint="keep one of share, within, epsilon",
        )
    if within is not None:
        return Price(within=_widths(within))
    if epsilon is not None:
        return Price(epsilon=_text(epsilon))
    return Price(share=_text(1 if share is None else share).removesuffix("%").strip())


def _widths(within: Mapping[str, object] | str | float) -> dict[str, str]:
    if isinstance(within, Mapping):
        widths = {str(name): _text(value) for name, value in within.items()}
    elif isinstance(within, str) and "=" in within:
        pairs = [part.partition("=") for part in within.split(",")]
        widths = {name.strip(): value.strip() for name, _, value in pairs}
    else:
        widths = {"*": _text(within)}
    if not widths or not all(name and value for name, value in widths.items()):
        raise BadQuery(
            "this is not a list of half-widths",
            code="PL108",
            hint="write --within 25, or --within n=25,stay=0.5",
        )
    return widths


def _text(value: object) -> str:
    text = str(value).strip()
    if not text or len(text) > 64:
        raise BadQuery("a price is a number", code="PL108", hint="for example --share 1%")
    return text
