"""What a row adds: steps.coded and its shares equal the plain twin (the kinds: expressions/)."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest

from privlab.engine import steps
from privlab.engine.expressions import Typed
from privlab.query.plan import Measure, MeasureKind, Ref
from privlab.query.shares import Share, share_of
from privlab.terms.catalog import Kind

AGE = Ref("age", Kind.INT)


@pytest.mark.parametrize("share", [*Share])
def test_a_share_is_that_of_the_coded_value(share: Share) -> None:
    measure = Measure(
        MeasureKind.SUM, AGE, Fraction(2), Fraction(12), centre=Fraction(2), share=share
    )
    rows = pl.DataFrame({"age": [-5, 2, 3, 7, 12, 99, None]})

    found = rows.select(steps.added(measure, Typed(pl.col("age"), Kind.INT))).to_series()

    assert found.to_list() == [*(share_of(share, k, 10) for k in (0, 0, 1, 5, 10, 10)), None]
