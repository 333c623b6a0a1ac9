"""Which program decrypts and decodes a table's parts: a workspace chooses.

Both give the same frames of the same files, and refuse the same ones; one suite runs
over both.  This module opens nothing.
"""

from __future__ import annotations

from enum import StrEnum


class Reader(StrEnum):
    """native: Polars.  arrow: our own decryption and pyarrow."""

    NATIVE = "native"
    ARROW = "arrow"
