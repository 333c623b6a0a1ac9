"""Refuse a text that is too long or too deep, before a parser reads it."""

from __future__ import annotations

import re

from privlab.query.ask import Source, Span, Surface

MAX_OPEN = 32
"""Most parentheses, brackets and CASEs that are open at once: a parser needs some 25 calls for each."""

MAX_WORDS = 9_000
"""Most words, numbers and texts of one question: a list of literals may be long."""

MAX_NAMES = 1_200
"""Most words that are names or keywords, which a parser needs longer for: some 50 milliseconds for all."""

MAX_SIGNS = 2_000
"""Most signs that are neither commas nor parentheses."""

MAX_SELECTS = 50
"""Most SELECTs of one question."""

MAX_SUFFIXES = 200
"""Most operators of one text that nest without parentheses, as ``::`` and ``**`` do."""

MAX_METHODS = 1_000
"""Most methods that are called on what a call gives."""

_PARTS = (
    r"|(?P<opens>[(\[{]|\bCASE\b)"
    r"|(?P<methods>\)\s*+\.)"
    r"|(?P<closes>[)\]}]|\bEND\b)"
    r"|(?P<selects>\bSELECT\b)"
    r"|(?P<suffix>::|\*\*|\bINTERVAL\b)"
    r"|(?P<name>[^\W\d]\w*+)"
    r"|(?P<word>\w++)"
    r"|(?P<sign>[^\w\s,])"
)
_FLAGS = re.IGNORECASE | re.DOTALL
_LEXEMES = {
    Surface.SQL: re.compile(
        r"(?P<quoted>'(?:[^']|'')*+(?:'|\Z)|\"(?:[^\"]|\"\")*+(?:\"|\Z)|`(?:[^`]|``)*+(?:`|\Z))"
        r"|(?P<comment>--[^\n]*+|/\*(?:.*?\*/|.*+))" + _PARTS,
        _FLAGS,
    ),
    Surface.POLARS: re.compile(
        r"(?P<quoted>'(?:[^'\\]|\\.)*+(?:'|\Z)|\"(?:[^\"\\]|\\.)*+(?:\"|\Z))"
        r"|(?P<comment>#[^\n]*+)" + _PARTS,
        _FLAGS,
    ),
}
"""Quotes and comments that do not close run to the end, so that each is looked at once."""


def limit_text(source: Source) -> None:
    """Count words and measure nesting in one look; texts in quotes count as a word.

    :raises BadQuery: PL106, more than 9,000 words, 1,200 names or 2,000 signs, parentheses more
        than 32 deep, or more SELECTs or chained operators than a question has.
    """
    lexemes = _LEXEMES[source.surface]
    counts = dict.fromkeys(lexemes.groupindex, 0)
    depth = unopened = 0
    for found in lexemes.finditer(source.text):
        kind = str(found.lastgroup)
        counts[kind] += 1
        if kind == "opens":
            depth += 1
        elif kind in ("closes", "methods"):
            unopened += depth == 0
            depth = max(0, depth - 1)
        at = Span(*found.span())
        if depth > MAX_OPEN:
            what = f"this question is nested more than {MAX_OPEN} deep"
            raise source.refuse("PL106", what, at, "write fewer conditions, or IN")
        words = counts["name"] + counts["word"] + counts["quoted"]
        if words > MAX_WORDS or counts["name"] > MAX_NAMES:
            most = MAX_WORDS if words > MAX_WORDS else MAX_NAMES
            what = f"this question has more than {most:,} words"
            raise source.refuse("PL106", what, at, "pass long lists as a parameter")
        if counts["sign"] > MAX_SIGNS or unopened > MAX_OPEN:
            what = f"this question has more than {MAX_SIGNS:,} signs, or closes what is not open"
            raise source.refuse("PL106", what, at, "split the question")
        chained = counts["suffix"] > MAX_SUFFIXES or counts["methods"] > MAX_METHODS
        if chained or counts["selects"] > MAX_SELECTS:
            raise source.refuse(
                "PL106", "this question is nested too deeply", at, "split the question"
            )
