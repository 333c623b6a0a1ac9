"""How an output is made of the measures, in words: for the release's statement."""

from __future__ import annotations

from privlab.query.plan import MeasureKind, Plan
from privlab.query.plan_text import decimal, expression_text, scalar_text
from privlab.query.post.tree import (
    CallOut,
    KeyOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    Moment,
    MomentOut,
    Out,
    OutOp,
    Over,
    SharesOut,
    WindowOut,
)

SYMBOLS = {
    OutOp.ADD: " + ",
    OutOp.MUL: " * ",
    OutOp.DIVIDE: " / ",
    OutOp.EQ: " = ",
    OutOp.NE: " <> ",
    OutOp.LT: " < ",
    OutOp.LE: " <= ",
    OutOp.GT: " > ",
    OutOp.GE: " >= ",
    OutOp.AND: " and ",
    OutOp.OR: " or ",
}
MOMENTS = {
    Moment.MEAN: "mean",
    Moment.VAR_POP: "variance",
    Moment.VAR_SAMP: "variance over n - 1",
    Moment.STDDEV_POP: "root of the variance",
    Moment.STDDEV_SAMP: "root of the variance over n - 1",
    Moment.COVAR_POP: "covariance",
    Moment.COVAR_SAMP: "covariance over n - 1",
    Moment.CORR: "covariance over the root of both variances",
}
WINDOWS = {
    Over.SUM: "sum",
    Over.MEAN: "mean",
    Over.MIN: "least",
    Over.MAX: "greatest",
    Over.COUNT: "number",
    Over.RANK: "rank",
    Over.DENSE_RANK: "dense rank",
    Over.ROW_NUMBER: "row number",
}


def formula(out: Out, plan: Plan) -> str:
    """In words; measures are named by their number in the statement."""
    match out:
        case KeyOut():
            return "a public key of the contract"
        case MeasureOut(index=index):
            summed = plan.measures[index].kind is MeasureKind.SUM
            return "steps times the step" if summed else "none"
        case MeanOut(total=total):
            return f"{decimal(plan.measures[total].centre)} + noisy sum about it / noisy count"
        case MomentOut():
            return f"{MOMENTS[out.kind]}, of {_moment(out, plan)}, within what is possible"
        case SharesOut():
            return f"{MOMENTS[out.kind]}, of {_shares(out, plan)}, within what is possible"
    return _text(out, plan)


def _moment(out: MomentOut, plan: Plan) -> str:
    centre = decimal(plan.measures[out.product].centre)
    sums = f"#{out.first}" if out.first == out.second else f"#{out.first} and #{out.second}"
    squares = "" if out.squares is None else f", squares #{out.squares[0]} and #{out.squares[1]}"
    return (
        f"noisy sums {sums}, products #{out.product} about {centre}{squares}, "
        f"and noisy count #{out.count}"
    )


def _shares(out: SharesOut, plan: Plan) -> str:
    named = (f"{plan.measures[at].share} #{at}" for at in out.parts)
    return f"noisy sums of shares {', '.join(named)}"


def _text(out: Out, plan: Plan) -> str:
    match out:
        case KeyOut(index=index):
            return f"key {expression_text(plan.keys[index].expr)}"
        case MeasureOut(index=index):
            return f"#{index}"
        case MeanOut(total=total, count=count):
            return f"({decimal(plan.measures[total].centre)} + #{total} / #{count})"
        case MomentOut():
            return f"({MOMENTS[out.kind]} of {_moment(out, plan)})"
        case SharesOut():
            return f"({MOMENTS[out.kind]} of {_shares(out, plan)})"
        case LiteralOut(value=value):
            return scalar_text(value)
        case CallOut(op=op, args=args):
            parts = [_text(arg, plan) for arg in args]
            if op in SYMBOLS:
                return f"({SYMBOLS[op].join(parts)})"
            return f"{op.value}({', '.join(parts)})"
        case WindowOut():
            return _window(out, plan)


def _window(out: WindowOut, plan: Plan) -> str:
    of = "rows" if out.of is None else _text(out.of, plan)
    keys = ", ".join(expression_text(plan.keys[index].expr) for index in out.partition)
    among = f" among rows of one {keys}" if keys else " among all rows"
    order = ", ".join(
        _text(one.by, plan) + (" descending" if one.descending else "") for one in out.order
    )
    by = f" by {order}" if order else ""
    if out.kind is Over.SHIFT:
        where = "before" if out.offset >= 0 else "after"
        return f"{of} of {abs(out.offset)} rows {where}{among}{by}"
    until = " up to this row" if out.running else ""
    return f"{WINDOWS[out.kind]} of {of}{until}{among}{by}"
