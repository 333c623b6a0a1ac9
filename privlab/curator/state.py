"""What may be seen without spending: the catalog, the meters, the history."""

from __future__ import annotations

import difflib
from fractions import Fraction

from privlab.curator.bounds import bounded
from privlab.curator.desk import Desk
from privlab.curator.epsilons import delta_text, epsilon_text, mu2
from privlab.curator.receipts import percent, remaining
from privlab.curator.wish import Wish
from privlab.errors import BadQuery, PolicyDenied
from privlab.ledger import accounts
from privlab.policy.decide import Request
from privlab.query.ask import Source, Span, Surface
from privlab.query.passes.key_space import key_space
from privlab.query.plan import Ref
from privlab.query.words import plural
from privlab.release.statement import reads
from privlab.release.verify import verify
from privlab.terms.catalog import Column, Table
from privlab.terms.loss import NOTHING, Currency, Loss
from privlab.terms.principal import Principal
from privlab.wire.messages import Account, ColumnFacts, Released, State, TableFacts

HISTORY = 50
DELTA = Fraction(1, 10**6)
"""For display where a dataset has no cap yet."""


def tables(desk: Desk, who: Principal) -> tuple[TableFacts, ...]:
    """Every table whose description the policy lets this principal read."""
    return tuple(_facts(t) for t in desk.catalog.tables if _may_describe(desk, who, t))


def table(desk: Desk, who: Principal, name: str) -> TableFacts:
    """One table, by name or by ``dataset.table``, with bounds that she measured herself.

    :raises BadQuery: PL102, with the nearest name.
    """
    found = desk.catalog.table(name)
    if found is None:
        names = [t.name for t in desk.catalog.tables]
        near = difflib.get_close_matches(name, names, n=1)
        raise BadQuery(
            f"there is no table {name}",
            code="PL102",
            hint=f"did you mean {near[0]}?" if near else "list the tables with: %private tables",
        )
    desk.policy.decide(_describe(who, found), desk.clock())
    return _facts(bounded(desk, who, found))


def state(desk: Desk, who: Principal) -> State:
    """The meters and the latest releases of this principal, from her accounts alone."""
    seq = desk.ledger.changes(who.name)
    held = desk.ledger.accounts(who.name)
    granted = {account.dataset: account.granted for account in held}
    return State(
        seq=seq,
        principal=who.name,
        accounts=tuple(_meter(desk, account) for account in held),
        releases=tuple(
            Released(
                id=row.request_id,
                at=row.at,
                dataset=row.dataset,
                title=row.title,
                question=row.text,
                charged=row.cost.text(),
                charged_share=percent(row.cost, granted.get(row.dataset, NOTHING)),
                purpose=row.purpose,
            )
            for row in desk.ledger.history(who.name, HISTORY)
        ),
    )


def bundle(desk: Desk, who: Principal, request: str) -> str:
    """The sealed bundle of an earlier request of this principal, if she may still see it.

    The policy judges over all columns it read, as it would judge the question
    today.

    :raises BadQuery: PL306, she has no release of this id.
    :raises PolicyDenied: the policy has changed since.
    """
    found = desk.ledger.bundle(who.name, request)
    if found is None:
        raise BadQuery("you have no release of this id", code="PL306", hint="see: %private history")
    facts = verify(found, desk.signer.public).facts
    dataset = facts["dataset"]["name"]
    wish = Wish(
        principal=who,
        dataset=dataset,
        reads=reads(facts),
        purpose=facts["question"]["purpose"],
        held_after=mu2(
            Loss.parse(facts["loss"]["held"]), desk.ledger.currency(dataset) or Currency.GDP
        ),
    )
    try:
        wish.permitted(desk.policy, desk.catalog, desk.clock())
    except PolicyDenied as refusal:
        desk.ledger.deny(who.name, "query", dataset, refusal.code, subject=request)
        raise
    return found


