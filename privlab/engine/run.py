"""Rows to noisy integers: what leaves the process that rows are in.

`Work` bounds and sums, batch by batch.  Then noise and choices, and only they leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from privlab.engine.found import Found, of_measures
from privlab.engine.job import Job
from privlab.engine.samples import Exact, Ints
from privlab.engine.sources import rows_of
from privlab.engine.stored import batches
from privlab.engine.work import Opener, Work
from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import Words
from privlab.mechanisms.quantile import quantile
from privlab.mechanisms.quantiles import quantiles
from privlab.mechanisms.thinned import thinned
from privlab.query.labels import encode_labels, place_of
from privlab.query.plan import Measure, Plan
from privlab.terms.noise import Choice, Flip, Mechanism


def warm() -> None:
    """Nothing left to import or compile when a job comes."""
    with Words() as words:
        words.take(1)


def release(job: Job) -> Any:
    """What `Released.decode` reads: all that may leave this process.

    :raises IntegrityError: a part is not the one signed.
    """
    if job.threshold is not None:
        return shown(job.plan, job.noises, job.threshold, find(job))
    return hidden(job.plan, job.noises, measure(job))


def hidden(plan: Plan, noises: Sequence[Mechanism], exact: Exact) -> list[list[int]]:
    """``exact`` behind its noise, or what was chosen of it: one vector per measure."""
    released: list[list[int]] = []
    size = exact.sums.shape[1]
    together: dict[Measure, list[list[int]]] = {}
    for j, (one, mechanism) in enumerate(zip(plan.measures, noises, strict=True)):
        with Words() as words:
            if isinstance(mechanism, Choice):
                key = replace(one, q=None)
                if not one.among or key not in together:
                    cells = exact.samples[j].by_cell(size)
                    together[key] = [chosen(one, values, mechanism, words) for values in cells]
                at = one.among.index(one.q) if one.q is not None and one.among else 0
                released.append([answers[at] for answers in together[key]])
            else:
                row = np.ascontiguousarray(exact.sums[j])
                released.append(add_noise(row, mechanism, words).tolist())
    return released


def chosen(one: Measure, values: Ints, choice: Choice, words: Words) -> list[int]:
    """A quantile of one group's values, in steps, or all that it is chosen among."""
    if one.q is None:
        raise TypeError("only a quantile is chosen")
    low, high = int(one.low / one.step), int(one.high / one.step)
    inside = np.clip(values, low, high)
    if one.among:
        return quantiles(inside, low, high, one.among, choice.epsilon, words)
    if type(choice) is Flip:
        return [thinned(inside, low, high, one.q, choice.epsilon, one.size, words)]
    return [quantile(inside, low, high, one.q, choice.epsilon, words)]


def shown(plan: Plan, noises: Sequence[Mechanism], threshold: int, found: Found) -> dict[str, Any]:
    """The groups whose noisy count of units reaches the threshold, behind their noise.

    A group that nobody counts in is none: it may be there for a unit that is in more
    groups than count, of which there can be any number.  Every other has noise of its
    own, and which are shown follows from noisy counts and labels alone.  Of the
    others nothing is kept, not even how many there were.
    """
    at = plan.tested
    found = found.only(np.flatnonzero(found.exact.sums[at] > 0))
    count = replace(plan, measures=(plan.measures[at],))
    (noisy,) = hidden(count, (noises[at],), of_measures(found.exact, [at]))
    counts = np.array(noisy, dtype=np.int64)
    reached = np.flatnonzero(counts >= threshold)
    largest = reached[np.argsort(-counts[reached], kind="stable")][: plan.cells]
    labels = found.labels_of(plan, largest)
    order = sorted(range(len(labels)), key=lambda place: place_of(labels[place]))
    places = largest[order] if order else largest
    found, counts = found.only(places), counts[places]
    others = [j for j in range(len(plan.measures)) if j != at]
    vectors = iter(
        hidden(
            replace(plan, measures=tuple(plan.measures[j] for j in others)),
            [noises[j] for j in others],
            of_measures(found.exact, others),
        )
    )
    return {
        "labels": encode_labels([labels[place] for place in order]),
        "vectors": [
            counts.tolist() if j == at else next(vectors) for j in range(len(plan.measures))
        ],
    }


def measure(job: Job) -> Exact:
    """The exact sums and samples: secret.

    :raises IntegrityError: a part is not the one signed.
    """
    return Work.of(job.plan, job.bounding_key).exact(openers(job))


def find(job: Job) -> Found:
    """The groups that rows hold, and the exact sums and samples of each: secret.

    :raises IntegrityError: a part is not the one signed.
    """
    return Work.of(job.plan, job.bounding_key).find(openers(job))


def openers(job: Job) -> list[Opener]:
    """What opens each range of units."""
    return [partial(rows_of, job, batch) for batch in batches(job.tables)]
