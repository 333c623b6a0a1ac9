"""Record and replay: does a pipeline keep the privacy it declares?

A pipeline is a function of a table and of `Mechanisms`; every noisy number it
uses comes from them.  It runs on a table, and what the mechanisms gave is frozen.
It runs again on a neighbouring table and gets the same outputs.  Differential
privacy then asks for two things that need no statistics:

* each mechanism's inputs are within the sensitivity declared for it;
* all else is the same: which mechanisms, in which order, with which public
  parameters, and every word that is shown.

Whatever differs is a `Finding`.  No finding proves nothing; one finding is a
counterexample.  After the idea of Cebere, Erb, Desfontaines, Bellet and
Fitzsimons, "Privacy in Theory, Bugs in Practice" (PETS 2026, arXiv:2602.17454).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from itertools import zip_longest
from typing import Any, TypeVar

import numpy as np
import polars as pl

Table = TypeVar("Table")


class Norm(StrEnum):
    """How the distance between two vectors of integers is measured."""

    SQUARED = "squared"  # sum of squares: Gaussian noise
    ABSOLUTE = "absolute"  # sum of absolute values: Laplace noise
    LARGEST = "largest"  # largest absolute value: scores of a choice

    def distance(self, one: Sequence[int], two: Sequence[int]) -> int:
        moved = [abs(a - b) for a, b in zip(one, two, strict=True)]
        if self is Norm.SQUARED:
            return sum(by * by for by in moved)
        return sum(moved) if self is Norm.ABSOLUTE else max(moved, default=0)

    def reach(self, sensitivity: int, steps: int) -> int:
        """The largest distance after ``steps`` units came or went (triangle inequality)."""
        return sensitivity * (steps**2 if self is Norm.SQUARED else steps)


class Kind(StrEnum):
    """What a finding is about."""

    CALLS = "calls"  # another number or order of mechanisms
    PARAMETERS = "parameters"  # a public parameter depends on the data
    DECLARED = "declared"  # no sensitivity that noise could hide
    SHAPE = "shape"  # the input's length depends on the data
    INPUTS = "inputs"  # the input is not integers
    DISTANCE = "distance"  # the input moved farther than was declared
    TIMES = "times"  # the scores of more groups moved than were declared
    SHOWN = "shown"  # what is shown depends on the data
    FAILED = "failed"  # a failure depends on the data
    FOUND = "found"  # groups that one unit made: more than the delta covers, or not its alone


@dataclass(frozen=True)
class Call:
    """One use of a mechanism.  All but ``inputs`` is public.

    times: how many choices of this name one unit may move; 0 of what is no choice.
    labels: which group each input is of, where groups are those that rows hold: they
    are data, and what is public of the call is only `made`, how many of them one unit
    may make alone without their being shown, but for the delta that is charged.
    """

    name: str
    norm: Norm
    sensitivity: Any
    noise: object
    shape: tuple[int, ...]
    inputs: tuple[Any, ...]
    outputs: tuple[int, ...]
    times: Any = 0
    labels: tuple[Any, ...] | None = None
    made: Any = 0


@dataclass(frozen=True)
class Shown:
    """What the analyst sees at this point, as text."""

    what: str
    text: str


@dataclass(frozen=True)
class Failed:
    """The error that ended the run, as the analyst would hear of it."""

    error: str


Entry = Call | Shown | Failed
Recording = tuple[Entry, ...]


@dataclass(frozen=True)
class Finding:
    """One difference.  where: its place in the trace; numbers: allowed and found, where there are."""

    kind: Kind
    where: str
    first: str
    second: str
    allowed: int | None = None
    found: int | None = None


class Diverged(BaseException):
    """The replay asked for something that was not recorded; what follows has no meaning."""


class Mechanisms:
    """All that a pipeline may draw from, and all that it says.

    frozen: the recording whose outputs are given again; None records.  seed:
    names the outputs of a first run, so that a finding can be seen again.
    """

    def __init__(self, frozen: Recording | None = None, seed: str = "") -> None:
        self._frozen = None if frozen is None else [e for e in frozen if isinstance(e, Call)]
        self._seed = seed
        self._calls = 0
        self.trace: list[Entry] = []

    def add_noise(
        self,
        name: str,
        values: Any,
        *,
        sensitivity: Any,
        noise: object,
        norm: Norm = Norm.SQUARED,
        width: int = 1 << 10,
    ) -> tuple[int, ...]:
        """A noisy vector of the length of ``values``.

        sensitivity: as declared, in the norm.  noise: its public parameters.
        width: how far the recorded outputs lie about the inputs; any outputs
        will do, since privacy must hold whatever the noise was.
        """
        vector = np.asarray(values)
        inputs = tuple(vector.ravel().tolist())
        call = Call(name, norm, sensitivity, noise, vector.shape, inputs, ())
        return self._given(call, lambda: self._drawn(inputs, width))

    def choose(
        self, name: str, scores: Sequence[int], *, low: int, noise: object, times: Any
    ) -> int:
        """One of the whole numbers from ``low`` on, each of which has a score.

        The declared sensitivity of a score is one; any answer will do.
        """
        call = Call(name, Norm.LARGEST, 1, noise, (len(scores),), tuple(scores), (), times)
        (chosen,) = self._given(call, lambda: (low + self._generator().integers(len(scores)),))
        return int(chosen)

    def test_groups(
        self,
        name: str,
        labels: Sequence[Any],
        counts: Any,
        *,
        sensitivity: Any,
        noise: object,
        threshold: int,
        made: Any,
        width: int = 1 << 8,
    ) -> tuple[int, ...]:
        """Noisy counts of units, of groups of which those from ``threshold`` on are shown.

        made: how many groups of one unit the charged delta covers, None if it is not
        charged.  Given the event that it covers, no group that a single unit made is
        shown; so one of a single unit never is, in the recording and in the replay.
        """
        vector = np.asarray(counts)
        inputs = tuple(vector.ravel().tolist())
        call = Call(
            name, Norm.SQUARED, sensitivity, (noise, threshold), (), inputs, (), 0, tuple(labels), made
        )  # fmt: skip
        hidden = threshold - 1
        if self._frozen is None:
            noisy = self._drawn(inputs, width)
            outputs = tuple(
                min(hidden, given) if count <= 1 else given
                for count, given in zip(inputs, noisy, strict=True)
            )
        elif self._calls < len(self._frozen) and self._frozen[self._calls].labels is not None:
            before = self._frozen[self._calls]
            known = dict(zip(before.labels or (), before.outputs, strict=True))
            outputs = tuple(known.get(label, hidden) for label in labels)
        else:
            self.trace.append(call)
            raise Diverged
        self._calls += 1
        self.trace.append(replace(call, outputs=outputs))
        return outputs

    def _given(self, call: Call, draw: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
        if self._frozen is None:
            outputs = draw()
        elif self._calls < len(self._frozen) and self._frozen[self._calls].shape == call.shape:
            outputs = self._frozen[self._calls].outputs
        else:
            self.trace.append(call)
            raise Diverged
        self._calls += 1
        self.trace.append(replace(call, outputs=outputs))
        return outputs

    def show(self, what: str, value: object) -> None:
        """Something the analyst sees: an answer, a caption, a phase."""
        self.trace.append(Shown(what, text_of(value)))

    def _generator(self) -> np.random.Generator:
        digest = hashlib.sha256(f"{self._seed}/{self._calls}".encode()).digest()
        return np.random.default_rng(list(digest))

    def _drawn(self, inputs: Sequence[Any], width: int) -> tuple[int, ...]:
        drawn = self._generator().integers(-width, width + 1, len(inputs))
        return tuple(_whole(value) + int(by) for value, by in zip(inputs, drawn, strict=True))


def _whole(value: Any) -> int:
    """A number to record noise about, also where the input was no integer."""
    return int(value) if math.isfinite(value) else 0


Pipeline = Callable[[Table, Mechanisms], object]
"""What it returns is shown too."""


def run(pipeline: Pipeline[Table], table: Table, mechanisms: Mechanisms) -> Recording:
    """Everything that happened, in order."""
    try:
        mechanisms.show("returned", pipeline(table, mechanisms))
    except Diverged:
        pass
    except Exception as error:
        mechanisms.trace.append(Failed(f"{type(error).__name__}: {error}"))
    return tuple(mechanisms.trace)


def replay(
    pipeline: Pipeline[Table], first: Table, second: Table, *, steps: int = 1, seed: str = ""
) -> tuple[Finding, ...]:
    """Run on ``first``, replay on ``second``, and compare.

    steps: how many units come or go between the tables.
    """
    recorded = run(pipeline, first, Mechanisms(seed=seed))
    replayed = run(pipeline, second, Mechanisms(recorded))
    return tuple(compared(recorded, replayed, steps))


def compared(recorded: Recording, replayed: Recording, steps: int = 1) -> Iterator[Finding]:
    """The differences of two traces; after a different order nothing is compared."""
    moved: dict[tuple[str, str], tuple[int, int]] = {}
    for place, (one, two) in enumerate(zip_longest(recorded, replayed)):
        where = f"{place}: {_name(one or two)}"
        match one, two:
            case Call(), Call():
                yield from _calls(where, one, two, steps)
                if one.norm is Norm.LARGEST:
                    bought = one.name, text_of(one.noise)
                    count, _ = moved.get(bought, (0, 0))
                    moved[bought] = count + (one.inputs != two.inputs), (one.times or 0) * steps
            case Shown(), Shown():
                if one.what != two.what:
                    yield Finding(Kind.CALLS, where, one.what, two.what)
                elif one.text != two.text:
                    yield Finding(Kind.SHOWN, where, *_apart(one.text, two.text))
            case (Failed(), _) | (_, Failed()):
                if one != two:
                    yield Finding(Kind.FAILED, where, text_of(one), text_of(two))
                return
            case _:
                yield Finding(Kind.CALLS, where, _name(one), _name(two))
                return
    for (name, _), (found, allowed) in moved.items():
        if found > allowed:
            yield Finding(Kind.TIMES, f"call of {name}", "", "", allowed, found)


def _calls(where: str, one: Call, two: Call, steps: int) -> Iterator[Finding]:
    for part in ("name", "norm", "sensitivity", "noise", "times", "made"):
        a, b = getattr(one, part), getattr(two, part)
        if a != b:
            yield Finding(Kind.PARAMETERS, f"{where}, its {part}", text_of(a), text_of(b))
    if (one.labels is None) != (two.labels is None):
        yield Finding(Kind.CALLS, where, text_of(one.labels), text_of(two.labels))
        return
    for call in (one, two):
        choice = call.norm is not Norm.LARGEST or (type(call.times) is int and call.times > 0)
        if type(call.sensitivity) is not int or call.sensitivity < 1 or not choice:
            yield Finding(Kind.DECLARED, where, text_of(call.sensitivity), "")
            return
        if not all(type(value) is int for value in call.inputs):
            yield Finding(Kind.INPUTS, where, "integers", text_of(call.inputs))
            return
    if one.labels is not None and two.labels is not None:
        yield from _groups(where, one, two, steps)
        return
    if one.shape != two.shape:
        yield Finding(Kind.SHAPE, where, text_of(one.shape), text_of(two.shape))
        return
    allowed = one.norm.reach(one.sensitivity, steps)
    found = one.norm.distance(one.inputs, two.inputs)
    if found > allowed:
        yield Finding(
            Kind.DISTANCE, where, text_of(one.inputs), text_of(two.inputs), allowed, found
        )


def _groups(where: str, one: Call, two: Call, steps: int) -> Iterator[Finding]:
    """Counts side by side by their labels; a group that is not there has none."""
    first, second = (dict(zip(c.labels or (), c.inputs, strict=True)) for c in (one, two))
    every = tuple(dict.fromkeys((*first, *second)))
    alone = [label for label in every if (label in first) != (label in second)]
    if any(type(call.made) is not int or call.made < 1 for call in (one, two)):
        yield Finding(Kind.DECLARED, f"{where}, its delta", text_of(one.made), text_of(two.made))
    elif len(alone) > one.made * steps:
        yield Finding(Kind.FOUND, where, "", "", one.made * steps, len(alone))
    strange = [label for label in alone if not 1 <= (first | second)[label] <= steps]
    if strange:
        yield Finding(Kind.FOUND, f"{where}, counts of {text_of(strange)}", "", "")
    before, after = ([of.get(label, 0) for label in every] for of in (first, second))
    allowed, found = one.norm.reach(one.sensitivity, steps), one.norm.distance(before, after)
    if found > allowed:
        yield Finding(Kind.DISTANCE, where, text_of(before), text_of(after), allowed, found)


def _name(entry: Entry | None) -> str:
    match entry:
        case Call(name=name):
            return f"call of {name}"
        case Shown(what=what):
            return f"shown: {what}"
        case Failed():
            return "failed"
    return "nothing"


def text_of(value: object) -> str:
    """One text per value: two are the same exactly when their texts are.

    Frames with their types and all their rows, arrays with theirs, floats to
    the last bit.
    """
    match value:
        case pl.LazyFrame():
            return text_of(value.collect())
        case pl.DataFrame():
            return f"frame {value.schema} {value.rows()!r}"
        case np.ndarray():
            return f"array {value.dtype} {value.shape} {value.tolist()!r}"
        case dict():
            return "{" + ", ".join(f"{text_of(k)}: {text_of(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "(" + ", ".join(map(text_of, value)) + ")"
    if is_dataclass(value) and not isinstance(value, type):
        parts = (f"{part.name}={text_of(getattr(value, part.name))}" for part in fields(value))
        return f"{type(value).__name__}({', '.join(parts)})"
    return repr(value)


def _apart(one: str, two: str) -> tuple[str, str]:
    """Both texts from a little before where they part."""
    at = next(
        (i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b),
        min(len(one), len(two)),
    )
    start = max(0, at - 40)
    return one[start : at + 80], two[start : at + 80]
