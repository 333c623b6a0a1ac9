"""The script of ``docs/spec/ledger.md``, call by call."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path

from privlab.errors import PrivlabError
from privlab.ledger.accounts import ChargeRequest
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss

from .conftest import DELTA, Clock

STEPS = json.loads((Path(__file__).parents[1] / "vectors" / "ledger.json").read_text("utf-8"))


def perform(ledger: Ledger, step: dict[str, str]) -> str:
    """Make one call; its outcome as the script spells it."""
    who, name, dataset = (step.get(key, "") for key in ("principal", "id", "dataset"))
    dataset = dataset or "clinic"
    currency = Currency(step.get("currency", "gdp"))
    delta = Delta(int(step["delta"])) if "delta" in step else None
    match step["call"]:
        case "grant":
            ledger.grant(who, dataset, Loss.parse(step["amount"]), "sam", delta)
        case "cap":
            shown = DELTA if dataset == "clinic" else Fraction(0)
            ledger.set_cap(dataset, Loss.parse(step["amount"]), shown, "sam", delta)
        case "register":
            table, version = step["table"], int(step["version"])
            ledger.register_table(dataset, table, version, "unit", "11" * 32, "ola", currency)
        case "charge":
            return ledger.charge(
                ChargeRequest(
                    principal=who,
                    request_id=name,
                    body=hashlib.sha256(step["body"].encode()).digest(),
                    dataset=dataset,
                    question_id="question",
                    cost=Loss.parse(step["cost"]),
                    delta=delta or CERTAIN,
                    currency=currency,
                    purpose="care",
                )
            )
        case "settle":
            ledger.settle(who, name, [], "bundle", b"answer")
        case "fail":
            ledger.fail(who, name)
        case "find":
            found = ledger.find(who, name)
            return found.state if found else "unknown"
        case call:
            raise AssertionError(call)
    return "done"


def test_the_published_script_has_these_outcomes(path: Path, clock: Clock) -> None:
    """A restart in the middle is a crash: nothing was said to the ledger."""
    ledger = Ledger.open(path, clock=clock)
    for number, step in enumerate(STEPS["steps"]):
        if step["call"] == "restart":
            ledger.close()
            ledger = Ledger.open(path, clock=clock)
            continue
        if step["call"] == "spent":
            account, cap = ledger.account(step["principal"], "clinic"), ledger.cap("clinic")
            assert account is not None
            assert cap is not None
            assert (account.spent.text(), cap.spent.text()) == (step["account"], step["dataset"])
            continue
        try:
            outcome = perform(ledger, step)
        except PrivlabError as refusal:
            outcome = refusal.code
        assert outcome == step["outcome"], f"step {number}: {step}"
    ledger.close()
