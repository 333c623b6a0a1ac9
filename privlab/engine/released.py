"""What one run lets out, and the strict reading of it: a child is not believed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Protocol

from privlab.query.labels import decode_labels
from privlab.query.plan import Plan
from privlab.terms.groups import Label


@dataclass(frozen=True, slots=True)
class Released:
    """What one run let out: a vector per measure, in steps, and whose cells they are.

    labels: where a threshold showed groups, theirs; else None: the plan's cells.
    """

    vectors: tuple[tuple[int, ...], ...]
    labels: tuple[Label, ...] | None = field(default=None, repr=False)

    @classmethod
    def decode(cls, raw: bytes, job: RunJob) -> Released:
        """Read a child's answer, strictly.

        :raises ValueError: it is not one to this job.
        """
        value, plan = json.loads(raw), job.plan
        labels = None
        size = plan.cells
        if job.threshold is not None:
            if not isinstance(value, dict) or set(value) != {"labels", "vectors"}:
                raise ValueError("not groups with their vectors")
            labels = decode_labels(value["labels"], plan.keys)
            value, size = value["vectors"], len(labels)
            if size > plan.cells:
                raise ValueError("more groups than are shown")
        if not isinstance(value, list) or len(value) != len(plan.measures):
            raise ValueError("not one vector per measure")
        for vector in value:
            if not isinstance(vector, list) or len(vector) != size:
                raise ValueError("not one value per cell")
            if not all(type(cell) is int and _MIN <= cell <= _MAX for cell in vector):
                raise ValueError("not a 64-bit integer")
        if job.threshold is not None and min(value[plan.tested], default=_MAX) < job.threshold:
            raise ValueError("a group that its threshold hides")
        return cls(tuple(map(tuple, value)), labels)


class RunJob(Protocol):
    """What an answer is read by."""

    @property
    def plan(self) -> Plan: ...
    @property
    def threshold(self) -> int | None: ...


_MIN, _MAX = -(1 << 63), (1 << 63) - 1
