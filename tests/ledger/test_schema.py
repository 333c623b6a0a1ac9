"""The triggers hold on their own: for buggy code, and for other programs.

The file is opened by a plain connection with foreign keys off and recursive
triggers off, as the sqlite3 shell would.  Each statement is refused by its
trigger, and is let through, or refused by something else, when that trigger is
dropped: so each trigger is seen to fire and none is idle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import apsw
import pytest

from privlab.ledger.ledger import Ledger
from privlab.terms.groups import ShownGroups
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import RoundedGaussian
from privlab.views.measurement import Measurement

from .conftest import DELTA, Ask

SCHEMA = (files("privlab.ledger") / "schema.sql").read_text("utf-8")
TRIGGERS = re.findall(r"CREATE TRIGGER (\w+)", SCHEMA)

CHARGE = (
    "INSERT OR REPLACE INTO charge VALUES"
    " ({seq}, '{who}', '{request}', zeroblob(32), 'clinic', 'q', {cost}, {delta}, 'p', '95', '', x'', 't')"
)


def charge(seq: int, who: str = "ana", request: str = "new", cost: int = 1, delta: int = 0) -> str:
    return CHARGE.format(seq=seq, who=who, request=request, cost=cost, delta=delta)


def pure(statement: str) -> str:
    """The same in the pure dataset, where ana has charge 4, running."""
    return statement.replace("'clinic'", "'pure'")


# The ledger below has charges 1 (sealed), 2 (failed once) and 3 (running), of
# 10 units and a delta of 2 each on ana's 100 and 10 of clinic's 120 and 12; bob
# has 95 and 10, and spent nothing.
CASES = {
    **{
        f"{name}_is_kept": " ".join(("DELETE FROM", table))
        for name, table in {
            "cap": "cap",
            "account": "account",
            "charge": "charge",
            "attempt": "attempt",
            "failure": "failure",
            "measurement": "measurement",
            "shown": "shown",
            "release": "release",
            "dataset": "dataset",
            "version": "table_version",
            "keychain": "keychain",
            "shredded": "shredded",
            "entry": "entry",
        }.items()
    },
    "charge_is_final": "UPDATE charge SET cost = 0",
    "attempt_is_final": "UPDATE attempt SET at = ''",
    "failure_is_final": "UPDATE failure SET at = ''",
    "measurement_is_final": "UPDATE measurement SET multiplier = 1",
    "shown_is_final": "UPDATE shown SET threshold = 1",
    "release_is_final": "UPDATE release SET bundle = x''",
    "keychain_is_final": "UPDATE keychain SET generation = 9",
    "shredded_is_final": "UPDATE shredded SET version = 2",
    "keychain_rises": "INSERT OR REPLACE INTO keychain VALUES (3)",
    "dataset_is_final": "UPDATE dataset SET unit = 'staff_id'",
    "version_is_final": "UPDATE table_version SET manifest = zeroblob(32)",
    "entry_is_final": "UPDATE entry SET actor = 'eve'",
    "cap_is_never_refilled": "UPDATE cap SET spent = spent - 1",
    "account_is_never_refilled": "UPDATE account SET spent = 0 WHERE principal = 'ana'",
    "cap_starts_empty": "INSERT OR REPLACE INTO cap VALUES ('clinic', 120, 0, 12, 0, '1/2')",
    "account_starts_empty": "INSERT OR REPLACE INTO account VALUES"
    " ('ana', 'clinic', 100, 0, 10, 0)",
    "charge_is_pure": pure(charge(5, cost=0, delta=1)),
    "charge_follows": charge(1, request="request-1", cost=0),
    "charge_fits_account": charge(5, cost=71),
    "charge_fits_cap": charge(5, who="bob", cost=91),
    "attempt_follows": "INSERT OR REPLACE INTO attempt VALUES (1, 2, 't')",
    "failure_is_of_the_last_attempt": "INSERT OR REPLACE INTO failure VALUES (2, 1, 'later')",
    "measurement_is_paid": "INSERT OR REPLACE INTO measurement VALUES"
    " (1, 'view', 'rounded-gaussian', 1, 0, x'')",
    "measurement_is_pure": "INSERT INTO measurement VALUES"
    " (4, 'view', 'rounded-gaussian', 1, 0, x'')",
    "shown_is_paid": "INSERT OR REPLACE INTO shown VALUES (1, 5, x'5b5d')",
    "release_is_sealed_once": "INSERT OR REPLACE INTO release VALUES (1, '', x'', x'', 't')",
    "dataset_is_new": "INSERT OR REPLACE INTO dataset VALUES ('clinic', 'staff_id', 'gdp')",
    "version_rises": "INSERT OR REPLACE INTO table_version VALUES"
    " ('clinic', 'visits', 1, zeroblob(32))",
    "shredded_is_known": "INSERT INTO shredded VALUES ('clinic', 'visits', 9, 'age')",
    "entry_follows": "INSERT OR REPLACE INTO entry VALUES (1, 'z', 'eve', 'a', 'd', '', 'done', '', 0)",
}

MORE = [
    ("charge_follows", charge(9)),
    ("charge_follows", charge(5, request="request-2")),
    ("charge_fits_account", charge(5, who="eve", cost=0)),
    ("charge_fits_account", charge(5, who="eve", cost=1)),
    ("charge_fits_account", charge(5, cost=0, delta=5)),
    ("charge_fits_cap", charge(5, who="dan", cost=0).replace("'clinic'", "'nocap'")),
    ("charge_fits_cap", charge(5, who="bob", cost=0, delta=7)),
    ("dataset_is_final", "UPDATE dataset SET currency = 'pure' WHERE name = 'clinic'"),
    ("dataset_is_new", "INSERT OR REPLACE INTO dataset VALUES ('clinic', 'patient_id', 'pure')"),
    ("cap_is_never_refilled", "UPDATE cap SET delta_spent = delta_spent - 1"),
    ("cap_starts_empty", "INSERT INTO cap VALUES ('new', 9, 0, 9, 1, '1/2')"),
    ("account_is_never_refilled", "UPDATE account SET delta_spent = 0 WHERE principal = 'ana'"),
    ("account_starts_empty", "INSERT INTO account VALUES ('eve', 'clinic', 100, 0, 3, 3)"),
    ("cap_is_never_refilled", "UPDATE cap SET dataset = 'other'"),
    ("account_is_never_refilled", "UPDATE account SET principal = 'eve' WHERE principal = 'bob'"),
    ("account_is_never_refilled", "UPDATE account SET dataset = 'x' WHERE principal = 'bob'"),
    ("account_starts_empty", "INSERT INTO account VALUES ('eve', 'clinic', 100, 3, 0, 0)"),
    ("attempt_follows", "INSERT INTO attempt VALUES (3, 1, 't')"),
    ("attempt_follows", "INSERT INTO attempt VALUES (9, 1, 't')"),
    ("failure_is_of_the_last_attempt", "INSERT INTO failure VALUES (1, 1, 't')"),
    ("failure_is_of_the_last_attempt", "INSERT INTO failure VALUES (3, 2, 't')"),
    (
        "measurement_is_paid",
        "INSERT INTO measurement VALUES (9, 'view', 'discrete-laplace', 1, 0, x'')",
    ),
    ("shown_is_paid", "INSERT INTO shown VALUES (9, 5, x'5b5d')"),
    ("shown_is_paid", "INSERT INTO shown VALUES (4, 5, x'5b5d')"),  # without a delta
    ("release_is_sealed_once", "INSERT INTO release VALUES (9, '', x'', x'', 't')"),
    ("entry_follows", "INSERT INTO entry VALUES (99, 'z', 'eve', 'a', 'd', '', 'done', '', 0)"),
    (
        "entry_follows",
        "INSERT INTO entry SELECT max(seq) + 1, '2020', 'e', 'a', 'd', '', 'done', '', 0 FROM entry",
    ),
]


@pytest.fixture
def file(ledger: Ledger, ask: Ask, path: Path) -> Iterator[apsw.Connection]:
    ledger.register_table("clinic", "visits", 1, "patient_id", "11" * 32, "ola")
    ledger.register_table("pure", "trips", 1, "patient_id", "22" * 32, "ola", Currency.PURE)
    ledger.set_cap("clinic", Loss(120), DELTA, "sam", Delta(12))
    ledger.grant("ana", "clinic", Loss(100), "sam", Delta(10))
    ledger.grant("bob", "clinic", Loss(95), "sam", Delta(10))
    ledger.grant("dan", "nocap", Loss(95), "sam")
    ledger.set_cap("pure", Loss(120), Fraction(0), "sam")
    ledger.grant("ana", "pure", Loss(95), "sam")
    for number in (1, 2, 3):
        ledger.charge(ask(f"request-{number}", delta=Delta(2)))
    ledger.charge(ask("request-4", dataset="pure", currency=Currency.PURE))
    ledger.settle(
        "ana",
        "request-1",
        [("view", Measurement(RoundedGaussian(1, 0), (1,), ShownGroups(1, (("A",),))))],
        "b",
        b"",
    )
    ledger.fail("ana", "request-2")
    ledger.see_keychain(3)
    ledger.shred("ola", "clinic", "clinic.visits", [("clinic", "visits", 1, "age")])
    ledger.close()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA recursive_triggers = OFF")
    yield connection
    connection.close()


def refusal(file: apsw.Connection, statement: str) -> str:
    """The words SQLite refuses it with, or "" when it lets it through; undone."""
    file.execute("BEGIN")
    try:
        file.execute(statement)
    except apsw.ConstraintError as error:
        return str(error)
    finally:
        if file.in_transaction:
            file.execute("ROLLBACK")
    return ""


@pytest.mark.parametrize(
    ("trigger", "statement"), [*CASES.items(), *MORE], ids=lambda part: part[:40]
)
def test_a_trigger_refuses_what_it_is_for(
    file: apsw.Connection, trigger: str, statement: str
) -> None:
    """With its own words, and only it: dropped, the words are others or none."""
    words = refusal(file, statement)
    body = SCHEMA[SCHEMA.index(f"CREATE TRIGGER {trigger} ") :]
    own = re.search(r"RAISE\(ABORT, '([^']+)'", body)
    assert own is not None
    assert own[1] in words

    file.execute(f"DROP TRIGGER {trigger}")

    assert own[1] not in refusal(file, statement)


def test_every_trigger_has_a_case() -> None:
    """So that a new one is seen to fire before it is trusted."""
    assert set(CASES) | {"charge_is_spent"} == set(TRIGGERS)


def test_writing_a_charge_spends_it(file: apsw.Connection) -> None:
    """In the same statement, whoever writes it; without the trigger it would be free."""
    text = (
        "SELECT a.spent, c.spent, a.delta_spent, c.delta_spent FROM account AS a"
        " JOIN cap AS c USING (dataset) WHERE principal = 'ana' AND dataset = 'clinic'"
    )
    assert file.execute(text).fetchall() == [(30, 30, 6, 6)]
    file.execute(charge(5, cost=7))
    assert file.execute(text).fetchall() == [(37, 37, 6, 6)]
    file.execute(charge(6, request="newer", cost=0, delta=3))
    assert file.execute(text).fetchall() == [(37, 37, 9, 9)]

    file.execute("DROP TRIGGER charge_is_spent")
    file.execute(charge(7, request="newest", cost=7, delta=1))
    assert file.execute(text).fetchall() == [(37, 37, 9, 9)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO cap VALUES ('new', -1, 0, 0, 0, '1/2')",
        "INSERT INTO cap VALUES ('new', 1.5, 0, 0, 0, '1/2')",
        "INSERT INTO cap VALUES ('new', 1, 0, -1, 0, '1/2')",
        "INSERT INTO account VALUES ('', 'clinic', 1, 0, 0, 0)",
        "INSERT INTO dataset VALUES ('new', 'unit', 'zcdp')",
        charge(5, cost=-1),
        charge(5, delta=-1),
        charge(5).replace("zeroblob(32)", "zeroblob(31)"),
        "UPDATE cap SET cap = 29",
        "UPDATE cap SET delta_cap = 5",
        "UPDATE account SET granted = 29 WHERE principal = 'ana'",
        "UPDATE account SET delta_granted = 5 WHERE principal = 'ana'",
        "INSERT INTO attempt VALUES (2, 3, 't')",
        "INSERT INTO measurement VALUES (3, 'view', 'rounded-gaussian', 1, 0, x'00')",
        "INSERT INTO measurement VALUES (3, 'view', 'discrete-gaussian', 1, 0, x'')",
    ],
)
def test_a_value_out_of_range_is_refused_by_its_column(
    file: apsw.Connection, statement: str
) -> None:
    """Negative, fractional, empty, too short, below what is spent."""
    if "attempt VALUES (2, 3" in statement:
        file.execute("INSERT INTO attempt VALUES (2, 2, 't')")

    assert refusal(file, statement)
