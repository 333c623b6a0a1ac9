"""Owners bring in versions in order; stewards give budgets to people who exist."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from privlab.client.owner import Owner
from privlab.client.session import Session
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from privlab.curator.boot import open_desk
from privlab.curator.owner import prepare, set_budgets
from privlab.curator.workspace import create
from privlab.engine.handle import Engine
from privlab.errors import PrivlabError
from privlab.terms.loss import Loss
from privlab.terms.principal import Principal, Tier
from privlab.wire import locate
from privlab.wire.owner import Budgets, Prepare
from tests.conftest import PLAIN

CONTRACT = """\
[table]
name = "trips"
dataset = "fleet"
unit = "car"
unit_word = "car"
rows_per_unit = 2
row_cap = 1_000
purposes = ["exploration"]

[columns.car]
type = "text"
"""


@pytest.fixture
def owner(session: Session) -> Owner:
    return Owner(session)


def refused(act: Callable[[], Any]) -> PrivlabError:
    with pytest.raises(PrivlabError) as refusal:
        act()
    return refusal.value


def test_preparing_changes_nothing(owner: Owner) -> None:
    first = owner.prepare(CONTRACT)
    second = owner.prepare(CONTRACT)

    assert first == second
    assert first.version == 1
    assert len(first.unit_key) == len(first.order_key) == 32


def test_the_pseudonym_key_belongs_to_the_dataset_and_the_order_key_to_the_version(
    owner: Owner,
) -> None:
    trips = owner.prepare(CONTRACT)
    fines = owner.prepare(CONTRACT.replace('"trips"', '"fines"'))
    elsewhere = owner.prepare(CONTRACT.replace('"fleet"', '"other"'))

    assert trips.unit_key == fines.unit_key != elsewhere.unit_key
    assert trips.order_key != fines.order_key


def test_preparing_waits_for_a_registration_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its manifest and its entry in the ledger nobody may take the manifest for a leftover."""
    workspace = create(tmp_path / "w", custody=PLAIN)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    desk = open_desk(workspace, Engine(cache=tmp_path / "cache"))
    who = workspace.principal(os.getuid())
    assert who is not None
    left = workspace.table_folder("fleet", "trips", 1)
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("{}")

    with ThreadPoolExecutor(1) as pool, desk.registering:
        preparing = pool.submit(prepare, desk, who, Prepare(contract=CONTRACT))
        with pytest.raises(TimeoutError):
            preparing.result(timeout=0.3)
        assert (left / "manifest.json").exists()
        desk.registering.release()
        assert preparing.result(timeout=10).version == 1
        desk.registering.acquire()

    assert not (left / "manifest.json").exists()
    desk.ledger.close()


def test_a_contract_is_refused_with_all_its_problems(owner: Owner) -> None:
    error = refused(lambda: owner.prepare("[table]\nname = 3\nrow_cap = -1\n"))

    assert error.code == "PL150"
    assert len(error.facts) > 3


def test_a_version_whose_parts_are_not_there_is_not_registered(owner: Owner) -> None:
    from privlab.connector.datakeys import DataKeys
    from privlab.connector.parts import FileFacts, PartFacts

    prepared = owner.prepare(CONTRACT)
    file = FileFacts("rows-0000.parquet", 65_536, "0" * 64)
    part = PartFacts(0, 1, file, file)
    keys = DataKeys(dict.fromkeys(("", "privlab_unit_hi", "privlab_unit_lo"), bytes(32)), {})

    error = refused(lambda: owner.register(prepared, CONTRACT, [part], keys))

    assert error.code in ("PL402", "PL404")
    assert [table.name for table in owner.session.tables()] == ["visits"]


def test_budgets_go_to_people_who_exist(owner: Owner) -> None:
    error = refused(
        lambda: owner.set_budget("clinic", Loss(10**14), Fraction(1, 10**6), {"nobody": Loss(1)})
    )

    assert error.code == "PL203"
    assert "nobody" in str(error)


