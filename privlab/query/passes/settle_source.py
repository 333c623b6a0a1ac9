"""Bring a relation into the form its equals share: conditions low, and nothing that is not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from privlab.query.expr import Call, Expr, Literal, Op, Ref
from privlab.query.kinds import conjuncts, kind_of, parts_of
from privlab.query.passes.name_columns import name_expressions
from privlab.query.passes.normalise import normalise
from privlab.query.passes.public_table import passing
from privlab.query.passes.public_work import PublicWork
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    UnitValue,
)
from privlab.terms.catalog import Kind

Refs = frozenset[Ref]


def settle_source(
    relation: Relation, where: Expr | None, wanted: Refs, work: PublicWork
) -> tuple[Relation, Expr | None]:
    """The relation with conditions below its joins; and those that concern both sides.

    wanted: the columns that are read besides those of ``where``.  All others go.
    work: counts what is worked out on public rows.

    :raises BadQuery: PL113, that is too much.

    Before                                  After
    ------                                  -----
    (a JOIN b) where a.x > 1, b.y > a.z     (a where x > 1) JOIN b, where b.y > a.z
    (a LEFT JOIN b) where b.y IS NULL       as before: rows that meet none are there too
    a JOIN public where public.x > 1        a JOIN those public rows
    """
    if not isinstance(relation, Join):
        return _pruned(relation, wanted | refs(where), work), where
    back = {new: old for old, new in relation.right_names}
    to_left: list[Expr] = []
    to_right: list[Expr] = []
    rest: list[Expr] = []
    for one in conjuncts(where):
        names = {ref.column for ref in refs(one)}
        if not names & set(back):
            to_left.append(one)
        elif names <= set(back) and not relation.keep_left:
            to_right.append(renamed(one, back))
        else:
            rest.append(one)
    kept = conjunction(rest)
    need = wanted | refs(kept)
    of_right = frozenset(Ref(back[ref.column], ref.kind) for ref in need if ref.column in back)
    of_left = frozenset(ref for ref in need if ref.column not in back)
    if relation.keep_left and relation.unit and _meets_none(rest, back, of_right):
        relation = _once(relation, of_right)
    found = replace(
        relation,
        left=_inside(
            relation.left,
            conjunction(to_left),
            of_left | refs(*(one for one, _ in relation.on)),
            work,
        ),
        right=_inside(
            relation.right,
            conjunction(to_right),
            of_right | refs(*(two for _, two in relation.on)),
            work,
        ),
        right_names=tuple(
            sorted((back[ref.column], ref.column) for ref in need if ref.column in back)
        ),
    )
    return found, kept


def _meets_none(conditions: Sequence[Expr], back: Mapping[str, str], of_right: Refs) -> bool:
    """Whether rows are kept that meet none alone, and nothing else is read of the right side."""
    if len(of_right) != 1:
        return False
    (ref,) = of_right
    shown = {old: new for new, old in back.items()}
    return Call(Op.IS_NULL, (Ref(shown[ref.column], ref.kind),)) in conditions


def _once(join: Join, read: Refs) -> Join:
    """The join with each unit once on its right side: that one is there is all that is asked.

    Only where what is read is the mark of a row: a column may be null in a row that is there.
    """
    right = join.right
    if not isinstance(right, Project) or join.most is None:
        return join
    columns = dict(right.columns)
    marks = [(name, expr) for name, expr in right.columns if isinstance(expr, Literal)]
    single = isinstance(right.of, PerUnit) and not right.of.keys
    if single or not {ref.column for ref in read} <= {name for name, _ in marks}:
        return join
    exprs = [(mine, substituted(theirs, columns)) for mine, theirs in join.on]
    named = name_expressions((expr for _, expr in exprs if expr is not None), dict(marks))
    pairs = [(mine, named[expr], expr) for mine, expr in exprs if expr is not None]
    keys = tuple(sorted({name: expr for _, name, expr in pairs}.items(), key=_name))
    refs_of = {name: Ref(name, kind_of(expr) or Kind.TEXT) for name, expr in keys}
    units = PerUnit(right.of, right.where, keys, ())
    return replace(
        join,
        right=Project(units, None, tuple(sorted([*marks, *refs_of.items()], key=_name))),
        on=tuple((mine, refs_of[name]) for mine, name, _ in pairs),
        most=(join.most[0], join.most[1] if keys else 1),
    )


def _inside(relation: Relation, where: Expr | None, need: Refs, work: PublicWork) -> Relation:
    """One side of a join: its rows that pass."""
    match relation:
        case Join():
            found, rest = settle_source(relation, where, need, work)
            return found if rest is None else Project(found, rest, _identity(need))
        case PublicRows():
            return _public(relation, where, need, work)
        case Project(of=of, where=before, columns=columns):
            made = dict(columns)
            wanted = {ref.column for ref in need}
            kept = tuple(sorted((name, made[name]) for name in made if name in wanted))
            whole = conjunction([*conjuncts(before), *conjuncts(substituted(where, made))])
            inner, rest = settle_source(of, whole, refs(*(expr for _, expr in kept)), work)
            plain = all(
                expr == Ref(name, expr.kind) for name, expr in kept if isinstance(expr, Ref)
            )
            if rest is None and plain and all(isinstance(expr, Ref) for _, expr in kept):
                return inner
            return Project(inner, rest, kept)
    found = _pruned(relation, need | refs(where), work)
    return found if where is None else Project(found, where, _identity(need))


def _pruned(relation: Relation, need: Refs, work: PublicWork) -> Relation:
    """The relation without the columns that nobody reads."""
    wanted = {ref.column for ref in need}
    match relation:
        case Scan():
            return relation
        case PerUnit(of=of, where=where, keys=keys, columns=columns):
            kept = tuple(sorted((one for one in columns if one[0] in wanted), key=_name))
            read = refs(*(expr for _, expr in keys), *(value.of for _, value in kept))
            inner, rest = settle_source(of, where, read, work)
            return PerUnit(inner, rest, keys, kept)
        case Union(parts=parts):
            return Union(tuple(_part(part, wanted, work) for part in parts))
    return _inside(relation, None, need, work)


def _part(part: Relation, wanted: set[str], work: PublicWork) -> Relation:
    """A part of a union: all parts keep the same columns."""
    if not isinstance(part, Project):
        return part
    kept = tuple(sorted((one for one in part.columns if one[0] in wanted), key=_name))
    inner, rest = settle_source(part.of, part.where, refs(*(expr for _, expr in kept)), work)
    return Project(inner, rest, kept)


def _public(rows: PublicRows, where: Expr | None, need: Refs, work: PublicWork) -> PublicRows:
    """The public rows that pass, with the columns that are read."""
    work.evaluate(rows, where)
    names = [name for name, _ in rows.columns]
    kept = passing(rows, where).rows
    wanted = {ref.column for ref in need}
    places = sorted((at for at, name in enumerate(names) if name in wanted), key=names.__getitem__)
    return PublicRows(
        tuple(rows.columns[at] for at in places),
        tuple(tuple(row[at] for at in places) for row in kept),
    )


def _name(named: tuple[str, Expr | UnitValue]) -> str:
    return named[0]


def _identity(need: Refs) -> tuple[tuple[str, Expr], ...]:
    return tuple((ref.column, ref) for ref in sorted(need, key=lambda ref: ref.column))


def refs(*exprs: Expr | None) -> Refs:
    """Every column that expressions read, with its kind."""
    found: set[Ref] = set()
    for expr in exprs:
        if expr is not None:
            found |= {part for part in parts_of(expr) if isinstance(part, Ref)}
    return frozenset(found)


def conjunction(conditions: Iterable[Expr]) -> Expr | None:
    """Conditions that all hold, in their one form; None for none."""
    listed = list(conditions)
    if not listed:
        return None
    found = listed[0]
    for one in listed[1:]:
        found = Call(Op.AND, (found, one))
    return normalise(found)


def renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    """``expr`` with other names for some columns."""
    match expr:
        case Ref(column=name, kind=kind):
            return Ref(names.get(name, name), kind)
        case Call(op=op, args=args):
            return normalise(Call(op, tuple(renamed(arg, names) for arg in args)))
    return expr


def substituted(expr: Expr | None, made: Mapping[str, Expr]) -> Expr | None:
    """``expr`` with what its columns are made of."""
    match expr:
        case Ref(column=name):
            return made.get(name, expr)
        case Call(op=op, args=args):
            inner = [substituted(arg, made) for arg in args]
            return normalise(Call(op, tuple(one for one in inner if one is not None)))
    return expr
