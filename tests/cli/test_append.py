"""``privlab append``: from a file to the table's next version."""

from __future__ import annotations

from pathlib import Path

import pytest

from privlab.cli.append import append_source
from privlab.client.owner import Owner
from privlab.errors import BadContract
from tests.conftest import visits_csv


def test_a_file_is_added_and_counted(owner: Owner, tmp_path: Path) -> None:
    source = visits_csv(tmp_path / "more.csv")

    done = append_source(owner, "clinic.visits", str(source))

    assert (done.dataset, done.table, done.version) == ("clinic", "visits", 2)
    assert done.counts.rows_kept == 3000
    assert "visits version 2 is protected" in str(done)


def test_a_table_that_there_is_not_takes_no_rows(owner: Owner, tmp_path: Path) -> None:
    with pytest.raises(BadContract) as caught:
        append_source(owner, "nothing", str(tmp_path / "more.csv"))

    assert caught.value.code == "PL152"
