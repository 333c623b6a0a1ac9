"""Where in the analyst's text the things are that ``ast`` found."""

from __future__ import annotations

import ast
import bisect
import itertools

from privlab.query.ask import Span


class Place:
    """Offsets in the analyst's text of what ``ast`` found.

    shift: how many characters were put before the text to parse it.
    """

    def __init__(self, parsed: str, shift: int) -> None:
        self.shift = shift
        self.lines = parsed.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.bytes: dict[int, list[int]] = {}

    def offset(self, line: int, column: int) -> int:
        """``ast`` counts lines from 1 and columns in UTF-8 bytes."""
        text = self.lines[line - 1]
        before = min(column, len(text)) if text.isascii() else self.character(line, column)
        return max(0, self.starts[line - 1] + before - self.shift)

    def character(self, line: int, column: int) -> int:
        """Characters before byte ``column`` of a line; each line is measured once."""
        if line not in self.bytes:
            sizes = [len(char.encode()) for char in self.lines[line - 1]]
            self.bytes[line] = list(itertools.accumulate(sizes))
        return bisect.bisect_right(self.bytes[line], column)

    def of(self, node: ast.AST) -> Span:
        start = self.offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))
        line, column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
        return Span(start, start + 1 if line is None else self.offset(line, column or 0))

    def of_error(self, error: Exception) -> Span | None:
        if not isinstance(error, SyntaxError) or error.lineno is None:
            return None
        line = min(error.lineno, len(self.lines))
        start = self.starts[line - 1] + max(0, (error.offset or 1) - 1)
        return Span(start, start + 1)