def _meter(desk: Desk, account: accounts.Account) -> Account:
    cap = desk.ledger.cap(account.dataset)
    delta = cap.delta if cap is not None else DELTA
    currency = desk.ledger.currency(account.dataset) or Currency.GDP
    left = remaining(account.granted - account.spent, account.granted)
    return Account(
        dataset=account.dataset,
        granted=account.granted.text(),
        spent=account.spent.text(),
        left_share=left,
        epsilon_spent=epsilon_text(account.spent, currency, delta, 2, account.delta_spent),
        epsilon_granted=epsilon_text(account.granted, currency, delta, 2, account.delta_granted),
        delta=delta_text(delta, currency),
        words=f"{left} left",
    )


def _may_describe(desk: Desk, who: Principal, found: Table) -> bool:
    try:
        desk.policy.decide(_describe(who, found), desk.clock())
    except PolicyDenied:
        return False
    return True


def _describe(who: Principal, found: Table) -> Request:
    return Request(
        principal=who,
        action="describe",
        dataset=found.dataset,
        table=found.name,
        withheld=frozenset(c.name for c in found.columns if c.withheld),
        purposes=found.purposes,
        sensitivity=found.sensitivity,
    )


def _facts(found: Table) -> TableFacts:
    bound = found.bound
    words = f"at most {_counted(bound.rows, 'row')} per {found.unit_word}"
    if bound.rows_per_group < bound.rows:
        words += f", {bound.rows_per_group} in one group"
    if bound.groups < bound.rows:
        words += f", {_counted(bound.groups, 'group')}"
    return TableFacts(
        dataset=found.dataset,
        name=found.name,
        version=found.version,
        unit=found.unit,
        unit_word=found.unit_word,
        bound=words,
        currency=str(found.currency),
        rows="not stated" if found.rows is None else f"about {found.rows:,} (stated)",
        synthetic=found.synthetic,
        about=found.about,
        purposes=found.purposes,
        columns=tuple(_column(found, column) for column in found.columns),
    )


def _column(found: Table, column: Column) -> ColumnFacts:
    return ColumnFacts(
        name=column.name,
        kind=str(column.kind),
        facts=_stated(found, column),
        key=_can_group(found, column),
        withheld=column.withheld,
        about=column.about,
        stated=column.low is not None and column.high is not None,
        measured=column.measured,
    )


def _can_group(found: Table, column: Column) -> bool:
    """Whether the contract makes this column, or its calendar, a public key."""
    if column.withheld or column.name == found.unit:
        return False
    if column.kind.is_time:
        return column.low is not None or column.keys is not None
    try:
        key_space(Ref(column.name, column.kind), found, None, Source("", Surface.SQL), Span(0, 0))
    except BadQuery:
        return False
    return True


def _stated(found: Table, column: Column) -> str:
    if column.name == found.unit:
        return f"the privacy unit: COUNT(DISTINCT {column.name}), joins, one row of each {found.unit_word}"
    if column.withheld:
        return "withheld"
    facts: list[str] = []
    if column.keys is not None:
        shown = ", ".join(str(k) for k in column.keys[:6])
        more = len(column.keys) - 6
        facts.append(shown if more <= 0 else f"{shown} and {more} more")
    elif column.low is not None and column.high is not None:
        facts.append(f"{_number(column.low)} to {_number(column.high)}")
        if column.step is not None:
            facts.append(f"in steps of {_number(column.step)}")
    elif column.found is not None:
        ends = f"{_number(column.found.low)} to {_number(column.found.high)}"
        facts.append(f"{ends}, from {column.found.words}")
    elif column.searched:
        facts.append(f"no bounds yet: {column.searched} was too coarse")
    facts.append("may be null" if column.nullable else "never null")
    return "; ".join(facts)


def _number(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
    return str(value)


def _counted(count: int, word: str) -> str:
    return f"{count} {word if count == 1 else plural(word)}"
