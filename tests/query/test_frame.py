"""Polars text: what is read, where the caret points, and that nothing runs."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.ask import Aggregate, AggregateKind, Name
from privlab.query.frame import parse_frame
from privlab.query.plan import Op, Question

Refusal = Callable[..., PrivlabError]


def under(error: PrivlabError) -> str:
    """The text above the carets."""
    assert error.caret is not None
    line, carets = error.caret.lines()
    return line[carets.index("^") : len(carets)]


def test_a_chain_keeps_its_methods_apart() -> None:
    ask = parse_frame(
        'clinic.visits.filter(pl.col("age") >= 65).group_by("ward", pl.col("sex").alias("s"))'
        '.agg(n=pl.len(), stay=pl.col("stay_days").mean())'
        '.filter(pl.col("n") > 10).sort("n", "ward", descending=[True, False]).head(5)'
    )
    assert ask.base.name == "clinic.visits"
    assert [group.name for group in ask.groups] == [None, "s"]
    assert [item.name for item in ask.items] == ["n", "stay"]
    assert [having.op for having in ask.having] == [Op.GT]
    assert [sort.descending for sort in ask.order] == [True, False]
    assert ask.limit is not None


def test_every_aggregate_is_told_apart() -> None:
    ask = parse_frame(
        'visits.select(pl.len(), pl.col("x").count(), pl.col("u").n_unique(), pl.sum("x"), '
        'pl.col.x.mean(), pl.col("x").len())'
    )
    kinds = [item.value.kind for item in ask.items if isinstance(item.value, Aggregate)]
    assert kinds == [
        AggregateKind.ROWS,
        AggregateKind.ROWS,
        AggregateKind.UNITS,
        AggregateKind.SUM,
        AggregateKind.MEAN,
        AggregateKind.ROWS,
    ]


def test_a_chain_may_run_over_lines_without_parentheses(ask: Callable[..., Question]) -> None:
    plain = ask('visits.group_by("ward").len()')
    assert ask('visits\n  .group_by("ward")  # by ward\n  .len()\n') == plain
    assert ask('(\n  visits\n  .group_by("ward")\n  .len()\n)') == plain
    assert ask('visits.lazy().group_by(["ward"]).agg([pl.len()]).collect()') == plain


@pytest.mark.parametrize(
    ("text", "code", "spot"),
    [
        ("visits.group_by('ward').agg(n=pl.len()", "PL101", None),
        ("", "PL101", None),
        ("# nothing", "PL101", None),
        ("visits.select(pl.len())\nvisits.select(pl.len())", "PL109", "visits.select(pl.len())"),
        ("import os", "PL106", "import os"),
        ("x = visits.select(pl.len())", "PL106", None),
        ("visits", "PL105", "visits"),
        ("visits.head(5)", "PL105", "head"),
        ("visits.group_by('ward')", "PL105", None),
        ("visits.filter(pl.col('age') > 3)", "PL105", None),
        ("visits.select(pl.col('age'))", "PL105", "pl.col('age')"),
        ("visits.with_columns(pl.col('age').sum()).select(pl.len())", "PL106", None),
        ("visits.with_columns(1).select(pl.len())", "PL106", "1"),
        ("visits.group_by('ward').with_columns(x=1).len()", "PL106", None),
        ("visits.rename('age').select(pl.len())", "PL106", None),
        ("visits.rename({'age': 'a'}).filter(pl.col('age') > 3).select(pl.len())", "PL104", None),
        ("visits.drop('age').filter(pl.col('age') > 3).select(pl.len())", "PL104", None),
        ("visits.drop_nulls().select(pl.len())", "PL106", None),
        ("visits.select((pl.col('age') ** pl.col('age')).sum())", "PL106", None),
        ("visits.select(pl.col('age').cut([3, 2]).count())", "PL106", None),
        ("visits.filter(pl.col('note').str.contains('a.b')).select(pl.len())", "PL106", None),
        ("visits.select(pl.col('age').cast(pl.Categorical).count())", "PL106", None),
        ("visits.filter(pl.col('seen').dt.offset_by('3h') > 1).select(pl.len())", "PL106", None),
        ("visits.filter(pl.col('urgent').when(1)).select(pl.len())", "PL106", None),
        ("visits.agg(pl.len())", "PL106", "agg"),
        ("visits.group_by('ward').filter(pl.col('age') > 3).len()", "PL106", None),
        ("visits.group_by('ward').len().group_by('ward').len()", "PL106", "group_by"),
        ("visits.group_by('ward').agg(pl.col('age').quantile([0.5]))", "PL106", None),
        ("visits.select(pl.col('age').map_elements(f).mean())", "PL106", None),
        ("visits.filter(pl.col('age') > 3 and True).select(pl.len())", "PL106", None),
        ("visits.filter(1 < pl.col('age') < 3).select(pl.len())", "PL106", None),
        ("visits.filter(pl.col('age') in [3]).select(pl.len())", "PL106", None),
        ("visits.filter(lambda: 1).select(pl.len())", "PL106", "lambda: 1"),
        ("visits.filter(pl.col(x)).select(pl.len())", "PL106", None),
        ("visits.filter(pl.read_csv('x')).select(pl.len())", "PL106", None),
        ("visits.filter(pl.col('age') == 1j).select(pl.len())", "PL106", "1j"),
        ("visits.filter(pl.col('admitted') == date(2023, 2, 30)).select(pl.len())", "PL111", None),
        ("visits.group_by(pl.col('admitted').dt.truncate('2mo')).len()", "PL106", None),
        ("visits.group_by(pl.col('admitted').dt.epoch()).len()", "PL106", None),
        ("visits.group_by().len()", "PL106", None),
        ("visits.group_by('ward').agg()", "PL106", None),
        ("visits.group_by('ward').len().sort('len', descending=3)", "PL106", "3"),
        ("visits.group_by('ward').len().head(2, 3)", "PL106", None),
        ("visits.group_by('ward').len().head(2).sort('len')", "PL106", None),
        ("visits.lazy(1).select(pl.len())", "PL106", None),
        ("visits.group_by('ward', maintain_order=x).len()", "PL106", "x"),
        ("visits.group_by('ward').len().sort('len', nulls_last=False)", "PL106", "False"),
        ("visits.filter(pl.col('age') == None).select(pl.len())", "PL111", None),
        ("visits.select(pl.all().sum())", "PL106", None),
        ("pl.select(pl.len())", "PL102", "pl"),
        ("visits[0]", "PL106", "visits[0]"),
        ("f(visits)", "PL106", "f(visits)"),
        ("visits.select(**x)", "PL106", None),
    ],
)
def test_what_the_language_does_not_have_is_refused(
    refusal: Refusal, text: str, code: str, spot: str | None
) -> None:
    error = refusal(text)
    assert error.code == code, str(error)
    if spot is not None:
        assert under(error) == spot


def test_offsets_count_characters_and_not_bytes(refusal: Refusal) -> None:
    error = refusal(
        'visits.filter(pl.col("note") == "日本語é").filter(pl.col("agee") > 3).select(pl.len())'
    )
    assert error.code == "PL104"
    assert under(error) == 'pl.col("agee")'


def test_the_text_is_never_executed(monkeypatch: pytest.MonkeyPatch, refusal: Refusal) -> None:
    """Hostile calls are refused by their place in the text; nothing is imported or called."""

    def caught(*_: object, **__: object) -> None:
        raise AssertionError("the text was executed")

    for name in ("eval", "exec", "open"):
        monkeypatch.setattr(builtins, name, caught)
    for text in (
        '__import__("os").system("true")',
        'visits.filter(open("/etc/passwd")).select(pl.len())',
        "visits.select(pl.len().__class__.__mro__)",
        'visits.filter(pl.col("age") > [x for x in range(3)][0]).select(pl.len())',
        'visits.filter(pl.col("age") > (y := 3)).select(pl.len())',
        'visits.filter(pl.col("note") == f"{x}").select(pl.len())',
    ):
        assert refusal(text).code in ("PL106", "PL105")


def test_deep_nesting_is_refused_and_does_not_crash(refusal: Refusal) -> None:
    chain = "visits" + ".filter(pl.col('urgent'))" * 3_000 + ".select(pl.len())"
    assert refusal(chain).code == "PL106"
    assert refusal("visits.filter(" + "~" * 5_000 + "pl.col('urgent')).select(pl.len())").code in (
        "PL101",
        "PL106",
    )


def test_free_names_are_parameters(ask: Callable[..., Question]) -> None:
    text = 'visits.filter(pl.col("age") >= limit).select(pl.len())'
    assert ask(text, limit=65) == ask('visits.filter(pl.col("age") >= 65).select(pl.len())')


def test_columns_can_be_attributes(ask: Callable[..., Question]) -> None:
    assert ask("visits.select(pl.col.age.mean())") == ask('visits.select(pl.col("age").mean())')
    name = parse_frame("visits.select(pl.col.age.mean())").items[0].value
    assert isinstance(name, Aggregate)
    assert isinstance(name.of, Name)


def test_eight_thousand_literals_are_read_in_linear_time(ask: Callable[..., Question]) -> None:
    listed = ", ".join(f'"é({n}"' for n in range(8_000))
    begin = time.process_time()
    ask(f'visits.filter(pl.col("note").is_in([{listed}])).select(pl.len())')
    assert time.process_time() - begin < 2
