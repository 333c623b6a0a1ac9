"""A contract to fill in, from the names and types of a file's columns alone.

No value, statistic or metadata of the file is shown, no range or key is
proposed from it: those are the owner's to state.  A Parquet or Arrow file names
its types.  A CSV has none, so they are proposed from the form of its first
1,000 rows; the words below are all that this can give away, and the owner
reads them before anyone else.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl

from privlab.connector.column import RESERVED
from privlab.connector.delimited import Delimited
from privlab.connector.fields import OPEN, is_plain
from privlab.connector.scan import leaves
from privlab.connector.source import UNREADABLE, Several, open_source, unreadable
from privlab.terms.catalog import Kind

SAMPLE_ROWS = 1_000

_HEAD = """\
# A contract: what you state about a table before anyone may ask about it.
# Fill in every "?".  Nothing here may be copied from single rows: it is public.

[table]
{name}# what FROM will say, for example "visits"
dataset = "?"             # the budget it belongs to, for example "hospital"
about = ""                # one line for analysts, for example "admissions since 2019"
unit = "?"                # the column that names who is protected, for example "patient_id"
unit_word = "?"           # what people call it, for example "patient"
null_unit = "drop"        # rows without a unit: "drop" them, or treat all as "one" unit
rows_per_unit = "?"       # at most so many rows of one unit enter one answer, for example 8
# rows_per_group = 4      # of those, in one group
# groups_per_unit = 3     # groups that one unit may touch
row_cap = "?"             # no version will ever have more rows, for example 2_000_000
purposes = "?"            # what it may be asked for, for example ["exploration", "audit"]
                          # ("exploration" is what a question states by itself; [] is nothing)
# rows = 1_500_000        # about how many there are, if that may be known
# null_values = ["NA"]    # texts of the file that mean null
sensitivity = 1           # 0 public .. 3 most sensitive; the policy uses it
# privacy = "pure"        # for the dataset's life: epsilons that add, no delta, wider errors;
                          # without this line "gdp"
"""

_HINTS = {
    Kind.BOOL: "",
    Kind.INT: (
        "# range = [0, 120]      # needed for SUM and AVG, and for groups; values outside are clamped\n"
        "# keys = [1, 2, 3]      # or: the values that may form groups\n"
    ),
    Kind.FLOAT: (
        "# range = [0, 60.5]     # needed for SUM and AVG; values outside are clamped\n"
        "# step = 0.01           # with a range: the grid that sums are computed on\n"
    ),
    Kind.TEXT: '# keys = ["a", "b"]     # the values that may form groups\n',
    Kind.DATE: "# range = [2019-01-01, 2025-12-31]   # the days that may form groups\n",
    Kind.DATETIME: "# range = [2019-01-01, 2025-12-31]   # the days that may form groups\n",
}


def draft(path: Path) -> str:
    """The TOML of a contract whose open fields are ``"?"``.

    :raises BadContract: PL151, the file cannot be read.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")
    named = re.fullmatch(r"[a-z][a-z0-9_]{0,62}", stem)
    text = _HEAD.format(name=f"name = {_quoted(stem if named else OPEN)}".ljust(26))
    for name, (_, dtype) in leaves(_schema(path)).items():
        text += "\n" + _section(name, dtype)
    return text


def _schema(place: Path) -> pl.Schema:
    source = open_source(place)
    if isinstance(source, Several):
        source = source.first
    if not isinstance(source, Delimited):
        return source.schema
    try:
        return source.proposed(SAMPLE_ROWS)
    except UNREADABLE:
        raise unreadable(source.name) from None


def _section(name: str, dtype: pl.DataType) -> str:
    kind = _kind(dtype)
    if not is_plain(name) or not 0 < len(name) <= 200 or name.casefold().startswith(RESERVED):
        return "# a column is left out: its name cannot be used; rename it in the file\n"
    header = f"[columns.{_key(name)}]\n"
    if kind is None:
        return f"# {header}# left out: a column of type {dtype.base_type().__name__} cannot be protected\n"
    hints = _HINTS[kind]
    return f'{header}type = "{kind}"\n{hints}# withheld = true       # nobody may use it\n'


def _kind(dtype: pl.DataType) -> Kind | None:
    match dtype:
        case pl.Boolean():
            return Kind.BOOL
        case pl.String() | pl.Categorical() | pl.Enum():
            return Kind.TEXT
        case pl.Date():
            return Kind.DATE
        case pl.Datetime():
            return Kind.DATETIME
        case pl.Null():
            return Kind.TEXT
    if dtype.is_integer():
        return Kind.INT
    return Kind.FLOAT if dtype.is_float() or dtype.is_decimal() else None


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
