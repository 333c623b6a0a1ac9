"""Relations as JSON, and back; as strict as `privlab.query.encoding`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from privlab.query.encoding import (
    Json,
    canonical_text,
    count_of,
    decode_expr,
    decode_scalar,
    encode_expr,
    encode_scalar,
    fields,
    fraction_of,
    list_of,
    text_of,
)
from privlab.query.expr import Expr
from privlab.query.kinds import kind_of_value
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
    is_private,
)
from privlab.terms.catalog import Kind, Scalar

_CLAMPED = (UnitKind.SUM, UnitKind.MEAN)


ROWS_LABEL = "privlab/rows/v1"

OfPublic = Callable[[PublicRows], Json]


def encode_rows(rows: PublicRows) -> Json:
    """All columns and values."""
    return {
        "columns": [[name, kind.value] for name, kind in rows.columns],
        "rows": [[encode_scalar(one) for one in row] for row in rows.rows],
    }


def rows_digest(rows: PublicRows) -> Json:
    """The SHA-256 of a label and `encode_rows`, in hex: what ids know public rows by."""
    found = rows.worked_out.digest
    if found is None:
        text = f"{ROWS_LABEL}\0{canonical_text(encode_rows(rows))}"
        found = hashlib.sha256(text.encode()).hexdigest()
        rows.worked_out.digest = found
    return found


def encode_relation(relation: Relation, public: OfPublic = encode_rows) -> dict[str, Json]:
    """One object with one name, that of the relation.  public: how public rows are written."""
    match relation:
        case Scan(table=table, version=version):
            return {"scan": [table, version]}
        case PublicRows():
            return {"public": public(relation)}
        case Project(of=of, where=where, columns=columns):
            named = [[name, encode_expr(expr)] for name, expr in columns]
            return {
                "project": {
                    "of": encode_relation(of, public),
                    "where": _where(where),
                    "columns": named,
                }
            }
        case PerUnit(of=of, where=where, keys=keys, columns=columns):
            return {
                "per_unit": {
                    "of": encode_relation(of, public),
                    "where": _where(where),
                    "keys": [[name, encode_expr(expr)] for name, expr in keys],
                    "columns": [[name, encode_value(value)] for name, value in columns],
                }
            }
        case Join():
            return {
                "join": {
                    "left": encode_relation(relation.left, public),
                    "right": encode_relation(relation.right, public),
                    "on": [[encode_expr(one), encode_expr(two)] for one, two in relation.on],
                    "unit": relation.unit,
                    "keep_left": relation.keep_left,
                    "right_names": [list(pair) for pair in relation.right_names],
                    "most": None if relation.most is None else list(relation.most),
                }
            }
        case Union(parts=parts):
            return {"union": [encode_relation(part, public) for part in parts]}


def decode_relation(value: Json) -> Relation:
    """The relation that `encode_relation` wrote."""
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a relation is an object with one name")
    ((name, inner),) = value.items()
    return _READERS[name](inner)


def _where(where: Expr | None) -> Json:
    return None if where is None else encode_expr(where)


def encode_value(value: UnitValue) -> list[Json]:
    """Its kind, its expression, and its bounds."""
    return [
        value.kind.value,
        None if value.of is None else encode_expr(value.of),
        str(value.low),
        str(value.high),
        str(value.step),
    ]


def _condition(value: Json) -> Expr | None:
    return None if value is None else decode_expr(value)


def _named(value: Json) -> tuple[tuple[str, Expr], ...]:
    return tuple((text_of(name), decode_expr(expr)) for name, expr in list_of(value))


def _distinct(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise ValueError("names of one relation are distinct")


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise TypeError("flag")
    return value


def _scan(value: Json) -> Scan:
    table, version = list_of(value)
    return Scan(text_of(table), count_of(version))


def _public(value: Json) -> PublicRows:
    columns, rows = fields(value, "columns", "rows")
    typed = tuple((text_of(name), Kind(kind)) for name, kind in list_of(columns))
    _distinct([name for name, _ in typed])
    if not typed:
        raise ValueError("a public table has a column")
    return PublicRows(typed, tuple(_row(one, typed) for one in list_of(rows)))


def _row(value: Json, columns: tuple[tuple[str, Kind], ...]) -> tuple[Scalar | None, ...]:
    row = tuple(decode_scalar(one) for one in list_of(value))
    if len(row) != len(columns):
        raise ValueError("a row has one value per column")
    for one, (_, kind) in zip(row, columns, strict=True):
        if one is not None and kind_of_value(one) is not kind:
            raise ValueError("a value is of its column's kind")
    return row


def _project(value: Json) -> Project:
    of, where, columns = fields(value, "of", "where", "columns")
    named = _named(columns)
    _distinct([name for name, _ in named])
    return Project(decode_relation(of), _condition(where), named)


def _per_unit(value: Json) -> PerUnit:
    of, where, keys, columns = fields(value, "of", "where", "keys", "columns")
    named = _named(keys)
    values = tuple((text_of(name), _value(one)) for name, one in list_of(columns))
    _distinct([*(name for name, _ in named), *(name for name, _ in values)])
    found = PerUnit(decode_relation(of), _condition(where), named, values)
    if not is_private(found):
        raise ValueError("public rows have no units")
    return found


def _value(value: Json) -> UnitValue:
    kind, of, low, high, step = list_of(value)
    found = UnitValue(
        UnitKind(kind), _condition(of), fraction_of(low), fraction_of(high), fraction_of(step)
    )
    if found.kind not in _CLAMPED and found != UnitValue(found.kind, found.of):
        raise ValueError("only sums and means are clamped")
    if found.of is None and found.kind is not UnitKind.ROWS:
        raise ValueError("everything but a count of rows is of a value")
    if found.step <= 0 or found.low > found.high:
        raise ValueError("bounds")
    if any((end / found.step).denominator != 1 for end in (found.low, found.high)):
        raise ValueError("bounds are multiples of the step")
    return found


def _join(value: Json) -> Join:
    left, right, on, unit, keep_left, right_names, most = fields(
        value, "left", "right", "on", "unit", "keep_left", "right_names", "most"
    )
    pairs = tuple((decode_expr(one), decode_expr(two)) for one, two in list_of(on))
    names = tuple((text_of(old), text_of(new)) for old, new in list_of(right_names))
    _distinct([old for old, _ in names])
    _distinct([new for _, new in names])
    limits = None
    if most is not None:
        of_left, of_right = (count_of(one) for one in list_of(most))
        limits = (of_left, of_right)
    found = Join(
        decode_relation(left),
        decode_relation(right),
        pairs,
        _flag(unit),
        _flag(keep_left),
        names,
        limits,
    )
    private = is_private(found.left), is_private(found.right)
    if found.unit is not all(private) or (found.most is not None) is not found.unit:
        raise ValueError("private rows meet rows of their own unit alone, and so many of them")
    if found.most is not None and min(found.most) < 1:
        raise ValueError("at least one row of a unit takes part")
    if found.keep_left and private == (False, True):
        raise ValueError("a public row that meets none would tell of all units")
    if not found.unit and not pairs:
        raise ValueError("a join has a condition")
    return found


def _union(value: Json) -> Union:
    parts = tuple(decode_relation(part) for part in list_of(value))
    if len(parts) < 2 or not all(is_private(part) for part in parts):
        raise ValueError("a union has two private parts or more")
    return Union(parts)


_READERS: dict[str, Callable[[Json], Relation]] = {
    "scan": _scan,
    "public": _public,
    "project": _project,
    "per_unit": _per_unit,
    "join": _join,
    "union": _union,
}
