"""Bring the conditions on an answer's rows into one form."""

from __future__ import annotations

from dataclasses import replace

from privlab.query.encoding import canonical_text
from privlab.query.post.encoding import encode_out
from privlab.query.post.tree import Finish, Out, has_window


def settled(finish: Finish) -> Finish:
    """The finish with its conditions where they belong, in an order nobody chose.

    Before                                After
    ------                                -----
    having: n > 5, mean < 9               having: mean < 9, n > 5
    qualify: n > 5, and no windows        having: n > 5
    """
    having, qualify = finish.having, finish.qualify
    seen = [*(one.out for one in finish.outputs), *(one.by for one in finish.order), *qualify]
    if not any(map(has_window, seen)):
        having, qualify = (*having, *qualify), ()
    return replace(finish, having=_sorted(having), qualify=_sorted(qualify))


def _sorted(outs: tuple[Out, ...]) -> tuple[Out, ...]:
    return tuple(sorted(set(outs), key=lambda one: canonical_text(encode_out(one))))
