"""The canonical plan as people read it, one line per step.

The text is for eyes, golden files and ``--explain``; ids are made from the
JSON of ``canonical.py``.
"""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

from privlab.query.epoch import dated, step_text, value_of
from privlab.query.kinds import flattened
from privlab.query.plan import Call, Expr, Key, Literal, Measure, MeasureKind, Op, Plan, Ref
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    UnitKind,
    UnitValue,
)
from privlab.terms.catalog import Scalar

SYMBOLS = {
    Op.AND: "and",
    Op.OR: "or",
    Op.EQ: "=",
    Op.NE: "<>",
    Op.LT: "<",
    Op.LE: "<=",
    Op.GT: ">",
    Op.GE: ">=",
    Op.ADD: "+",
    Op.SUB: "-",
    Op.MUL: "*",
    Op.DIVIDE: "/",
    Op.FLOOR_DIV: "//",
    Op.MOD: "%",
    Op.LIKE: "like",
}
SHOWN = 6
"""Values of a key or a list that are written out before an ellipsis."""


def plan_text(plan: Plan) -> str:
    """The plan, one step per line.

    Example::

        visits v1 of clinic, per patient_id
        bound 8 rows, 4 per group, 3 groups
        where age >= 65
        by ward: 'A', 'B'
        rows
        sum of stay_days in 0..60 about 30, step 1
    """
    bound = plan.bound
    lines = [
        f"{_source(plan.source)} of {plan.dataset}, per {plan.unit}",
        f"bound {bound.rows} rows, {bound.rows_per_group} per group, {bound.groups} groups",
    ]
    if not isinstance(plan.source, Scan):
        lines += [f"  {line}" for line in relation_lines(plan.source)]
    if plan.where is not None:
        lines.append(f"where {expression_text(plan.where)}")
    lines += [f"by {expression_text(key.expr)}: {_values(key)}" for key in plan.keys]
    lines += [measure_text(measure) for measure in plan.measures]
    lines += [f"bounds from view {view[:12]}" for view in plan.bounds_from]
    return "\n".join(lines)


WORDS = {Join: "rows that meet", PerUnit: "rows of each unit", Union: "rows of several tables"}


def _source(relation: Relation) -> str:
    if isinstance(relation, Scan):
        return f"{relation.table} v{relation.version}"
    return WORDS.get(type(relation), "rows")


def relation_lines(relation: Relation) -> list[str]:
    """A relation, one line per step, what it is made of indented below it."""
    match relation:
        case Scan(table=table, version=version):
            return [f"{table} v{version}"]
        case PublicRows(columns=columns, rows=rows):
            return [f"{len(rows):,} public rows: {', '.join(name for name, _ in columns)}"]
        case Project(of=of, where=where, columns=columns):
            plain = [isinstance(expr, Ref) and expr.column == name for name, expr in columns]
            made = [
                name if same else f"{name} = {expression_text(expr)}"
                for (name, expr), same in zip(columns, plain, strict=True)
            ]
            return _above(of, _step("only", made), _condition(where))
        case PerUnit(of=of, where=where, keys=keys, columns=columns):
            named = [f"{name} = {unit_value_text(value)}" for name, value in columns]
            by = [expression_text(expr) for _, expr in keys]
            return _above(of, _step("one row of each unit", [*by, *named]), _condition(where))
        case Join():
            return _join_lines(relation)
        case Union(parts=parts):
            inner = [f"  {line}" for part in parts for line in relation_lines(part)]
            return ["all of", *inner]


def _join_lines(join: Join) -> list[str]:
    on = [f"{_operand(one)} = {_operand(two)}" for one, two in join.on]
    if join.unit:
        on.insert(0, "the unit")
    words = ["left join on" if join.keep_left else "join on", " and ".join(on)]
    if join.most is not None:
        words.append(f"with at most {join.most[0]} and {join.most[1]} rows of each")
    other = [f"{new} = {old}" for old, new in join.right_names if old != new]
    words += ["naming", ", ".join(other)] if other else []
    inner = [*relation_lines(join.left), *relation_lines(join.right)]
    return [" ".join(words), *(f"  {line}" for line in inner)]


def _step(word: str, parts: list[str]) -> str:
    return f"{word}: {', '.join(parts)}" if parts else word


def _condition(where: Expr | None) -> list[str]:
    return [] if where is None else [f"where {expression_text(where)}"]


def _above(of: Relation, step: str, where: list[str]) -> list[str]:
    return [step, *(f"  {line}" for line in [*relation_lines(of), *where])]


