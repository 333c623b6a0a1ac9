"""How far linear combinations of released values, and ratios of them, may be off.

The noise of every measure and cell is independent of all others.  In a gdp
dataset variances add up and Fieller's interval holds for ratios; in a pure one
every noise that takes part is boxed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.gaussian import ROUNDING, sqrt_up, z
from privlab.accuracy.ratio_joint import Linear, joint
from privlab.query.law import law_of
from privlab.query.plan import Measure
from privlab.query.post.boxes import Box, outward
from privlab.terms.loss import Currency

ZERO = Fraction(0)

Term = tuple[int, int]
"""A measure and a cell: one released number."""


class Combined:
    """constant + sum of coefficients times released numbers, in the column's own unit.

    terms: the coefficient of each number, per step.
    """

    __slots__ = ("_linear", "terms", "value")

    def __init__(self, value: Fraction, terms: Mapping[Term, Fraction]) -> None:
        self.value = value
        self.terms = terms
        self._linear: tuple[Fraction, Fraction] | None = None


class Noises:
    """The noise of one answer.  precisions: as the question's `law` has them."""

    def __init__(
        self, currency: Currency, measures: Sequence[Measure], precisions: Sequence[Fraction]
    ) -> None:
        self.law = law_of(currency)
        self.gaussian = currency is Currency.GDP
        self.precisions = precisions
        self.variances = [1 / precision for precision in precisions] if self.gaussian else []
        self.steps = [measure.step for measure in measures]

    def linear(self, one: Combined) -> Linear:
        """Its Gaussian error."""
        if one._linear is None:
            variance = sum(
                (by * by * self.variances[at] for (at, _), by in one.terms.items()), Fraction(0)
            )
            rounding = sum(map(abs, one.terms.values()), Fraction(0)) * ROUNDING
            one._linear = variance, rounding
        return Linear(one.value, *one._linear)

    def covariance(self, a: Combined, b: Combined) -> Fraction:
        if len(a.terms) > len(b.terms):
            a, b = b, a
        return sum(
            (
                by * b.terms.get(term, Fraction(0)) * self.variances[term[0]]
                for term, by in a.terms.items()
            ),
            Fraction(0),
        )

    def sum_of(self, parts: Iterable[tuple[Fraction, Combined]], constant: Fraction) -> Linear:
        """The error of a sum of combinations that may share numbers."""
        listed = list(parts)
        value, variance, rounding = constant, Fraction(0), Fraction(0)
        for at, (by, one) in enumerate(listed):
            found = self.linear(one)
            value += by * one.value
            variance += by * by * found.variance
            rounding += abs(by) * found.rounding
            for other_by, other in listed[:at]:
                variance += 2 * by * other_by * self.covariance(one, other)
        return Linear(value, variance, rounding)

    def width(self, one: Linear, confidence: Fraction) -> Fraction:
        """The half-width of a linear combination with Gaussian noise."""
        return sqrt_up(z(confidence) ** 2 * one.variance) + one.rounding

    def boxed(self, terms: Mapping[Term, Fraction], confidence: Fraction) -> Fraction:
        """The half-width of a linear combination with Laplace noise.

        confidence: of each of the noises, already `simultaneous`.
        """
        return sum(
            (
                abs(by) * self.law.half_width(self.precisions[at], confidence)
                for (at, _), by in terms.items()
            ),
            Fraction(0),
        )

    def interval(
        self, parts: Sequence[tuple[Fraction, Combined]], constant: Fraction, confidence: Fraction
    ) -> Box:
        """Of a linear combination."""
        value = sum((by * one.value for by, one in parts), constant)
        if len(parts) == 1 and len(parts[0][1].terms) == 1:
            ((at, _), step), by = next(iter(parts[0][1].terms.items())), parts[0][0]
            width = abs(by * step) * self.law.half_width(self.precisions[at], confidence)
        elif self.gaussian:
            width = self.width(self.sum_of(parts, constant), confidence)
        else:
            terms = merged(parts)
            each = simultaneous(confidence, max(1, len(terms)))
            width = self.boxed(terms, each)
        return value - width, value + width

    def ratio(
        self,
        top: Sequence[tuple[Fraction, Combined]],
        bottom: Sequence[tuple[Fraction, Combined]],
        constants: tuple[Fraction, Fraction],
        confidence: Fraction,
    ) -> Box | None:
        """Of one linear combination over another; None where it is unbounded."""
        if self.gaussian:
            shared = sum(
                (a * b * self.covariance(one, other) for a, one in top for b, other in bottom),
                Fraction(0),
            )
            above = self.sum_of(top, constants[0])
            return joint(above, self.sum_of(bottom, constants[1]), shared, confidence)
        over, under = merged(top), merged(bottom)
        each = simultaneous(confidence, max(1, len({*over, *under})))
        values = [
            sum((by * one.value for by, one in parts), constant)
            for parts, constant in ((top, constants[0]), (bottom, constants[1]))
        ]
        widths = {at: self.law.half_width(self.precisions[at], each) for at, _ in {*over, *under}}
        moves = [
            (over.get(term, ZERO) * widths[term[0]], under.get(term, ZERO) * widths[term[0]])
            for term in {*over, *under}
        ]
        return ratio_in_box((values[0], values[1]), moves)


def ratio_in_box(
    values: tuple[Fraction, Fraction], moves: Sequence[tuple[Fraction, Fraction]]
) -> Box | None:
    """All that ``top / bottom`` can be where each of ``moves`` adds any part of -1..1 of
    itself to both; None where the bottom can be zero.

    Of a ratio of linear functions an end is at a vertex: for the best ratio so far
    every move goes to the side that raises ``top - ratio * bottom``, and where that
    raises the ratio no more, it is the largest (Dinkelbach 1967).
    """
    top, bottom = values
    if bottom < 0:
        top, bottom, moves = -top, -bottom, [(-a, -b) for a, b in moves]
    if bottom <= sum((abs(b) for _, b in moves), ZERO):
        return None

    def end(side: int) -> Fraction:
        best = top / bottom
        while True:
            signs = [side if a >= best * b else -side for a, b in moves]
            above = top + sum((by * a for by, (a, _) in zip(signs, moves, strict=True)), ZERO)
            below = bottom + sum((by * b for by, (_, b) in zip(signs, moves, strict=True)), ZERO)
            found = above / below
            if side * found <= side * best:
                return best
            best = found

    return outward(end(-1), end(1))


def merged(parts: Iterable[tuple[Fraction, Combined]]) -> dict[Term, Fraction]:
    """The coefficients of a sum of combinations; what cancels is left out."""
    found: dict[Term, Fraction] = {}
    for by, one in parts:
        for term, factor in one.terms.items():
            found[term] = found.get(term, Fraction(0)) + by * factor
    return {term: by for term, by in found.items() if by}
