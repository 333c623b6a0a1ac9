"""A release in the analyst's hands: a table with error bars that can be shared."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from privlab.client import show
from privlab.errors import BadQuery
from privlab.release.verify import verify
from privlab.seal.keys import PublicKey
from privlab.wire.messages import Answer, Receipt

if TYPE_CHECKING:
    import altair
    import pandas

_DTYPES: dict[str, Any] = {
    "bool": pl.Boolean,
    "int": pl.Int64,
    "float": pl.Float64,
    "text": pl.String,
    "date": pl.Date,
    "datetime": pl.Datetime("us"),
}


def table_file(path: Path, most: int) -> pl.DataFrame:
    """The first ``most`` rows and one more of a Parquet or CSV file, to be sent as a public table.

    Dates and times of a CSV file are read as such.

    :raises BadQuery: PL114, the file is not there, is of another kind, or cannot be read.
    """
    hint = f"--public {path.stem or 'wards'}=wards.csv, or a .parquet file"
    if path.suffix not in (".csv", ".parquet") or not path.is_file():
        what = "is not there" if not path.is_file() else "is neither .csv nor .parquet"
        raise BadQuery(f"{path} {what}", code="PL114", hint=hint)
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, n_rows=most + 1, try_parse_dates=True)
        return pl.scan_parquet(path, glob=False).head(most + 1).collect()
    except (pl.exceptions.PolarsError, OSError):
        raise BadQuery(f"{path} cannot be read as a table", code="PL114", hint=hint) from None


class Release:
    """A signed answer.  Everything made from it is post-processing and costs nothing.

    bundle: the signed text, byte for byte as the curator sealed it.
    result: the table in it, as parsed JSON; numbers are decimal strings.
    facts: what the signature vouches for (the statement's predicate).
    receipt: what it cost and what is left; None for a bundle read from a file.
    """

    def __init__(
        self,
        bundle: str,
        result: dict[str, Any],
        facts: dict[str, Any],
        receipt: Receipt | None,
    ) -> None:
        self.bundle = bundle
        self.result = result
        self.facts = facts
        self.receipt = receipt

    @classmethod
    def received(cls, answer: Answer, key: PublicKey) -> Release:
        """The release in ``answer``, after checking its signature.

        :raises IntegrityError: PL407, it does not verify.
        """
        checked = verify(answer.bundle, key)
        return cls(answer.bundle, checked.result, checked.facts, answer.receipt)

    @classmethod
    def read(cls, path: str | Path, key: PublicKey) -> Release:
        """A release saved with `save`, after checking its signature."""
        text = Path(path).read_text("utf-8")
        checked = verify(text, key)
        return cls(text, checked.result, checked.facts, None)

    @property
    def caption(self) -> str:
        """What was counted, in words."""
        return str(self.result["caption"])

    @property
    def frame(self) -> pl.DataFrame:
        """The table as Polars.  Beside each estimate ``x`` stands ``x_pm``, its half-width.

        Estimates are Float64 as released, unrounded for display and possibly negative;
        those of dates and times are such.
        """
        columns: dict[str, pl.Series] = {}
        for index, column in enumerate(self.result["columns"]):
            texts = [row[index] for row in self.result["rows"]]
            name, kind = column["name"], column["kind"]
            if column["label"] == "key" or kind in show.TIMES:
                values = [_value(text, kind) for text in texts]
                columns[name] = pl.Series(name, values, dtype=_DTYPES[kind])
            else:
                columns[name] = pl.Series(name, [_number(t) for t in texts], dtype=pl.Float64)
            if column["label"] == "key":
                continue
            widths = [row[index] for row in self.result["half_widths"]]
            half = _free_name(f"{name}_pm", self.result["columns"])
            columns[half] = pl.Series(half, [_number(t) for t in widths], dtype=pl.Float64)
        return pl.DataFrame(columns)

    def to_pandas(self) -> pandas.DataFrame:
        """`frame` as pandas, which must be installed."""
        import pandas

        return pandas.DataFrame({s.name: s.to_list() for s in self.frame.get_columns()})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """`frame` through the Arrow C stream interface."""
        return self.frame.__arrow_c_stream__(requested_schema)

    def to_csv(self, path: str | Path | None = None) -> str:
        """`frame` as CSV text, exact as released; written to ``path`` when given."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        columns = self.result["columns"]
        header: list[str] = []
        for column in columns:
            header.append(column["name"])
            if column["label"] != "key":
                header.append(_free_name(f"{column['name']}_pm", columns))
        writer.writerow(header)
        for values, widths in zip(self.result["rows"], self.result["half_widths"], strict=True):
            cells: list[str] = []
            for column, value, width in zip(columns, values, widths, strict=True):
                cells.append("" if value is None else value)
                if column["label"] != "key":
                    cells.append("" if width is None else width)
            writer.writerow(cells)
        if path is not None:
            Path(path).write_text(out.getvalue(), "utf-8")
        return out.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write the signed bundle, which `privlab verify` checks.  Safe to share."""
        target = Path(path)
        target.write_text(self.bundle, "utf-8")
        return target

    def plot(self) -> altair.TopLevelMixin:
        """The first estimate by the first key, with its error bars.

        :raises BadQuery: PL112, there is no key or no estimate to draw.
        """
        import altair

        columns = self.result["columns"]
        key = next((c for c in columns if c["label"] == "key"), None)
        numbers = (c for c in columns if c["label"] != "key" and c["kind"] not in show.TIMES)
        estimate = next(numbers, None)
        if key is None or estimate is None:
            raise BadQuery(
                "there is nothing to draw: a plot needs a group key and an estimate",
                code="PL112",
                hint="add a GROUP BY",
            )
        name, half = estimate["name"], _free_name(f"{estimate['name']}_pm", columns)
        frame = self.frame.select(
            pl.col(key["name"]).alias("key"),
            pl.col(name).alias("estimate"),
            (pl.col(name) - pl.col(half)).alias("low"),
            (pl.col(name) + pl.col(half)).alias("high"),
        )
        axis = "key:T" if key["kind"] in ("date", "datetime") else "key:N"
        base = altair.Chart(frame)
        x = altair.X(axis, title=key["name"], sort=None)
        bars = base.mark_bar(opacity=0.7).encode(x=x, y=altair.Y("estimate:Q", title=name))
        rules = base.mark_rule(size=2).encode(x=x, y="low:Q", y2="high:Q")
        return altair.layer(bars, rules)

    def __repr__(self) -> str:
        return show.text(self.result, self.receipt)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return show.mimebundle(self.bundle, self.result, self.receipt)


def _value(text: str | None, kind: str) -> object:
    if text is None:
        return None
    match kind:
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "date":
            return date.fromisoformat(text)
        case "datetime":
            return datetime.fromisoformat(text)
        case _:
            return text


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _free_name(wanted: str, columns: list[dict[str, Any]]) -> str:
    taken = {column["name"] for column in columns}
    while wanted in taken:
        wanted += "_"
    return wanted
