"""``privlab budget``: plan what a dataset may give, hand it out, see what is left."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from privlab.cli import terminal
from privlab.cli.meaning import meaning, thresholds_in
from privlab.errors import BadQuery
from privlab.terms.loss import Currency, Loss

if TYPE_CHECKING:
    from privlab.accounting.levels import BudgetPlan
    from privlab.client.owner import Owner
    from privlab.wire.owner import DatasetFacts


app = typer.Typer(help="Plan, hand out and see privacy budgets.", no_args_is_help=True)

Dataset = Annotated[str, typer.Argument(help="A dataset, as `privlab tables` lists it.")]


@app.command()
def plan(
    dataset: Dataset,
    analysts: Annotated[int, typer.Option(min=1, help="How many people will ask.")],
    questions: Annotated[int, typer.Option(min=1, help="How many questions each may ask.")],
    level: Annotated[str, typer.Option(help="careful, standard or open. Default: show all.")] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Set the cap, and a grant for each analyst.")
    ] = False,
) -> None:
    """Show what each level would mean; choose one.

    Everything shown comes from metadata alone. --write sets the chosen level's
    cap, and a grant for each analyst the workspace knows.

    Example: privlab budget plan clinic --analysts 3 --questions 100 --level standard --write
    """
    with terminal.curator_part():
        from privlab.accounting import levels
    from privlab.client.owner import Owner

    chosen = (levels.level(level),) if level else levels.LEVELS
    owner = Owner.connect()
    facts = owner.dataset(dataset)
    currency = Currency(facts.currency)
    plans = [levels.plan(one, analysts, questions, currency) for one in chosen]
    terminal.table(
        ("", *(p.level.name for p in plans)),
        meaning(plans, facts),
        right=range(1, len(plans) + 1),
        title=f"{dataset}: analysts {analysts}, questions for each {questions}",
    )
    for p in plans:
        terminal.say(f"{p.level.name}: {p.level.reason_in(currency)}")
    if not write:
        terminal.note("to choose one, add: --level LEVEL --write")
        return
    if len(plans) != 1:
        raise BadQuery(
            "--write needs one level", code="PL112", hint="add for example: --level standard"
        )
    _write(owner, facts, plans[0])


@app.command()
def show(
    dataset: Annotated[str, typer.Argument(help="A dataset to see as its steward.")] = "",
) -> None:
    """Show what is left of your grants.

    With DATASET, show its cap and everybody's grants, as its steward.

    Example: privlab budget show clinic
    """
    from privlab.client import show
    from privlab.client.owner import Owner
    from privlab.client.session import Session

    if not dataset:
        terminal.shown(show.budget_table(Session.connect().state()))
        return
    facts = Owner.connect().dataset(dataset)
    cap, unit = Loss.parse(facts.cap), _unit(facts)
    terminal.say(
        f"{dataset}: cap {unit} {_amount(cap)}, spent {_percent(Loss.parse(facts.spent), cap)} "
        f"of it, delta {facts.delta}"
    )
    if facts.thresholds != "0":
        risk, used = Loss.parse(facts.thresholds), Loss.parse(facts.thresholds_spent)
        part = Fraction(risk.units, 1 << 64) / Fraction(facts.delta)
        terminal.say(
            f"thresholds may use up {float(100 * part):.3g} % of delta, and used {_percent(used, risk)} "
            "of that"
        )
    grants = [
        (name, _amount(Loss.parse(units)), _percent(Loss.parse(units), cap))
        for name, units in facts.grants.items()
    ]
    terminal.table(("analyst", f"grant ({unit})", "of the cap"), grants, right=(1, 2))


@app.command()
def grant(
    dataset: Dataset,
    person: Annotated[str, typer.Argument(help="An analyst of privlab.toml.")],
    share: Annotated[str, typer.Option(help="Percent of the dataset's cap.")],
) -> None:
    """Give an analyst a share of a dataset's cap.

    It takes the place of the grant she had.

    Example: privlab budget grant clinic ana --share 10%
    """
    from privlab.client.owner import Owner

    part = share_of(share)
    owner = Owner.connect()
    facts = owner.dataset(dataset)
    cap = Loss.parse(facts.cap)
    if not cap:
        raise BadQuery(
            f"{dataset} has no cap yet, so there is nothing to share",
            code="PL112",
            hint=first_budget(facts),
        )
    given = Loss.budget(cap.amount * part)
    if not given:
        raise BadQuery(
            f"{share.strip()} of the cap of {dataset} is less than the least amount that is counted",
            code="PL108",
            hint=f"privlab budget grant {dataset} {person} --share 10%",
        )
    owner.set_budget(dataset, cap, Fraction(facts.delta), {person: given})
    terminal.say(
        f"{person} may cause {_unit(facts)} {_amount(given)} on {dataset}, "
        f"{share.strip()} of its cap"
    )


@app.command()
def thresholds(
    dataset: Dataset,
    share: Annotated[str, typer.Option(help="Percent of the dataset's delta, below 100.")],
) -> None:
    """Let questions group by keys that are not public: set what that may use up of delta.

    Which groups are shown is then decided by a threshold, and each time a part of
    delta is used up: the chance that a group only one unit is in is shown.  Analysts
    share it as they share the cap.

    Example: privlab budget thresholds clinic --share 10%
    """
    with terminal.curator_part():
        from privlab.accounting.levels import thresholds_of
    from privlab.client.owner import Owner

    part = share_of(share)
    owner = Owner.connect()
    facts = owner.dataset(dataset)
    delta = Fraction(facts.delta)
    if facts.currency == Currency.PURE:
        raise BadQuery(
            f"{dataset} is pure: it has no delta, so no threshold",
            code="PL112",
            hint="list the keys in the contract",
        )
    if facts.cap == "0":
        raise BadQuery(f"{dataset} has no cap yet", code="PL112", hint=first_budget(facts))
    grants = {name: Loss.parse(units) for name, units in facts.grants.items()}
    owner.set_budget(dataset, Loss.parse(facts.cap), delta, grants, thresholds_of(delta, part))
    terminal.say(
        f"thresholds may use up {share.strip()} of the delta of {dataset}, and every analyst the "
        "part of it that her grant is of the cap"
    )


def first_budget(facts: DatasetFacts) -> str:
    """The command that gives a dataset its first budget; it works as it stands."""
    analysts = max(1, len(facts.people))
    return (
        f"privlab budget plan {facts.dataset} --analysts {analysts} --questions 100 "
        "--level standard --write"
    )


def share_of(text: str) -> Fraction:
    """``10%`` or ``10`` as a tenth: a decimal, neither tiny nor of many digits.

    :raises BadQuery: PL108, not a percentage above 0 and up to 100.
    """
    try:
        percentage = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        percentage = Decimal(0)
    # The exponent is bounded before it is a Fraction, which writes out every digit of it.
    written = percentage.is_finite() and -30 <= percentage.adjusted() <= 2
    part = Fraction(0)
    if written and len(percentage.as_tuple().digits) <= 60:
        part = Fraction(percentage) / 100
    if not 0 < part <= 1:
        raise BadQuery(
            f"{text[:40]!r} is not a share",
            code="PL108",
            hint="write a percentage, for example 10%",
        )
    return part


def _write(owner: Owner, facts: DatasetFacts, chosen: BudgetPlan) -> None:
    people = facts.people
    if len(people) > chosen.analysts:
        raise BadQuery(
            f"the workspace knows {len(people)} analysts, and the plan is for {chosen.analysts}",
            code="PL112",
            hint=f"--analysts {len(people)}, or grant by name: "
            f"privlab budget grant {facts.dataset} PERSON --share 10%",
        )
    owner.set_budget(
        facts.dataset,
        chosen.cap,
        Fraction(facts.delta),
        dict.fromkeys(people, chosen.grant),
        thresholds_in(facts),
    )
    names = ", ".join(people) or "nobody yet: the workspace knows no analyst"
    terminal.say(f"written: {facts.dataset} at {chosen.level.name}; granted to {names}")


def _unit(facts: DatasetFacts) -> str:
    return "ε" if facts.currency == Currency.PURE else "mu²"


def _amount(loss: Loss) -> str:
    return f"{float(loss.amount):.4g}"


def _percent(part: Loss, whole: Loss) -> str:
    """Rounded up: a spending is never told as less than it is."""
    return f"{math.ceil(Fraction(1000 * part.units, whole.units)) / 10:.1f} %" if whole else "none"
