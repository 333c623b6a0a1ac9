"""The canonical plan: what is measured, and what is made of it afterwards.

A `Plan` is all that touches rows: take the rows of a `Relation`, filter, form
public groups, and per privacy unit a bounded integer vector summed per group, or
one value per group to choose a quantile of.  A `Finish` is all that happens
afterwards to released numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from privlab.query.expr import Call as Call
from privlab.query.expr import Expr as Expr
from privlab.query.expr import Literal as Literal
from privlab.query.expr import Op as Op
from privlab.query.expr import Ref as Ref
from privlab.query.expr import columns_read
from privlab.query.post.tree import Finish as Finish
from privlab.query.post.tree import KeyOut as KeyOut
from privlab.query.post.tree import MeanOut as MeanOut
from privlab.query.post.tree import MeasureOut as MeasureOut
from privlab.query.post.tree import Order as Order
from privlab.query.post.tree import Out as Out
from privlab.query.post.tree import Output as Output
from privlab.query.relations import Relation, Scan, reads, scans
from privlab.query.shares import Share, largest
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind, Scalar
from privlab.terms.loss import Currency

MOST_SHOWN = 10_000
"""Groups of unknown keys that one answer shows at most: those with the largest noisy counts."""

MOST_LABEL = 200
"""Characters of an unknown key's text; a row with a longer one belongs to no group."""


@dataclass(frozen=True, slots=True)
class Key:
    """A group key with its public cells, in the order they are reported.

    values may hold None for the cell of null keys.  A row whose key is in no
    cell belongs to no group.  No values at all: they are not public, and a
    threshold decides which of them are shown.
    """

    expr: Expr
    kind: Kind
    values: tuple[Scalar | None, ...]

    @property
    def public(self) -> bool:
        """Whether its values are known without looking at rows."""
        return bool(self.values)


class MeasureKind(StrEnum):
    """What one privacy unit adds to a group."""

    ROWS = "rows"  # its rows, or its rows where `of` is neither null nor NaN
    UNITS = "units"  # one
    SUM = "sum"  # the sum of its coded values
    DISTINCT = "distinct"  # the values of `of` in its rows, as far as no other unit has them
    QUANTILE = "quantile"  # the coded value of one of its rows, to choose a quantile of


