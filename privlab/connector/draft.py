"""A contract to fill in, from the names and types of a file's columns and from dictionaries.

No value, statistic or metadata of the file is shown, no range or key is
proposed from it: those are the owner's to state, here or in a dictionary that she has
published; what comes from one says so.  A Parquet or Arrow file names
its types.  A CSV has none, so they are proposed from the form of its first
1,000 rows; the words below are all that this can give away, and the owner
reads them before anyone else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from privlab.connector.column import RESERVED
from privlab.connector.delimited import Delimited
from privlab.connector.dictionaries import files, names, omop
from privlab.connector.dictionaries.lines import commented as _line
from privlab.connector.dictionaries.lines import listed as _listed
from privlab.connector.dictionaries.lines import quoted as _quoted
from privlab.connector.dictionaries.lines import stated_lines
from privlab.connector.dictionaries.stated import Sheet, Stated, merged
from privlab.connector.fields import OPEN, is_plain
from privlab.connector.scan import leaves
from privlab.connector.source import UNREADABLE, Several, open_source, unreadable
from privlab.terms.catalog import Kind

SAMPLE_ROWS = 1_000
TEXT_FILES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

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


def draft(path: Path, dictionaries: Sequence[Path] = (), table: str = "") -> str:
    """The TOML of a contract whose open fields are ``"?"``.

    dictionaries: files in which the owner has described her columns, the first one
    first; `connector.dictionaries.files` reads them.  table: its name there, where that
    is not the file's.

    :raises BadContract: PL151, the file or a dictionary cannot be read.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")
    columns = leaves(_schema(path))
    kinds = {name: _kind(dtype) for name, (_, dtype) in columns.items()}
    sheets = [
        files.read(file, table or path.name.split(".")[0], path.name) for file in dictionaries
    ]
    known = omop.recognised(table or stem, columns)
    said = merged((*sheets, *((known,) if known else ()), names.sheet(kinds.items())), columns)
    text = _head(stem, said)
    texts = path.name.lower().endswith(TEXT_FILES)
    for name, (_, dtype) in columns.items():
        text += "\n" + _section(name, dtype, said.column(name), texts=texts)
    return text


def _head(stem: str, said: Sheet) -> str:
    named = re.fullmatch(r"[a-z][a-z0-9_]{0,62}", stem)
    text = _HEAD.format(name=f"name = {_quoted(stem if named else OPEN)}".ljust(26))
    if said.unit is not None and is_plain(said.unit.value):
        unit = _line(f"unit = {_quoted(said.unit.value)}", said.unit.where)
        word = f"unit_word = {_quoted(said.unit_word)}"
        text = re.sub(r'(?m)^unit = "\?" .*', lambda _: unit, text)
        text = re.sub(r'(?m)^unit_word = "\?" .*', lambda _: word, text)
    if said.null_values is not None and all(map(is_plain, said.null_values.value)):
        line = _line(f"null_values = {_listed(said.null_values.value)}", said.null_values.where)
        text = re.sub(r"(?m)^# null_values = .*", lambda _: line, text)
    return text + "".join(f"# {note}\n" for note in said.notes if is_plain(note))


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


def _section(name: str, dtype: pl.DataType, said: Stated, *, texts: bool) -> str:
    """texts: the source has no types, so that a dictionary's are as good as any."""
    kind = _kind(dtype)
    if not is_plain(name) or not 0 < len(name) <= 200 or name.casefold().startswith(RESERVED):
        return "# a column is left out: its name cannot be used; rename it in the file\n"
    header = f"[columns.{_key(name)}]\n"
    if kind is None:
        return f"# {header}# left out: a column of type {dtype.base_type().__name__} cannot be protected\n"
    typed = f'type = "{kind}"'
    if texts and said.kind is not None:
        kind = said.kind.value
        typed = _line(f'type = "{kind}"', said.kind.where)
    lines = [typed, *stated_lines(kind, said)]
    if said.person:
        return header + "\n".join(lines) + "\n"
    if not any(line.startswith("withheld") for line in lines):
        stated = "\n".join(lines)
        hints = _HINTS[kind].splitlines()
        lines += [hint for hint in hints if f"\n{hint[2:].split()[0]} =" not in stated]
        lines.append("# withheld = true       # nobody may use it")
    return header + "\n".join(lines) + "\n"


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
