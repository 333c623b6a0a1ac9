"""Merging measurements: nothing bought is wasted, and pure ones are never merged."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.terms.noise import Choice, DiscreteLaplace, RoundedGaussian, RoundedLaplace
from privlab.views.measurement import Measurement, held, merged, shown

noises = st.builds(RoundedGaussian, st.integers(1, 1 << 32), st.integers(0, 62))


@st.composite
def views(draw: st.DrawFn) -> list[Measurement]:
    cells = draw(st.integers(1, 4))
    vector = st.tuples(*[st.integers(-(10**9), 10**9)] * cells)
    return draw(st.lists(st.builds(Measurement, noises, vector), min_size=1, max_size=4))


grid = st.integers(1, 1 << 32), st.integers(0, 62)
laplaces = st.builds(DiscreteLaplace, *grid) | st.builds(RoundedLaplace, *grid)


@given(view=st.lists(st.builds(Measurement, laplaces, st.tuples(st.integers())), min_size=1))
def test_of_laplace_measurements_the_finest_is_held(
    view: list[Measurement],
) -> None:
    (finest,) = shown(view)
    assert finest in view
    assert held(view) == finest.noise.precision == max(1 / m.noise.scale for m in view)  # type: ignore[union-attr]
    assert merged(view) == (Fraction(finest.values[0]),)


def test_of_two_equally_fine_laplace_measurements_the_older_is_held() -> None:
    noise = DiscreteLaplace(3, 1)
    assert merged([Measurement(noise, (5,)), Measurement(noise, (6,))]) == (Fraction(5),)


def test_gaussian_and_laplace_measurements_are_of_no_common_view() -> None:
    mixed = [Measurement(RoundedGaussian(1, 0), (1,)), Measurement(DiscreteLaplace(1, 0), (1,))]
    with pytest.raises(ValueError, match="one currency"):
        held(mixed)


@given(view=views())
def test_all_gaussian_measurements_are_shown(view: list[Measurement]) -> None:
    assert shown(view) == tuple(view)


def test_of_choices_the_finest_is_held_and_none_are_merged() -> None:
    coarse, fine = Choice(1, 4), Choice(3, 5)
    view = [Measurement(fine, (7, 9)), Measurement(coarse, (0, 1)), Measurement(fine, (8, 8))]
    assert shown(view) == (view[0],)
    assert held(view) == Fraction(3, 32)
    assert merged(view) == (7, 9)


@pytest.mark.parametrize("noise", [RoundedGaussian(1, 0), DiscreteLaplace(1, 0)])
def test_noise_and_choices_are_of_no_common_view(noise: RoundedGaussian | DiscreteLaplace) -> None:
    with pytest.raises(ValueError, match="one kind"):
        shown([Measurement(noise, (1,)), Measurement(Choice(1, 0), (1,))])


@given(view=views())
def test_precision_adds(view: list[Measurement]) -> None:
    assert held(view) == sum(m.noise.precision for m in view)
    assert held([]) == 0


@given(view=views())
def test_a_mean_lies_among_what_was_measured(view: list[Measurement]) -> None:
    for at, value in enumerate(merged(view)):
        cell = [m.values[at] for m in view]
        assert min(cell) <= value <= max(cell)


@given(view=views())
def test_the_order_of_purchase_does_not_matter(view: list[Measurement]) -> None:
    assert merged(view) == merged(view[::-1])


@given(noise=noises, value=st.integers())
def test_one_measurement_is_itself(noise: RoundedGaussian, value: int) -> None:
    assert merged([Measurement(noise, (value,))]) == (Fraction(value),)


@given(view=views())
def test_the_merged_variance_is_one_over_the_precision(view: list[Measurement]) -> None:
    """Weights w_i = P_i / P give sum(w_i^2 / P_i) = 1 / P, exactly."""
    total = held(view)
    variance = sum((m.noise.precision / total) ** 2 / m.noise.precision for m in view)
    assert variance == 1 / total


def test_a_precise_measurement_outweighs_a_coarse_one() -> None:
    fine, coarse = RoundedGaussian(1, 0), RoundedGaussian(3, 0)
    assert merged([Measurement(fine, (0,)), Measurement(coarse, (10,))]) == (Fraction(1),)


def test_nothing_and_unequal_vectors_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        merged([])
    noise = RoundedGaussian(1, 0)
    with pytest.raises(ValueError, match="shorter"):
        merged([Measurement(noise, (1, 2)), Measurement(noise, (1,))])
