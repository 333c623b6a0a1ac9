"""privlab with one thing wrong: what record and replay must see.

Each `Bug` is the real path with one or two functions replaced.  Some need more than
one change: what a kernel would do of a stored column is left to Polars, or what one
part forgets another does again, as the NaN that reading and the kernel both drop.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

from privlab.connector import arrange, scan
from privlab.connector.pseudonyms import Pseudonyms
from privlab.curator import certificate
from privlab.curator.answer import Compiled, Paid
from privlab.engine import columns, run, steps
from privlab.engine.expressions import Typed
from privlab.engine.job import Job
from privlab.kernels import adding, bounding
from privlab.mechanisms import quantile as mechanism
from privlab.query import joint
from privlab.query.plan import Measure, MeasureKind
from privlab.query.trade import Trade, trade_of
from privlab.release.statement import PrivacyFacts
from privlab.terms.bounds import ContributionBound as Bound
from privlab.terms.catalog import Catalog
from privlab.terms.catalog import Kind as Type
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import RoundedGaussian
from tests.attack.asking import Asking
from tests.attack.contract import Place
from tests.attack.record import Kind, Mechanisms

UNBOUNDED = 1 << 62
LOWEST = 1 << 50
_ODD = np.uint64(0x9E3779B97F4A7C15)

Change = tuple[object, str, Any]
"""An object, the name of what is replaced in it, and what replaces it."""


@dataclass(frozen=True)
class Bug:
    """asking: the sound question.  changes: what is replaced while it is answered.

    kinds: any of these findings tells the bug.  anew: the change is in protecting.
    """

    about: str
    asking: Asking
    kinds: frozenset[Kind]
    changes: tuple[Change, ...] = ()
    anew: bool = False

    def __call__(self, place: Place, mechanisms: Mechanisms) -> object:
        with ExitStack() as changed:
            for one in self.changes:
                changed.enter_context(patch.object(*one))
            return self.asking(replace(place) if self.anew else place, mechanisms)


# --- the kernels' calls -------------------------------------------------------

_caption, _statement = certificate.caption, certificate.statement
_keep, _add_whole, _pieces = bounding.keep, adding.add_whole, mechanism.pieces
_coded, _release, _measure = steps.coded, run.release, run.measure


def _kernel(
    *, rows: int | None = None, per_group: int | None = None, groups: int | None = None
) -> Change:
    """Rows are kept under other bounds than the plan's."""

    def keep(*given: Any) -> Any:
        args = list(given)
        for at, bound in ((6, rows), (7, per_group), (8, groups)):
            args[at] = args[at] if bound is None else bound
        return _keep(*args)

    return (bounding, "keep", keep)


def _unclamped(*given: Any) -> None:
    """Adds a whole number as it is."""
    rows, codes, valid, values, _, _, centre, _, share, out = given
    _add_whole(rows, codes, valid, values, -UNBOUNDED, UNBOUNDED, centre, UNBOUNDED, share, out)


def _mixed(count: int) -> Any:
    """A hash of the row number."""
    number = np.arange(count, dtype=np.uint64) * _ODD
    return (number ^ (number >> np.uint64(29))) * _ODD


def _by_row_number(*given: Any) -> Any:
    hi, lo, rows, codes, *rest, kept, kept_codes, fresh = given
    order = np.lexsort((_mixed(codes.size), np.repeat(np.arange(rows.size), rows)))
    count = _keep(hi, lo, rows, codes[order], *rest, kept, kept_codes, fresh)
    kept[:count] = order[kept[:count]]
    return count


def _in_batches(size: int) -> Change:
    """Bounds each ``size`` rows for themselves."""

    def keep(*given: Any) -> Any:
        hi, lo, rows, codes, *rest, kept, kept_codes, fresh = given
        unit_of, count = np.repeat(np.arange(rows.size), rows), 0
        for start in range(0, codes.size, size):
            own, many = np.unique(unit_of[start : start + size], return_counts=True)
            here = _keep(
                hi[own], lo[own], many, codes[start : start + size], *rest,
                kept[count:], kept_codes[count:], fresh[count:],
            )  # fmt: skip
            kept[count : count + here] += start
            count += here
        return count

    return (bounding, "keep", keep)