def unit_value_text(value: UnitValue) -> str:
    """What the rows of one unit come to."""
    of = "" if value.of is None else f" of {expression_text(value.of)}"
    if value.kind not in (UnitKind.SUM, UnitKind.MEAN):
        return f"{value.kind.value}{of}"
    low, high, step = decimal(value.low), decimal(value.high), decimal(value.step)
    return f"{value.kind.value}{of} in {low}..{high}, step {step}"


def measure_text(measure: Measure) -> str:
    """One measure: what is summed, between which bounds, on which grid."""
    of = "" if measure.of is None else f" of {expression_text(measure.of)}"
    if measure.kind not in (MeasureKind.SUM, MeasureKind.QUANTILE):
        return f"{measure.kind.value}{of}"
    others = [decimal(q) for q in measure.among if q != measure.q]
    beside = f", chosen with {', '.join(others)}" if others else ""
    beside += ", by permute-and-flip" if measure.size else ""
    about = f" about {decimal(measure.centre)}" if measure.centre else ""
    step = f"step {decimal(measure.step)}" if dated(measure) is None else step_text(measure)
    what = "sum" if measure.q is None else f"quantile {decimal(measure.q)}"
    if measure.share is not None:
        return f"sum of shares {measure.share}{of} in {range_text(measure)}, {step}"
    return f"{what}{of} in {range_text(measure)}{about}, {step}{beside}"


def range_text(measure: Measure) -> str:
    """Between which values a measure's are clamped: ``0..60``, ``2023-01-01..2024-12-31``."""
    kind = dated(measure)
    ends = measure.low, measure.high
    texts = (
        map(decimal, ends) if kind is None else (scalar_text(value_of(one, kind)) for one in ends)
    )
    return "..".join(texts)


def expression_text(expr: Expr) -> str:
    """An expression, in parentheses wherever they could be missed."""
    match expr:
        case Ref(column=column):
            return column if column.isidentifier() else f'"{column}"'
        case Literal(value=value):
            return scalar_text(value)
        case Call(op=op, args=args):
            return _call(op, args, expr)


def _call(op: Op, args: tuple[Expr, ...], expr: Call) -> str:
    match op:
        case Op.AND | Op.OR | Op.ADD | Op.MUL:
            terms = [_operand(term) for term in flattened(op, expr)]
            return f" {SYMBOLS[op]} ".join(terms)
        case Op.CASE:
            pairs = zip(args[:-1:2], args[1::2], strict=True)
            whens = [f"when {expression_text(c)} then {expression_text(v)}" for c, v in pairs]
            return " ".join(["case", *whens, "else", expression_text(args[-1]), "end"])
        case Op.CONCAT:
            return " || ".join(map(_operand, args))
        case Op.IS_NULL:
            return f"{_operand(args[0])} is null"
        case Op.NOT:
            return f"not {_operand(args[0])}"
        case Op.NEG:
            return f"-{_operand(args[0])}"
        case Op.IS_IN:
            shown = [expression_text(one) for one in args[1 : 1 + SHOWN]]
            more = f", ... {len(args) - 1} values" if len(args) - 1 > SHOWN else ""
            return f"{_operand(args[0])} in ({', '.join(shown)}{more})"
    if op in SYMBOLS:
        return f"{_operand(args[0])} {SYMBOLS[op]} {_operand(args[1])}"
    inner = ", ".join("open" if one == Literal(None) else expression_text(one) for one in args)
    return f"{op.value}({inner})"


def _operand(expr: Expr) -> str:
    text = expression_text(expr)
    if isinstance(expr, Call) and (
        expr.op in SYMBOLS or expr.op in (Op.IS_NULL, Op.NOT, Op.IS_IN, Op.CONCAT)
    ):
        return f"({text})"
    return text


def _values(key: Key) -> str:
    count = len(key.values)
    if not key.public:
        return "not public, shown from a threshold on"
    if count <= SHOWN:
        return ", ".join(scalar_text(value) for value in key.values)
    first, second = (scalar_text(value) for value in key.values[:2])
    return f"{first}, {second}, ... {scalar_text(key.values[-1])} ({count:,} values)"


def scalar_text(value: Scalar | None) -> str:
    """A constant as it is written in a plan."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Fraction():
            return decimal(Fraction(value))
        case str():
            escaped = value.replace("'", "''")
            return f"'{escaped}'"
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no scalar")


def decimal(value: Fraction) -> str:
    """An exact decimal where there is a short one, else a fraction."""
    if value.denominator == 1:
        return str(value.numerator)
    for places in range(1, 19):
        scaled = value * 10**places
        if scaled.denominator == 1:
            sign, digits = ("-" if scaled < 0 else ""), str(abs(scaled.numerator)).zfill(places + 1)
            return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return str(value)
