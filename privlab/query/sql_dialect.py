"""How the SQL text is read: the words that dialects share, each with one meaning.

sqlglot's own dialect, with ``//``, ``**`` and XOR, and with the functions on
dates whose arguments come in another order elsewhere left as they are written.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from sqlglot import Token, TokenType, exp, parser, tokens
from sqlglot.dialects.dialect import Dialect

# It quotes texts, and those belong in no log.  A level stays when a server sets up its
# own loggers; ``disabled`` does not.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)

AS_WRITTEN = {
    "DATEDIFF",
    "DATE_DIFF",
    "TIMESTAMPDIFF",
    "TIMESTAMP_DIFF",
    "DATEADD",
    "DATE_ADD",
    "DATE_SUB",
    "ADD_MONTHS",
}


class Reading(Dialect):
    """The dialect of a question."""

    class Tokenizer(tokens.Tokenizer):
        IDENTIFIERS: ClassVar = ['"', "`"]
        KEYWORDS: ClassVar = {
            **tokens.Tokenizer.KEYWORDS,
            "**": TokenType.DSTAR,
            "//": TokenType.DIV,
            "XOR": TokenType.XOR,
            "TOP": TokenType.TOP,
        }

    class Parser(parser.Parser):
        FUNCTIONS: ClassVar = {
            **{
                name: build
                for name, build in parser.Parser.FUNCTIONS.items()
                if name not in AS_WRITTEN
            },
            "MEAN": exp.Avg.from_arg_list,
            "AVERAGE": exp.Avg.from_arg_list,
        }
        EXPONENT: ClassVar = {TokenType.DSTAR: exp.Pow}
        CONJUNCTION: ClassVar = {**parser.Parser.CONJUNCTION, TokenType.XOR: exp.Xor}


def tokens_of(text: str) -> list[Token]:
    """What the parser takes for the words and signs of ``text``, in their order.

    :raises sqlglot.errors.TokenError: a quote or a comment is not closed.
    """
    return list(Reading().tokenize(text))
