"""privlab with one thing wrong about groups that rows hold: what record and replay must see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from privlab.engine import run
from privlab.engine.found import Found
from privlab.query import price
from privlab.query.plan import MeasureKind, Plan
from privlab.terms.events import ThresholdEvent
from tests.attack.asking import Asking
from tests.attack.bugs import DAYS, GROUPS, UNBOUNDED, Bug, _kernel, _of
from tests.attack.record import Kind

_find, _shown, _tested = run.find, run.shown, price.tested
ROWS = Asking("SELECT big, COUNT(*) AS n FROM visits GROUP BY big", DAYS)
BY_BIG = Asking("SELECT big, COUNT(*) AS n FROM visits GROUP BY big", GROUPS)
BY_DAY = Asking("SELECT DATE_TRUNC('hour', at) AS h, COUNT(*) AS n FROM visits GROUP BY h", GROUPS)


def _everybody_counts(plan: Plan, noises: Any, threshold: int, found: Found) -> Any:
    """Groups in which nobody counts are groups as well."""
    sums = found.exact.sums.copy()
    sums[plan.tested] += 1
    return _shown(plan, noises, threshold, replace(found, exact=replace(found.exact, sums=sums)))


def _rows_tested(plan: Plan, noises: Any, threshold: int, found: Found) -> Any:
    """Rows are tested where units were paid for."""
    rows = next(j for j, one in enumerate(plan.measures) if one.kind is MeasureKind.ROWS)
    sums = found.exact.sums.copy()
    sums[plan.tested] = sums[rows]
    return _shown(plan, noises, threshold, replace(found, exact=replace(found.exact, sums=sums)))


def _tells_hidden(plan: Plan, noises: Any, threshold: int, found: Found) -> Any:
    """The last value says how many groups there are."""
    told = _shown(plan, noises, threshold, found)
    if told["labels"]:
        told["vectors"][0][-1] += found.labels.height
    return told


def _exact_test(plan: Plan, noises: Any, threshold: int, found: Found) -> Any:
    """Only groups of many units are tested: a floor on exact counts."""
    many = np.flatnonzero(found.exact.sums[plan.tested] >= 13)
    return _shown(plan, noises, threshold, found.only(many))


def _for_one_group(question: Any, noise: Any, *rest: Any) -> ThresholdEvent:
    """A delta as if one unit were in one group."""
    bound = replace(question.plan.bound, groups=1)
    event = _tested(replace(question, plan=replace(question.plan, bound=bound)), noise, *rest)
    return replace(event, groups=question.plan.bound.groups)


def _for_fewer_groups(question: Any, noise: Any, *rest: Any) -> ThresholdEvent:
    """The event of a unit that is in one group."""
    bound = replace(question.plan.bound, groups=1)
    return _tested(replace(question, plan=replace(question.plan, bound=bound)), noise, *rest)


MADE = _of(Kind.FOUND)
FLOOR = Bug("a floor on exact counts", BY_BIG, MADE, ((run, "shown", _exact_test),))
"""Seen only where one unit crosses it: in a crowd of 13, which is made by hand."""

DRAWN_BUGS = (
    Bug("groups in which nobody counts are tested", BY_BIG, MADE, ((run, "shown", _everybody_counts),)),
    Bug("the bound on found groups is forgotten", BY_BIG, MADE, (_kernel(groups=UNBOUNDED),)),
    Bug("rows are tested", ROWS, _of(Kind.DISTANCE, Kind.FOUND), ((run, "shown", _rows_tested),)),
    Bug("the number of groups is told", BY_BIG, _of(Kind.SHOWN), ((run, "shown", _tells_hidden),)),
    Bug("a delta for one group of many", BY_BIG, _of(Kind.DECLARED), ((price, "tested", _for_one_group),)),
    Bug("a threshold for one group of many", BY_BIG, MADE, ((price, "tested", _for_fewer_groups),)),
)  # fmt: skip
FOUND_BUGS = (*DRAWN_BUGS, FLOOR)
