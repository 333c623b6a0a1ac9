"""A release keeps its numbers exact in every form it takes."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from privlab.client.frames import Release
from privlab.client.session import Session
from privlab.client.show import MIME_TYPE
from privlab.errors import BadQuery, IntegrityError
from privlab.seal.keys import PublicKey, SigningKey


@pytest.fixture
def by_ward(session: Session) -> Release:
    return session.ask(
        "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay FROM visits WHERE age < 53"
        " GROUP BY ward",
        name="by_ward",
    )


def test_the_frame_has_a_half_width_beside_each_estimate(by_ward: Release) -> None:
    assert by_ward.frame.schema == {
        "ward": pl.String,
        "n": pl.Float64,
        "n_pm": pl.Float64,
        "stay": pl.Float64,
        "stay_pm": pl.Float64,
    }
    assert by_ward.frame["ward"][:3].to_list() == ["cardiology", "oncology", "surgery"]


def test_dates_are_dates(session: Session) -> None:
    frame = session.ask(
        "SELECT DATE_TRUNC('month', visited_on) AS m, COUNT(*) AS n FROM visits GROUP BY m"
    ).frame

    assert frame["m"][0] == date(2023, 1, 1)


def test_a_median_of_days_is_a_day_and_is_not_drawn(session: Session) -> None:
    release = session.ask("SELECT ward, MEDIAN(visited_on) AS m FROM visits GROUP BY ward")

    assert release.frame.schema == {"ward": pl.String, "m": pl.Date, "m_pm": pl.Float64}
    assert date(2020, 1, 1) < release.frame["m"][0] < date(2030, 1, 1)
    with pytest.raises(BadQuery, match="PL112"):
        release.plot()


def test_csv_is_exact_and_parses_back(by_ward: Release, tmp_path: Path) -> None:
    text = by_ward.to_csv(tmp_path / "x.csv")

    rows = list(csv.reader(io.StringIO(text)))
    assert (tmp_path / "x.csv").read_text() == text
    assert rows[0] == ["ward", "n", "n_pm", "stay", "stay_pm"]
    assert rows[1][1] == by_ward.result["rows"][0][1]


def test_pandas_and_arrow_hold_the_same(by_ward: Release) -> None:
    pandas = pytest.importorskip("pandas")

    assert by_ward.to_pandas().equals(pandas.DataFrame(by_ward.frame.to_dict(as_series=False)))
    assert pl.DataFrame(by_ward).equals(by_ward.frame)


def test_a_saved_release_is_read_back_and_checked(
    by_ward: Release, session: Session, tmp_path: Path
) -> None:
    saved = by_ward.save(tmp_path / "by_ward.json")

    again = Release.read(saved, PublicKey.parse(session.hello.key))

    assert again.result == by_ward.result
    with pytest.raises(IntegrityError):
        Release.read(saved, SigningKey(b"x" * 32).public)


def test_a_notebook_gets_the_bundle_and_two_ways_to_show_it(by_ward: Release) -> None:
    shown = by_ward._repr_mimebundle_()

    assert by_ward.receipt is not None
    assert shown[MIME_TYPE] == {
        "bundle": by_ward.bundle,
        "receipt": by_ward.receipt.model_dump(mode="json"),
    }
    assert "<table" in shown["text/html"]
    assert by_ward.caption in shown["text/plain"]


def test_a_plot_has_bars_and_error_bars(by_ward: Release) -> None:
    drawn = by_ward.plot().to_dict()

    assert [layer["mark"]["type"] for layer in drawn["layer"]] == ["bar", "rule"]


def test_a_plot_needs_a_key(session: Session) -> None:
    release = session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 54")

    with pytest.raises(BadQuery, match="GROUP BY"):
        release.plot()


def test_a_column_already_called_so_keeps_its_name(session: Session) -> None:
    release = session.ask("SELECT COUNT(*) AS n, COUNT(ward) AS n_pm FROM visits WHERE age < 55")

    assert release.frame.columns == ["n", "n_pm_", "n_pm", "n_pm_pm"]
