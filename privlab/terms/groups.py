"""What a threshold let through: the groups that are shown, and where it stood."""

from __future__ import annotations

from dataclasses import dataclass, field

from privlab.terms.catalog import Scalar

Label = tuple[Scalar | None, ...]
"""The key values of one group, outermost first; None is the group of null."""


@dataclass(frozen=True, slots=True)
class ShownGroups:
    """The groups of one measurement whose noisy count of units reached ``threshold``.

    labels: in the order of their values, each once.  They are values of rows: shown
    in an answer, and in no log, error or metric.
    """

    threshold: int
    labels: tuple[Label, ...] = field(repr=False)
