"""The table of an answer: released numbers and how far off they may be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.catalog import Kind, Scalar


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column: its name, what it is, and how many decimals are worth showing.

    label: "key", "rows", "units", "distinct", "sum", "mean", "quantile", "median",
    "min", "max", "variance", "deviation", "covariance", "correlation", "rank", or
    "value" for what is made of others.
    unit_word: what a "units" column counts ("patients"), else "".
    """

    name: str
    label: str
    kind: Kind
    decimals: int = 0
    unit_word: str = ""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """Rows in the order to show.  Estimates are Fractions and may be negative, or dates or times.

    half_widths[r][c] is the half-width of the interval of rows[r][c] at
    ``confidence`` percent, None for keys, ranks, and where no finite interval exists.
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Scalar | None, ...], ...]
    half_widths: tuple[tuple[Fraction | None, ...], ...]
    confidence: Fraction
