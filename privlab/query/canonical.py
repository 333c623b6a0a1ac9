"""One plan, one text, one id.

`encode_plan` and `decode_plan` are inverse to each other and strict: an unknown
field, a wrong type or a value out of range is an `IntegrityError`.  Ids are
SHA-256 of a labelled canonical JSON of what matters: a view's id knows nothing
of the names or the order in which an analyst listed her columns.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from privlab.errors import IntegrityError
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
from privlab.query.plan import Key, Measure, MeasureKind, Plan, Question
from privlab.query.plan_text import plan_text as plan_text
from privlab.query.post.encoding import encode_order, encode_out
from privlab.query.relation_encoding import (
    OfPublic,
    decode_relation,
    encode_relation,
    encode_rows,
    rows_digest,
)
from privlab.query.shares import Share
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.exact import whole as whole_number

VERSION = 2
FOUND_VERSION = 3
"""Of a plan that says from which views its bounds were found."""
VIEW_LABEL = "privlab/view/v1"
QUESTION_LABEL = "privlab/question/v1"


# --- writing -----------------------------------------------------------------


def encode_measure(measure: Measure) -> Json:
    found = {
        "kind": measure.kind.value,
        "of": None if measure.of is None else encode_expr(measure.of),
        "low": str(measure.low),
        "high": str(measure.high),
        "step": str(measure.step),
        "centre": str(measure.centre),
    }
    if measure.q is not None:
        found["q"] = str(measure.q)
    if measure.share is not None:
        found["share"] = measure.share.value
    if measure.among:
        found["among"] = [str(q) for q in measure.among]
    if measure.size:
        found["size"] = measure.size
    return found


def encode_plan(plan: Plan, public: OfPublic = encode_rows) -> dict[str, Json]:
    """The plan as JSON values: strings, whole numbers, lists, objects, null.

    public: how public rows are written; whole, for the plan to be read back.
    """
    found = {"bounds_from": [*plan.bounds_from]} if plan.bounds_from else {}
    return {
        **found,
        "version": FOUND_VERSION if found else VERSION,
        "dataset": plan.dataset,
        "unit": plan.unit,
        "source": encode_relation(plan.source, public),
        "bound": [plan.bound.rows, plan.bound.rows_per_group, plan.bound.groups],
        "row_cap": plan.row_cap,
        "where": None if plan.where is None else encode_expr(plan.where),
        "keys": [
            {
                "expr": encode_expr(key.expr),
                "kind": key.kind.value,
                "values": [encode_scalar(value) for value in key.values],
            }
            for key in plan.keys
        ],
        "measures": [encode_measure(measure) for measure in plan.measures],
    }


def _sha256(label: str, text: str) -> hashlib._Hash:
    return hashlib.sha256(f"{label}\0{text}".encode())


def _digest(label: str, value: Json) -> str:
    return _sha256(label, canonical_text(value)).hexdigest()


def view_ids(plan: Plan) -> tuple[str, ...]:
    """The id of every measure: the same in every question that measures it.

    What a threshold shows belongs together, so there all measures are of one view.
    Where its bounds were found does not matter, only which they are.
    The plan is written once for all of them, and its public rows are known by their digest.
    """
    plan = replace(plan, bounds_from=())
    places = range(len(plan.measures))
    if plan.thresholded:
        whole = canonical_text(encode_plan(plan, rows_digest))
        return tuple(
            _sha256(VIEW_LABEL, f'{{"measure":"{at}","plan":{whole}}}').hexdigest() for at in places
        )
    written = encode_plan(replace(plan, measures=()), rows_digest)
    before = {name: one for name, one in written.items() if name < "measures"}
    after = {name: one for name, one in written.items() if name > "measures"}
    begun = _sha256(VIEW_LABEL, canonical_text(before)[:-1])
    end = f"]{',' + canonical_text(after)[1:]}"
    found = []
    for measure in plan.measures:
        whole_id = begun.copy()
        text = canonical_text(encode_measure(measure))
        whole_id.update(f',"measures":[{text}{end}'.encode())
        found.append(whole_id.hexdigest())
    return tuple(found)


def view_id(plan: Plan, index: int) -> str:
    """The id of measure ``index``, as `view_ids` has it."""
    return view_ids(plan)[index]


def question_id(question: Question) -> str:
    """The id of a whole question: its plan, and its outputs by name and in order."""
    finish = question.finish
    return _digest(
        QUESTION_LABEL,
        {
            "plan": encode_plan(question.plan, rows_digest),
            "outputs": [[one.name, one.label, encode_out(one.out)] for one in finish.outputs],
            "having": [encode_out(one) for one in finish.having],
            "order": [encode_order(one) for one in finish.order],
            "limit": finish.limit,
            **({"qualify": [*map(encode_out, finish.qualify)]} if finish.qualify else {}),
            **({"offset": finish.offset} if finish.offset else {}),
        },
    )


# --- reading -----------------------------------------------------------------


def decode_plan(value: Json) -> Plan:
    """The plan that `encode_plan` wrote.

    :raises IntegrityError: PL400, anything else.
    """
    try:
        return _plan(value)
    except (KeyError, TypeError, ValueError, IndexError, RecursionError):
        raise IntegrityError("this is not a plan of a version known here", code="PL400") from None


_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BOUNDED = (MeasureKind.SUM, MeasureKind.QUANTILE)
_OPTIONAL = ("q", "share", "among", "size")
_VALUED = (*_BOUNDED, MeasureKind.DISTINCT)


def _measure(value: Json) -> Measure:
    names = ("kind", "of", "low", "high", "step", "centre")
    more = tuple(name for name in _OPTIONAL if isinstance(value, dict) and name in value)
    kind, of, low, high, step, centre = fields(value, *names, *more)[: len(names)]
    q, share, among, size = (value[name] if name in more else None for name in _OPTIONAL)
    measure = Measure(
        MeasureKind(kind),
        None if of is None else decode_expr(of),
        fraction_of(low),
        fraction_of(high),
        fraction_of(step),
        fraction_of(centre),
        None if q is None else fraction_of(q),
        None if share is None else Share(share),
        () if among is None else tuple(fraction_of(one) for one in list_of(among)),
        0 if size is None else whole_number("a size", size),
    )
    if measure.step <= 0 or measure.low > measure.high:
        raise ValueError("bounds")
    if measure.kind in _VALUED and measure.of is None:
        raise ValueError("a sum, a quantile and distinct values need a value")
    if measure.kind not in _BOUNDED and measure != Measure(measure.kind, measure.of):
        raise ValueError("a count has no bounds")
    if measure.chosen is (measure.q is None) or not 0 <= (measure.q or 0) <= 1:
        raise ValueError("a quantile has a q in [0, 1], and nothing else has one")
    if measure.chosen and measure.centre:
        raise ValueError("a quantile is coded about zero")
    if among is not None and not (
        measure.q in measure.among and list(measure.among) == sorted(set(measure.among))
    ):
        raise ValueError("a quantile is among rising ones")
    if size is not None and (measure.size < 1 or not measure.chosen or measure.among):
        raise ValueError("only a quantile that is chosen alone is of a size")
    if measure.share is not None and (
        measure.kind is not MeasureKind.SUM or measure.centre != measure.low
    ):
        raise ValueError("a share is of a sum, and coded about its low end")
    measure.radius  # noqa: B018  raises when a bound is off the grid
    return measure


def _key(value: Json) -> Key:
    expr, kind, values = fields(value, "expr", "kind", "values")
    texts = [canonical_text(one) for one in list_of(values)]
    if len(set(texts)) != len(texts):
        raise ValueError("a key has distinct values, or none that are public")
    return Key(decode_expr(expr), Kind(kind), tuple(decode_scalar(one) for one in values))


def _plan(value: Json) -> Plan:
    more = ("bounds_from",) if isinstance(value, dict) and "bounds_from" in value else ()
    (version, dataset, unit, source, bound, row_cap, where, keys, measures, *views) = fields(
        value,
        "version",
        "dataset",
        "unit",
        "source",
        "bound",
        "row_cap",
        "where",
        "keys",
        "measures",
        *more,
    )
    if version != (FOUND_VERSION if more else VERSION) or isinstance(version, bool):
        raise ValueError("version")
    bounds_from = tuple(text_of(one) for part in views for one in list_of(part))
    if more and (not bounds_from or list(bounds_from) != sorted(set(bounds_from))):
        raise ValueError("views rise, and there is one")
    if not all(_ID.fullmatch(one) for one in bounds_from):
        raise ValueError("a view has an id")
    rows, rows_per_group, groups = (count_of(one) for one in list_of(bound))
    found = Plan(
        dataset=text_of(dataset),
        unit=text_of(unit),
        source=decode_relation(source),
        bound=ContributionBound(rows, rows_per_group, groups),
        row_cap=count_of(row_cap),
        where=None if where is None else decode_expr(where),
        keys=tuple(_key(one) for one in list_of(keys)),
        measures=tuple(_measure(one) for one in list_of(measures)),
        bounds_from=bounds_from,
    )
    if not found.tables:
        raise ValueError("a plan reads a private table")
    if found.thresholded and Measure(MeasureKind.UNITS) not in found.measures:
        raise ValueError("a threshold tests a count of units")
    return found