@dataclass(frozen=True, slots=True)
class Measure:
    """One integer vector with a cell per group.

    For SUM a row adds ``floor((clamp(of, low, high) - centre) / step + 0.5)``,
    an integer in [-radius, radius]; rows where ``of`` is null or NaN add nothing.
    low, high and centre are whole multiples of step.  ``centre`` is zero unless
    the decoder adds ``centre`` times a charged noisy count back.
    For ROWS, UNITS and DISTINCT: low 0, high 1, step 1, centre 0.

    share: of a SUM that is one of several (`shares`): the low end is its centre, and a
    row adds that share of its coded value instead of the value.

    QUANTILE is no sum: a group's cell is a whole number of steps from low to high,
    chosen near the q-quantile of its values, one of each unit in the group.  among:
    the rising qs of all that are chosen together, its own included; a unit takes part
    in `levels` choices of each of its groups (`mechanisms.quantiles`).  size: about how many
    values the table is declared to have, at least 1, where it is chosen by permute-and-flip
    (`mechanisms.thinned`); 0 where it is not.
    """

    kind: MeasureKind
    of: Expr | None = None
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(1)
    step: Fraction = Fraction(1)
    centre: Fraction = Fraction(0)
    q: Fraction | None = None
    share: Share | None = None
    among: tuple[Fraction, ...] = ()
    size: int = 0

    @property
    def levels(self) -> int:
        """Of a quantile: how many choices one unit in a group takes part in."""
        return max(1, len(self.among).bit_length())

    @property
    def chosen(self) -> bool:
        """Whether its cells are chosen; nothing is added to them."""
        return self.kind is MeasureKind.QUANTILE

    @property
    def candidates(self) -> int:
        """How many answers a quantile has."""
        return int((self.high - self.low) / self.step) + 1

    @property
    def reach(self) -> int:
        """The largest absolute coded value, in steps."""
        reach = max(abs(self.low - self.centre), abs(self.high - self.centre)) / self.step
        if reach.denominator != 1:
            raise ValueError("low, high and centre must be multiples of step")
        return int(reach)

    @property
    def radius(self) -> int:
        """The largest absolute value one row can add; in steps, but for a share."""
        return self.reach if self.share is None else largest(self.share, self.reach)

    def squared_sensitivity(self, bound: ContributionBound) -> int:
        """D2 in squared steps, for a bound that is already `for_cells`.

        Of a quantile: the groups in which one unit can move all scores by one, on
        each level anew.
        """
        if self.kind in (MeasureKind.UNITS, MeasureKind.QUANTILE):
            return bound.groups * self.levels
        return bound.squared_rows * self.radius**2

    def sensitivity(self, bound: ContributionBound) -> int:
        """D1, the L1 sensitivity in steps, for a bound that is already `for_cells`.

        Of a quantile: as `squared_sensitivity`.
        """
        if self.kind in (MeasureKind.UNITS, MeasureKind.QUANTILE):
            return bound.groups * self.levels
        return bound.most_rows * self.radius


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that touches rows.

    source: the rows; its private tables are all of the dataset.
    bound: of one unit's rows there, already narrowed by `for_cells`.
    row_cap: of the rows there.
    keys: outermost first; the cells are their product, last key fastest.  Where one
    of them is not public, the groups are the combinations that rows hold, and
    `tested` is among the measures.
    bounds_from: the ids, rising, of the views from which bounds of values were found, which
    the contract does not state.  They say where numbers of the plan come from; what is
    measured does not depend on them, so that no view's id does.
    """

    dataset: str
    unit: str
    source: Relation
    bound: ContributionBound
    row_cap: int
    where: Expr | None
    keys: tuple[Key, ...]
    measures: tuple[Measure, ...]
    bounds_from: tuple[str, ...] = ()

    @property
    def named(self) -> frozenset[str]:
        """Every column of ``source`` that is looked at after it, but for the unit's pseudonym."""
        return columns_read(
            self.where, *(key.expr for key in self.keys), *(one.of for one in self.measures)
        )

    @property
    def tables(self) -> tuple[Scan, ...]:
        """The private table versions that are read, each once; at least one."""
        return scans(self.source)

    @property
    def reads(self) -> Mapping[str, frozenset[str]]:
        """Per private table, every column whose values are read, but for the unit's pseudonym."""
        return reads(self.source, self.named)

    @property
    def table(self) -> str:
        """The table the others are joined to; its bounding key is the plan's."""
        return self.tables[0].table

    @property
    def version(self) -> int:
        """Of `table`."""
        return self.tables[0].version

    @property
    def thresholded(self) -> bool:
        """Whether a threshold decides which groups are shown: some key is not public."""
        return not all(key.public for key in self.keys)

    @property
    def tested(self) -> int:
        """The place of the count of units that decides which groups are shown."""
        return self.measures.index(Measure(MeasureKind.UNITS))

    @property
    def cells(self) -> int:
        """Number of groups; 1 when there are no keys.  The most there can be, if thresholded."""
        if self.thresholded:
            return max(1, min(self.row_cap, MOST_SHOWN))
        count = 1
        for key in self.keys:
            count *= len(key.values)
        return count

    @property
    def columns(self) -> frozenset[str]:
        """Every column of `table` whose values are read."""
        return self.reads[self.table]


@dataclass(frozen=True, slots=True)
class Question:
    """A plan and its finish: all of what was asked, without the price.

    rows, units: the table's declared, public, approximate size, to price a mean with.
    notes: what the asker may not have meant, as far as the contract tells.
    currency: of the dataset, which says what noise is drawn and what it costs.
    sql: how it was typed, and is to be talked about; else Polars.
    public: the names of the asker's frames that it reads, sorted.
    said: pairs of a column of the plan and what its asker calls it.
    None of them is part of what was asked.
    """

    plan: Plan
    finish: Finish
    rows: int | None = None
    units: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)
    currency: Currency = Currency.GDP
    sql: bool = field(default=True, compare=False)
    public: tuple[str, ...] = field(default=(), compare=False)
    said: tuple[tuple[str, str], ...] = ()
