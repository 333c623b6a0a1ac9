"""Bring the measures of a plan into an order that no analyst chose."""

from __future__ import annotations

from dataclasses import replace

from privlab.query.canonical import encode_measure
from privlab.query.encoding import canonical_text
from privlab.query.plan import Finish, Plan, Question
from privlab.query.post.shapes import normal
from privlab.query.post.tree import Order, Out, moved


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

    def there(outs: tuple[Out, ...]) -> tuple[Out, ...]:
        return tuple(normal(moved(one, place)) for one in outs)

    return Question(
        replace(plan, measures=tuple(plan.measures[at] for at in order)),
        replace(
            finish,
            outputs=tuple(
                replace(one, out=normal(moved(one.out, place))) for one in finish.outputs
            ),
            having=there(finish.having),
            qualify=there(finish.qualify),
            order=tuple(
                Order(normal(moved(one.by, place)), one.descending) for one in finish.order
            ),
        ),
    )