def _by_halves(*given: Any) -> Any:
    return _in_batches(max(1, given[3].size // 2))[2](*given)


def _all_values(*given: Any) -> Any:
    """Every row is kept."""
    codes, first, tags, kept, kept_codes, fresh = (given[at] for at in (3, 4, 5, 10, 11, 12))
    there = np.flatnonzero((codes >= first) & (codes < first + tags.size))
    kept[: there.size], kept_codes[: there.size] = there, codes[there] - first
    fresh[: there.size] = True
    return there.size


def _never(*_: object) -> bool:
    return False


_BY_POLARS: Change = (columns, "_plain_whole", _never)
"""What a whole number adds is worked out by Polars."""


def _by_rank(values: Any, low: int, high: int, q: Fraction) -> Any:
    """Twice the difference of ranks, as if a score could move by two."""
    found = _pieces(values, low, high, q)
    return replace(found, scores=2 * found.scores)


# --- row values --------------------------------------------------------------


def _about(statistic: str) -> Change:
    """Values about a centre that is computed from them."""

    def coded(measure: Measure, value: Typed) -> pl.Expr:
        found = _coded(measure, value)
        return found - getattr(found, statistic)().round().cast(pl.Int64).fill_null(0)

    return (steps, "coded", coded)


def _with_nan(*given: Any) -> None:
    """As numpy does it: NaN passes the clamp, and the cast makes it the lowest integer."""
    rows, codes, valid, values, low, high, centre, up, down, reach, share, out = given
    clamped = np.clip(values, low, high)
    steps = np.floor((clamped - centre) * up / down + 0.5)
    whole = np.where(np.isnan(steps), -float(LOWEST), steps).astype(np.int64)
    _add_whole(rows, codes, valid, whole, -LOWEST, reach, 0, LOWEST, share, out)


def _checked(measure: Measure, value: Typed) -> pl.Expr:
    """Refuses what is outside the range, where it should clamp."""

    def check(column: pl.Series) -> pl.Series:
        if column.len() and (column.max() or 0) > float(measure.high):
            raise ValueError("a value is outside its range")
        return column

    return _coded(measure, Typed(value.expr.map_batches(check), value.kind))


# --- the release -------------------------------------------------------------


def _exact_counts(job: Job) -> list[list[int]]:
    """Divides by the number of rows, not by the noisy one."""
    exact, noisy = _measure(job).sums, _release(job)
    return [
        exact[j].tolist() if one.kind is MeasureKind.ROWS else noisy[j]
        for j, one in enumerate(job.plan.measures)
    ]


def _about_the_low_end(job: Job) -> list[list[int]]:
    """Sums what is above the low end, and adds the low end once for each row."""
    (one,) = job.plan.measures
    above = replace(job, plan=replace(job.plan, measures=(replace(one, centre=one.low),)))
    count = replace(job, plan=replace(job.plan, measures=(Measure(MeasureKind.ROWS, one.of),)))
    low = int(one.low / one.step)
    rows = _measure(count).sums[0].tolist()
    return [[sum_ + low * n for sum_, n in zip(_release(above)[0], rows, strict=True)]]


def _noise_as_wide_as_the_data(job: Job) -> list[list[int]]:
    spread = int(np.abs(_measure(job).sums).max()) + 1
    noise = RoundedGaussian.at_most(Fraction(1, spread**2))
    return _release(replace(job, noises=(noise,) * len(job.noises)))


def _nothing_to_do(job: Job) -> list[list[int]]:
    exact = _measure(job).sums
    return _release(job) if exact.any() else exact.tolist()


def _float_sums(job: Job) -> Any:
    exact = _measure(job)
    return replace(exact, sums=exact.sums.astype(np.float64) / 4)


# --- protecting --------------------------------------------------------------

_pseudonyms_of = Pseudonyms.of
_READS_NAN: Change = (
    scan,
    "_READERS",
    scan._READERS | {("float", Type.FLOAT): lambda raw: raw},
)


def _a_unit_per_null(pseudonyms: Pseudonyms, units: pl.Series) -> Any:
    named = (f"row {n}" if one is None else str(one) for n, one in enumerate(units))
    return _pseudonyms_of(pseudonyms, pl.Series(list(named), dtype=pl.String))


def _numbered(frame: pl.DataFrame, table: object, key: bytes) -> Any:
    return _mixed(frame.height)


# --- what is asked, and what is said ------------------------------------------


class KeysFromData(Asking):
    """The wards of the question are those that occur."""

    def catalog(self, place: Place) -> Catalog:
        (table,) = super().catalog(place).tables
        found = tuple(sorted({row["ward"] for row in place.rows} - {None})) or ("none",)
        columns = (replace(one, keys=found) if one.name == "ward" else one for one in table.columns)
        return Catalog((replace(table, columns=tuple(columns)),))


class KeyPerRelease(Asking):
    """A bounding key of its own for each release."""

    def job(self, *given: Any) -> Job:
        return replace(super().job(*given), bounding_key=secrets.token_bytes(16))


class TellsRows(Asking):
    """A caption with the number of rows read."""

    def given(self, place: Place, *rest: Any) -> str:
        def told(*of: Any, **named: Any) -> str:
            return f"{_caption(*of, **named)} of {place.count} rows"

        with patch.object(certificate, "caption", told):
            return super().given(place, *rest)


class SignsRows(Asking):
    """A statement with the number of rows read, in one of its facts."""

    def given(self, place: Place, *rest: Any) -> str:
        def stated(result: str, facts: PrivacyFacts) -> Any:
            return _statement(result, replace(facts, engine=f"{facts.engine}: {place.count} rows"))

        with patch.object(certificate, "statement", stated):
            return super().given(place, *rest)


class ChargesByRows(Asking):
    """A receipt that says more is left where there are more rows."""

    def given(self, place: Place, asked: Compiled, paid: Paid, *rest: Any) -> str:
        more = Loss(paid.granted.units + place.count)
        return super().given(place, asked, replace(paid, granted=more), *rest)


def _width(measure: Measure, bound: Bound) -> int:
    """What one row moves the sum, were the number of rows public."""
    return bound.squared_rows * int((measure.high - measure.low) / measure.step) ** 2


def _cheap(measure: Measure, currency: Currency, **more: bool) -> Trade:
    return replace(trade_of(measure, currency, **more), sensitivity=_width)


def _of(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


FAR = _of(Kind.DISTANCE)
SAID = _of(Kind.SHOWN)
FEW, DAYS, GROUPS = Bound(4, 4, 4), Bound(4, 2, 3), Bound(40, 1, 3)
SUM_AGE = Asking("SELECT SUM(age) AS x FROM visits", FEW)
SUM_POINTS = Asking("SELECT SUM(points) AS x FROM visits", FEW)
SUM_SCORE = Asking("SELECT SUM(score) AS x FROM visits", FEW)
MEAN = Asking("SELECT ward, AVG(score) AS x FROM visits GROUP BY ward", FEW)
BY_DAY = Asking("SELECT day, COUNT(*) AS n FROM visits GROUP BY day", DAYS)
IN_GROUPS = Asking(BY_DAY.text, GROUPS)
BY_WARD = Asking("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward", DAYS)
STAY = Asking("SELECT SUM(stay) AS x FROM visits", FEW)
WEIGHT = Asking("visits.select(x=pl.col('weight').clip(40, 100).sum())", FEW)
MEDIAN = Asking("SELECT MEDIAN(score) AS m FROM visits", FEW)
MEDIANS = Asking("SELECT day, MEDIAN(points) AS m FROM visits GROUP BY day", GROUPS)
AGES = Asking("SELECT COUNT(DISTINCT age) AS n FROM visits", Bound(1, 1, 1))
AGES_BY_WARD = Asking("SELECT ward, COUNT(DISTINCT age) AS n FROM visits GROUP BY ward", DAYS)
UNITS = Asking("SELECT COUNT(DISTINCT patient) AS n FROM visits", FEW)

BUGS = (
    Bug("the clamp is forgotten", SUM_AGE, FAR, ((adding, "add_whole", _unclamped),)),
    Bug("n is the divisor", MEAN, SAID, ((run, "release", _exact_counts),)),
    Bug("the mean is the centre", SUM_POINTS, FAR, (_about("mean"), _BY_POLARS)),
    Bug("the median is the centre", SUM_POINTS, FAR, (_about("median"), _BY_POLARS)),
    Bug("the bound keeps rows by row number", BY_DAY, FAR, ((bounding, "keep", _by_row_number),)),
    Bug("rows are stored by row number", BY_DAY, FAR, ((arrange, "row_tags", _numbered),), anew=True),
    Bug("a sum about L with an exact n", SUM_SCORE, SAID, ((run, "release", _about_the_low_end),)),
    Bug("a sum about 0 at the price of U - L", SUM_SCORE, FAR, ((joint, "trade_of", _cheap),)),
    Bug("the bound on rows is forgotten", SUM_AGE, FAR, (_kernel(rows=UNBOUNDED, per_group=UNBOUNDED),)),
    Bug("the bound on rows of a group is forgotten", BY_WARD, FAR, (_kernel(per_group=UNBOUNDED),)),
    Bug("the bound on groups is forgotten", IN_GROUPS, FAR, (_kernel(groups=UNBOUNDED),)),
    Bug("rows are bounded in each half of the table", SUM_AGE, FAR, ((bounding, "keep", _by_halves),)),
    Bug("keys are those that occur", KeysFromData(BY_WARD.text, DAYS), _of(Kind.SHAPE)),
    Bug(
        "NaN passes the clamp", WEIGHT, FAR, (_READS_NAN, (adding, "add_steps", _with_nan)),
        anew=True,
    ),
    Bug("a row without a unit is a unit", UNITS, FAR, ((Pseudonyms, "of", _a_unit_per_null),), anew=True),
    Bug("sums of floats", STAY, _of(Kind.INPUTS), ((run, "measure", _float_sums),)),
    Bug("noise as wide as the data", SUM_AGE, _of(Kind.PARAMETERS), ((run, "release", _noise_as_wide_as_the_data),)),
    Bug("no noise where there is no data", BY_WARD, _of(Kind.CALLS), ((run, "release", _nothing_to_do),)),
    Bug("a value out of range is an error", SUM_AGE, _of(Kind.FAILED), ((steps, "coded", _checked), _BY_POLARS)),
    Bug("a bounding key for each release", KeyPerRelease(BY_DAY.text, GROUPS), FAR),
    Bug("every row of a unit is a value to choose among", MEDIAN, FAR, ((bounding, "keep", _all_values),)),
    Bug("some rows of a unit are values to choose among", MEDIAN, FAR, (_kernel(per_group=2),)),
    Bug("a unit is in more choices than it pays for", MEDIANS, _of(Kind.TIMES), (_kernel(groups=UNBOUNDED),)),
    Bug("scores that move by two", MEDIAN, FAR, ((mechanism, "pieces", _by_rank),)),
    Bug("distinct values of every row", AGES, FAR, ((bounding, "keep", _all_values),)),
    Bug("distinct values beyond the bound of a group", AGES_BY_WARD, FAR, (_kernel(per_group=UNBOUNDED),)),
    Bug("the caption tells the number of rows", TellsRows(BY_WARD.text, DAYS), SAID),
    Bug("the statement tells the number of rows", SignsRows(BY_WARD.text, DAYS), SAID),
    Bug("the receipt depends on the number of rows", ChargesByRows(BY_WARD.text, DAYS), SAID),
)  # fmt: skip

BATCH = 65_536
BATCHED = tuple(
    Bug(f"rows are bounded per batch: {one.text}", one, FAR, (_in_batches(BATCH),))
    for one in (SUM_AGE, IN_GROUPS, UNITS)
)
"""Seen only where one unit has more rows than a batch."""
