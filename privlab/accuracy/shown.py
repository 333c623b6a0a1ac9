"""Intervals for counts that are shown only because they reached a threshold.

A group whose noisy count is below the threshold is hidden, so the counts that
are shown are too large on average, and plain intervals may never cover: a group
12 below a threshold of 27 is shown only with noise of 12 or more.  These
intervals cover as stated among the groups that are shown: they invert the law of
a released count given that it is shown, a rounded Gaussian cut off at the
threshold (Neyman 1937, "Outline of a theory of statistical estimation";
conditioning on what was selected as in Lee, Sun, Sun, Taylor 2016, "Exact
post-selection inference", arXiv:1311.6238).

They are the intervals of the count that was tested; other columns have noise of their own.
"""

from __future__ import annotations

from fractions import Fraction

from privlab.accuracy.confidence import outside
from privlab.accuracy.gaussian import whole_half_width
from privlab.accuracy.normal import BITS, compare_tails, tail
from privlab.terms.exact import positive, whole

HALF = Fraction(1, 2)


class ShownIntervals:
    """Intervals of exact counts for many groups of one measurement.

    variance: of the continuous Gaussian that was rounded and added, in steps^2;
    threshold: a group is shown if its released count is at least this, in whole
    steps; confidence: percent; least: the smallest exact count a group can have,
    1 where only groups exist that somebody is in, 0 where the keys are public.

    ``P(low <= exact <= high, given that the group is shown) >= confidence`` for
    every exact count from ``least`` on.  Under an exact count q the released
    counts that are most likely, given that they are shown, are those at most
    r(q) away from q; q is in the interval if the released count is among them.
    Far above the threshold that is ``whole_half_width`` to either side.

    The threshold was tested on this one measurement: for a mean of several, or
    one that a later measurement was merged into, nothing is claimed.

    :raises ValueError: variance is not positive, ``threshold < least``, or the
        confidence, see `outside`.
    """

    def __init__(
        self, variance: Fraction, threshold: int, confidence: Fraction, least: int = 1
    ) -> None:
        if whole("a threshold", threshold) < whole("a smallest count", least):
            raise ValueError(f"a threshold of {threshold} hides no count from {least} on")
        self.variance = positive("a variance", variance)
        self.threshold = threshold
        self.least = least
        self.missed = outside(confidence)
        self.plain = int(whole_half_width(variance, confidence))
        self.settled = self._settled()
        self.known: dict[int, tuple[int, int]] = {}

    def of(self, released: int) -> tuple[int, int]:
        """(low, high), in whole steps; ``least <= low <= released <= high``.

        :raises ValueError: released is below the threshold: it was not shown.
        """
        if whole("a released count", released) < self.threshold:
            raise ValueError(f"{released} is below the threshold of {self.threshold}")
        if released >= self.settled:
            return max(self.least, released - self.plain), released + self.plain
        if released not in self.known:
            self.known[released] = self._low(released), self._high(released)
        return self.known[released]

    def _excludes(self, exact: int, off: int) -> bool:
        """Whether r(exact) < off is proved: fewer than ``off`` steps cover already.

        That is ``P(|noise| < off, shown) >= confidence P(shown)``.
        """
        if off == 0:
            return False
        within, cut = off - HALF, self.threshold - HALF - exact
        if cut >= -within:  # cut off below: only noise above ``within`` is left out
            return compare_tails(within, cut, self.variance, self.missed) < 0
        _, beyond = tail(within, self.variance)
        hidden, _ = tail(-cut, self.variance)
        one, of = 1 << BITS, self.missed.denominator
        return (one - 2 * beyond) * of >= (of - self.missed.numerator) * (one - hidden)

    def _low(self, released: int) -> int:
        """The smallest count that is not excluded."""
        inside, step = released, self.plain + 1
        while True:
            beyond = released - step
            if beyond < self.least:
                beyond = self.least - 1
                break
            if self._excludes(beyond, step):
                break
            inside, step = beyond, 2 * step
        while inside - beyond > 1:
            middle = (inside + beyond) // 2
            if self._excludes(middle, released - middle):
                beyond = middle
            else:
                inside = middle
        return inside

    def _high(self, released: int) -> int:
        """The largest count that is not excluded; at most ``plain`` above."""
        inside, beyond = released, released + self.plain + 1
        while beyond - inside > 1:
            middle = (inside + beyond) // 2
            if self._excludes(middle, middle - released):
                beyond = middle
            else:
                inside = middle
        return inside

    def _settled(self) -> int:
        """From which released count on both ends are ``plain`` away.

        From ``threshold + plain`` on r(q) grows with q, up to ``plain``.
        """
        first = self.threshold + self.plain
        step = 1
        while self._excludes(first + step, self.plain):
            step *= 2
        low, high = first + step // 2, first + step
        while high - low > 1:
            middle = (low + high) // 2
            if self._excludes(middle, self.plain):
                low = middle
            else:
                high = middle
        return high + self.plain + 1
