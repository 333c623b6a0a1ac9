"""Bring the measures of a plan into an order that no analyst chose."""

from __future__ import annotations

from dataclasses import replace

from privlab.query.canonical import canonical_text, encode_measure
from privlab.query.plan import Finish, KeyOut, MeanOut, MeasureOut, Out, Plan, Question


def order_measures(plan: Plan, finish: Finish) -> Question:
    """The question with its measures sorted, and its outputs pointing at them still.

    Before                                 After
    ------                                 -----
    measures: sum of stay, rows            measures: rows, sum of stay
    outputs: mean of 0 over 1              outputs: mean of 1 over 0
    """
    order = sorted(
        range(len(plan.measures)), key=lambda at: canonical_text(encode_measure(plan.measures[at]))
    )
    place = {old: new for new, old in enumerate(order)}

    def moved(out: Out) -> Out:
        match out:
            case MeasureOut(index=index):
                return MeasureOut(place[index])
            case MeanOut(total=total, count=count):
                return MeanOut(place[total], place[count])
            case KeyOut():
                return out

    return Question(
        replace(plan, measures=tuple(plan.measures[at] for at in order)),
        replace(
            finish,
            outputs=tuple(replace(one, out=moved(one.out)) for one in finish.outputs),
            having=tuple(replace(test, out=moved(test.out)) for test in finish.having),
        ),
    )