def test_a_budget_of_an_unknown_dataset_is_no_budget(
    tmp_path: Path,
) -> None:
    """Whether an amount is mu^2 or epsilon is only known once a table is registered."""
    desk = open_desk(create(tmp_path / "w", custody=PLAIN), Engine(cache=tmp_path / "cache"))
    me = desk.workspace.people[0]
    who = Principal(me.name, me.roles, Tier.IN_PROCESS)
    body = Budgets(dataset="nothing", cap="1", delta="1/1000000", grants={})

    error = refused(lambda: set_budgets(desk, who, body))

    assert error.code == "PL152"
    assert desk.ledger.cap("nothing") is None
    desk.ledger.close()


@pytest.mark.parametrize(
    "delta",
    [*map(Fraction, ("0", "1", "-1/2", "1/2", "0.999999", "1e-20", "1/3"))],
)
def test_delta_is_a_probability(owner: Owner, delta: Fraction) -> None:
    error = refused(lambda: owner.set_budget("clinic", Loss(10**14), delta, {}))

    assert error.code in ("PL108", "PL306")


def test_a_cap_below_what_is_spent_is_refused_and_changes_nothing(owner: Owner) -> None:
    owner.session.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 42")
    before = owner.dataset("clinic")

    error = refused(lambda: owner.set_budget("clinic", Loss(1), Fraction(1, 10**6), {}))

    assert error.code in ("PL210", "PL211")
    assert owner.dataset("clinic") == before


def test_a_dataset_is_planned_from_metadata(owner: Owner) -> None:
    facts = owner.dataset("clinic")

    assert facts.unit_word == "patient"
    assert [(t.name, t.rows_per_unit, t.rows) for t in facts.tables] == [("visits", 4, 3_000)]
    assert refused(lambda: owner.dataset("nothing")).code == "PL152"


def test_a_table_name_belongs_to_one_dataset(owner: Owner) -> None:
    """FROM names a table alone; a twin would keep the curator from starting."""
    twin = CONTRACT.replace('"trips"', '"visits"')

    assert refused(lambda: owner.prepare(twin)).code == "PL150"


def test_a_registration_that_was_refused_leaves_nothing_behind(
    fresh_workspace: Callable[[], Any], tmp_path: Path
) -> None:
    """The corrected contract gets the same version number."""
    place = fresh_workspace()
    owner = Owner(Session(locate.start(locate.find(env={**os.environ, **place.env}))))
    (tmp_path / "stays.csv").write_text("patient_id,ward\np1,a\np2,b\n")
    wrong = CONTRACT.replace('"trips"', '"stays"').replace('"fleet"', '"clinic"')
    wrong = wrong.replace("car", "ward") + '\n[columns.patient_id]\ntype = "text"\n'
    right = wrong.replace('unit = "ward"', 'unit = "patient_id"')

    error = refused(lambda: _register(owner, wrong, tmp_path / "stays.csv"))
    assert error.code == "PL150", str(error)
    _register(owner, right, tmp_path / "stays.csv")

    assert [table.name for table in owner.session.tables()] == ["stays", "visits"]


def _register(owner: Owner, contract: str, source: Path) -> None:
    prepared = owner.prepare(contract)
    done = protect(
        source,
        parse(contract),
        version=prepared.version,
        unit_key=prepared.unit_key,
        order_key=prepared.order_key,
        folder=prepared.folder,
    )
    owner.register(prepared, contract, done.parts, done.keys)


@pytest.mark.parametrize("delta", ["1e-400", "1e-16000000", "1_0", "nan", "0x1", "1/" + "9" * 50])
def test_a_delta_that_would_take_for_ever_is_not_read(owner: Owner, delta: str) -> None:
    response = owner.session._http.post(
        "/v1/owner/budgets", json={"dataset": "clinic", "cap": "1", "delta": delta, "grants": {}}
    )

    assert response.json()["code"] == "PL306"
