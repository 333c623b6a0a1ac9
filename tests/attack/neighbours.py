"""Neighbouring tables of the attacks' contract: all rows of one unit more, or fewer.

Values are of every temper a file may hold: inside the clamps, at and beyond
them, not finite, null, empty, the texts that mean null, days no calendar has.
Rows of all units stand mixed in the file; the neighbour is the same file without
one unit's rows, and `protect` gives everybody else the pseudonym and the place
they had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.attack.contract import SCHEMA, UNIT, Place, Row, Rows, Tiled

INT64 = (-(1 << 63), (1 << 63) - 1)
FAR = (-(10**9), 10**9)
MANY = 160
"""Most rows of one unit."""

VERY_MANY = 150_000
"""But for one unit, which alone comes near the cap on rows."""

WARDS = ("north", "south", "west")
DAY = 19_358
"""2023-01-01, in days."""

_INSTANT = DAY * 86_400 * 10**6

Values = tuple[Any, ...]

PLAIN: dict[str, Values] = {
    "ward": WARDS,
    "age": (0, 17, 18, 65, 110),
    "score": (18, 19, 37, 60),
    "points": (-10, -1, 0, 1, 10),
    "big": (-7, 5, 12),
    "stay": (-2.0, 0.0, 0.25, 7.125, 60.0),
    "weight": (40.0, 72.5, 99.9),
    "urgent": (True, False),
    "day": tuple(DAY + by for by in (0, 30, 31, 100, 200, 364)),
    "at": tuple(_INSTANT + by * 10**6 for by in (0, 3_600, 40 * 86_400)),
}

STRANGE: dict[str, Values] = {
    "ward": ("attic", "", "NA", "North", "north ", "\0", "ß" * 40),
    "age": (-1, 111, *FAR, *INT64),
    "score": (0, 17, 61, *FAR, *INT64),
    "points": (-11, 11, *FAR, *INT64),
    "big": (0, *FAR, *INT64),
    "stay": (float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, -0.0, *FAR, 60.125),
    "weight": (float("nan"), float("inf"), float("-inf"), 1.7e308, -1.7e308, -0.0, *FAR),
    "urgent": (True, False),
    "day": (DAY - 1, DAY + 365, 0, -719_162, 2_932_896, -800_000, -(1 << 31), (1 << 31) - 1),
    "at": (_INSTANT - 1, 0, -(2**60), *INT64),
}

IDS = ("ann", "Ann", "ann ", "", "0", "00", "1e3", "ß", "bo", "cy", "di", "ed", "\0")


def unit_of(row: Row) -> str | None:
    """Whose row it is: the text "NA" means null here, as the contract says."""
    name: str | None = row[UNIT]
    return None if name == "NA" else name


@dataclass(frozen=True)
class Pair:
    """Two tables ``steps`` units apart, each protected when first asked for."""

    first: Place
    second: Place
    steps: int = 1
    about: str = ""

    @cached_property
    def seed(self) -> str:
        return f"{self.about} {len(self.first.rows)} {len(self.second.rows)}"

    def __repr__(self) -> str:
        return f"Pair({self.about}: {self.first.rows} to {self.second.rows})"


def without(rows: Rows, unit: str | None) -> Rows:
    """The file after ``unit`` left it; nothing else is touched."""
    return tuple(row for row in rows if unit_of(row) != unit)


def leaving(
    rows: Rows, unit: str | None, null_unit: str = "drop", *, added: bool = False, about: str = ""
) -> Pair:
    """The pair in which ``unit`` leaves, or comes."""
    more, fewer = Place(rows, null_unit), Place(without(rows, unit), null_unit)
    return Pair(fewer, more, about=about) if added else Pair(more, fewer, about=about)


# --- by hand -----------------------------------------------------------------


def cycled(unit: str | None, count: int, **values: Values) -> list[Row]:
    """``count`` rows of one unit; column ``n`` of a row runs through its values at a pace of its own."""
    filled = {name: values.get(name, PLAIN[name][:1]) for name in SCHEMA if name != UNIT}
    return [
        {UNIT: unit} | {name: one[i // (1 + at % 3) % len(one)] for at, (name, one) in enumerate(filled.items())}
        for i in range(count)
    ]  # fmt: skip


def mixed(*units: list[Row], order: int = 0) -> Rows:
    """All rows in one file, in an order that ``order`` decides."""
    rows = [row for unit in units for row in unit]
    Random(order).shuffle(rows)
    return tuple(rows)


def _crowd(rows_each: int = 9) -> list[list[Row]]:
    return [
        cycled(name, rows_each + at % 5, **{k: (*v[at % len(v) :], *v) for k, v in PLAIN.items()})
        for at, name in enumerate(name for name in IDS if name != "ann")
    ]


def by_hand() -> Iterator[Pair]:
    """Pairs that every plan meets, whatever is drawn."""
    crowd = _crowd()
    nulls: dict[str, Values] = dict.fromkeys(PLAIN, (None,))
    lowest = {k: (v[0], None) for k, v in STRANGE.items()} | {"ward": WARDS, "day": PLAIN["day"]}
    highest = PLAIN | {k: (v[-1],) for k, v in STRANGE.items() if k in ("age", "score", "points")}
    units: dict[str, list[Row]] = {
        "one row": cycled("ann", 1),
        "ordinary": cycled("ann", 5, **PLAIN),
        "very many rows": cycled("ann", MANY, **PLAIN),
        "in every group": cycled("ann", 96, **(PLAIN | {"day": tuple(DAY + 31 * m for m in range(12))})),
        "all null": cycled("ann", 12, **nulls),
        "strange": cycled("ann", 40, **STRANGE),
        "far beyond, and in groups": cycled("ann", 30, **highest),
        "as low as it goes": cycled("ann", 30, **lowest),
        "most of all rows, at one end": cycled("ann", MANY, **highest),
        "the same row again": cycled("ann", 50),
    }  # fmt: skip
    for at, (about, unit) in enumerate(units.items()):
        yield leaving(mixed(*crowd, unit, order=at), "ann", added=at % 2 == 1, about=about)
    yield leaving(mixed(units["very many rows"]), "ann", about="the only one")
    yield leaving(mixed(units["one row"]), "ann", added=True, about="the only row")
    for null_unit in ("drop", "one"):
        for about in ("very many rows", "strange"):
            none = [row | {UNIT: (None, "NA")[n % 2]} for n, row in enumerate(units[about])]
            yield leaving(
                mixed(*crowd, none), None, null_unit, about=f"no id ({null_unit}), {about}"
            )
    yield leaving(mixed(*crowd), "nobody", about="nobody leaves")
    yield leaving((), "nobody", about="empty")


def crowded() -> Pair:
    """One unit of more rows than any batch has, among a few others."""
    others = mixed(*_crowd())
    unit = tuple(cycled("ann", MANY, **PLAIN))
    more = Tiled(others, "drop", tile=unit, times=VERY_MANY // MANY)
    return Pair(more, Place(others, "drop"), about="more rows than a batch")


# --- drawn -------------------------------------------------------------------


def _values(name: str) -> st.SearchStrategy[Values]:
    plain = st.sampled_from(PLAIN[name])
    strange = st.sampled_from((None, *STRANGE[name]))
    return st.lists(st.one_of(plain, plain, strange), min_size=1, max_size=4).map(tuple)


_COLUMNS = st.fixed_dictionaries({name: _values(name) for name in PLAIN})
_NULLS = st.just(dict.fromkeys(PLAIN, (None,)))


def _units(name: st.SearchStrategy[str | None], most: int) -> st.SearchStrategy[list[Row]]:
    return st.builds(
        lambda unit, count, values: cycled(unit, count, **values),
        name,
        st.integers(1, most),
        st.one_of(_COLUMNS, _COLUMNS, st.just(PLAIN), st.just(STRANGE), _NULLS),
    )


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Any pair: up to twelve others, and one unit that comes or leaves."""
    names = st.sampled_from((*IDS, None, "NA"))
    most = draw(st.sampled_from((4, 20, MANY)))
    unit = draw(_units(names, most))
    least = draw(st.sampled_from((0, 0, 4, 10)))
    others = draw(st.lists(_units(names, 12), min_size=least, max_size=12))
    return leaving(
        mixed(unit, *others, order=draw(st.integers(0, 1 << 16))),
        unit_of(unit[0]),
        draw(st.sampled_from(("drop", "one"))),
        added=draw(st.booleans()),
        about="drawn",
    )


@st.composite
def swaps(draw: st.DrawFn, most: int = 3) -> Pair:
    """One unit of at most ``most`` rows, all in one ward, takes another's place: two steps."""
    values = st.fixed_dictionaries(
        {name: _values(name) for name in PLAIN} | {"ward": st.just(("north",))}
    )
    ends = st.just({"points": (-10,)}) | st.just({"points": (10,)})
    one, two = (
        cycled(name, draw(st.integers(1, most)), **(draw(values) | draw(st.one_of(st.just({}), ends))))
        for name in ("ann", "bo")
    )  # fmt: skip
    return Pair(Place(tuple(one), "drop"), Place(tuple(two), "drop"), steps=2, about="a swap")


def sampled(strategy: st.SearchStrategy[Pair], count: int, number: int = 1) -> list[Pair]:
    """``count`` different pairs, the same ones each time."""
    found: dict[str, Pair] = {}

    @seed(number)
    @settings(
        max_examples=3 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(pair: Pair) -> None:
        found.setdefault(repr(pair), pair)

    run: Callable[[], None] = collect
    run()
    return list(found.values())[:count]
