"""Every operation belongs to one family."""

from __future__ import annotations

import pytest

from privlab.engine.expressions import arithmetic, logic, text, times, translate
from privlab.engine.expressions.translate import FAMILIES
from privlab.engine.expressions.typed import literal
from privlab.query.plan import Call, Literal, Op, Ref
from privlab.terms.catalog import Kind


def test_every_operation_of_a_plan_is_in_one_family() -> None:
    families = [family.OPERATIONS for family in (arithmetic, logic, text, times)]
    assert sum(map(len, families)) == len(FAMILIES)
    assert set(FAMILIES) == set(Op) - {Op.CAST}


@pytest.mark.parametrize(
    ("op", "kind", "constants"),
    [
        (Op.LOWER, Kind.INT, ()),
        (Op.TO_TEXT, Kind.FLOAT, ()),
        (Op.YEAR, Kind.TEXT, ()),
        (Op.SQRT, Kind.BOOL, ()),
        (Op.ROUND, Kind.FLOAT, ("a",)),
        (Op.ADD_DAYS, Kind.DATE, ("a",)),
    ],
)
def test_kinds_that_an_operation_is_not_for_are_an_error_of_the_plan(
    op: Op, kind: Kind, constants: tuple[str, ...]
) -> None:
    with pytest.raises(TypeError):
        translate(Call(op, (Ref("x", kind), *map(Literal, constants))))


def test_a_constant_that_is_no_scalar_is_an_error_of_the_plan() -> None:
    with pytest.raises(TypeError):
        literal(1.5)  # type: ignore[arg-type]
