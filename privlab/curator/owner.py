"""What owners and stewards do: bring in table versions, give budgets."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Iterable
from fractions import Fraction

from privlab.connector import contract as contracts
from privlab.connector.datakeys import DataKeys
from privlab.connector.lineage import KEY_LABEL, Lineage
from privlab.connector.manifest import MANIFEST_FILE, Manifest
from privlab.connector.parts import ROWS, UNITS, FileFacts, PartFacts, file_name
from privlab.connector.versions import disk_full_told
from privlab.curator.desk import Desk
from privlab.curator.epsilons import mu2
from privlab.errors import BadContract, BadQuery, PrivlabError, Refused
from privlab.policy.decide import Action, Request
from privlab.terms.catalog import Table
from privlab.terms.contract import Contract
from privlab.terms.loss import CERTAIN, NOTHING, Currency, Delta, Loss
from privlab.terms.principal import Principal, Role
from privlab.wire.owner import (
    Budgets,
    DatasetFacts,
    DatasetTable,
    Part,
    Prepare,
    Prepared,
    Register,
    Registered,
)
from privlab.wire.owner import (
    DataKeys as KeysMessage,
)


def prepare(desk: Desk, who: Principal, body: Prepare) -> Prepared:
    """Number the next version and derive its keys.

    Removes the manifest of a registration that never happened, if one is left.
    """
    stated = _contract(desk, body.contract).stated
    decide(desk, who, "register", stated.dataset, stated.name)
    with desk.registering:  # else the manifest of a registration under way could go
        version = _next_version(desk, stated)
        folder = desk.workspace.table_folder(stated.dataset, stated.name, version)
        (folder / MANIFEST_FILE).unlink(missing_ok=True)
    return Prepared(
        dataset=stated.dataset,
        table=stated.name,
        version=version,
        unit_key=text_of(desk.custody.derive("unit", stated.dataset)),
        order_key=text_of(desk.custody.derive("order", stated.dataset, stated.name, str(version))),
        folder=str(folder),
    )


def register(desk: Desk, who: Principal, body: Register) -> Registered:
    """Wrap the keys, sign the manifest, put the version into the ledger, and serve it.

    A manifest counts only once the ledger holds its digest.
    """
    with desk.registering, disk_full_told("the table"):
        return _registered(desk, who, body)


def _registered(desk: Desk, who: Principal, body: Register) -> Registered:
    contract = _contract(desk, body.contract)
    stated = contract.stated
    decide(desk, who, "register", stated.dataset, stated.name)
    expected = _next_version(desk, stated)
    if body.version != expected:
        raise BadContract(
            f"the next version of {stated.name} is {expected}, not {body.version}",
            code="PL151",
            hint="protect the file again",
        )
    table = contract.table(body.version)
    manifest = Manifest.wrapping(
        table,
        contract.text,
        parts_of(body.parts, body.version),
        keys_of(body.keys),
        desk.custody,
        desk.clock(),
        lineage=(lineage_of(desk, table, contract.text, body.tool, body.source),),
    )
    desk.ledger.see_keychain(desk.custody.generation)
    folder = desk.workspace.table_folder(stated.dataset, stated.name, body.version)
    manifest.verify_parts(folder)
    try:
        written = manifest.write(folder, desk.signer)
    except OSError:  # nobody can read the parts: their keys are in this manifest alone
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        desk.ledger.register_table(
            stated.dataset,
            stated.name,
            body.version,
            stated.unit,
            hashlib.sha256(written).hexdigest(),
            who.name,
            stated.currency,
        )
    except PrivlabError:
        (folder / MANIFEST_FILE).unlink(missing_ok=True)
        raise
    desk.reload()
    return Registered(dataset=stated.dataset, table=stated.name, version=body.version)


def set_budgets(desk: Desk, who: Principal, body: Budgets) -> DatasetFacts:
    """Set the cap and the grants, all or nothing, after the policy allowed each of them.

    :raises BudgetExceeded: PL210, PL211, an amount is below what is spent.
    """
    grants = {name: Loss.parse(units) for name, units in body.grants.items()}
    known = {person.name for person in desk.workspace.people}
    strangers = sorted(set(grants) - known)
    if strangers:
        raise Refused(
            f"this workspace does not know {', '.join(strangers)}",
            code="PL203",
            hint="add them to privlab.toml under [people], then restart the curator",
        )
    cap = Loss.parse(body.cap)
    currency = desk.ledger.currency(body.dataset) or Currency.GDP
    thresholds = _thresholds(body.thresholds)
    old = desk.ledger.cap(body.dataset)
    risk = (CERTAIN if old is None else old.delta_cap) if thresholds is None else thresholds
    decide(desk, who, "budget", body.dataset, "", amount=mu2(cap, currency), delta=risk)
    for name, amount in grants.items():
        given = mu2(amount, currency)
        decide(desk, who, "grant", body.dataset, "", grantee=name, amount=given, delta=risk)
    try:
        delta = Fraction(body.delta)
    except ZeroDivisionError:
        delta = Fraction(0)
    _facts(desk, body.dataset)  # an amount of a dataset without a currency means nothing
    desk.ledger.set_budget(body.dataset, cap, delta, grants, who.name, thresholds)
    return _facts(desk, body.dataset)


def _thresholds(units: str | None) -> Delta | None:
    """:raises BadQuery: PL108, it is one half or more."""
    try:
        return None if units is None else Delta(int(units))
    except ValueError:
        raise BadQuery(
            "thresholds may use up a part of delta, which is below one half", code="PL108"
        ) from None


def dataset_facts(desk: Desk, who: Principal, dataset: str) -> DatasetFacts:
    """What a budget is planned from: the contract and the accounts, never rows."""
    decide(desk, who, "budget", dataset, "")
    return _facts(desk, dataset)


def _facts(desk: Desk, dataset: str) -> DatasetFacts:
    members = [t for t in desk.catalog.tables if t.dataset == dataset]
    if not members:
        raise BadContract(
            f"there is no dataset {dataset}",
            code="PL152",
            hint="protect a table of it first: privlab protect FILE --contract CONTRACT",
        )
    cap = desk.ledger.cap(dataset)
    people = [p.name for p in desk.workspace.people]
    accounts = {name: desk.ledger.account(name, dataset) for name in people}
    return DatasetFacts(
        dataset=dataset,
        unit_word=members[0].unit_word,
        currency=str(members[0].currency),
        cap=(cap.cap if cap else NOTHING).text(),
        spent=(cap.spent if cap else NOTHING).text(),
        delta=str(cap.delta if cap else _usual_delta(members[0].currency)),
        thresholds=str(cap.delta_cap.units if cap else 0),
        thresholds_spent=str(cap.delta_spent.units if cap else 0),
        tables=tuple(
            DatasetTable(name=t.name, rows_per_unit=t.bound.rows, rows=t.rows) for t in members
        ),
        grants={name: a.granted.text() for name, a in accounts.items() if a is not None},
        people=tuple(p.name for p in desk.workspace.people if Role.ANALYST in p.roles),
    )


def _usual_delta(currency: Currency) -> Fraction:
    return Fraction(0) if currency is Currency.PURE else Fraction(1, 10**6)


def _contract(desk: Desk, text: str) -> Contract:
    """The contract, if its dataset can have such a table and no other has one of its name.

    :raises BadContract: PL150, also for another unit or currency than the dataset's.
    """
    contract = contracts.parse(text)
    stated = contract.stated
    desk.ledger.check_dataset(stated.dataset, stated.unit, stated.currency)
    twin = next(
        (
            dataset
            for dataset, name in desk.ledger.versions()
            if name == stated.name and dataset != stated.dataset
        ),
        None,
    )
    if twin is not None:
        raise BadContract(
            f"there is a table {stated.name} in the dataset {twin} already",
            hint="FROM names a table alone, so give this one another name",
        )
    return contract


def _next_version(desk: Desk, stated: Table) -> int:
    return desk.ledger.versions().get((stated.dataset, stated.name), 0) + 1


def decide(
    desk: Desk,
    who: Principal,
    action: Action,
    dataset: str,
    table: str,
    *,
    grantee: str = "",
    amount: Loss = NOTHING,
    delta: Delta = CERTAIN,
) -> None:
    request = Request(
        principal=who,
        action=action,
        dataset=dataset,
        table=table,
        grantee=grantee,
        amount=amount,
        delta=delta,
    )
    try:
        desk.policy.decide(request, desk.clock())
    except Refused as refusal:
        desk.ledger.deny(who.name, action, dataset, refusal.code)
        raise


def lineage_of(desk: Desk, table: Table, contract_text: str, tool: str, digest: str) -> Lineage:
    """What this version of a table brings; digest: of its source, "" if it has none."""
    key = desk.custody.derive(KEY_LABEL, table.dataset, table.name)
    return Lineage.of(key, table.version, tool, contract_text, digest)


def parts_of(parts: Iterable[Part], written: int) -> tuple[PartFacts, ...]:
    """The parts of a message, written in this version."""
    return tuple(
        PartFacts(
            part.bucket,
            written,
            *(
                FileFacts(file_name(kind, part.bucket), file.size, file.footer_sha256)
                for kind, file in ((ROWS, part.rows), (UNITS, part.units))
            ),
        )
        for part in parts
    )


def keys_of(keys: KeysMessage) -> DataKeys:
    """The data keys of a message."""
    return DataKeys(
        {name: base64.b64decode(key) for name, key in keys.columns.items()},
        {int(number): base64.b64decode(key) for number, key in keys.buckets.items()},
    )


def text_of(key: bytes) -> str:
    return base64.b64encode(key).decode()
