"""Every law has its half-width, and every half-width its noise."""

from __future__ import annotations

import ast
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab import accuracy
from privlab.accuracy import gaussian, laplace
from privlab.accuracy.laws import half_width, widest
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

NINETY_FIVE = Fraction(95)
LAWS = (RoundedGaussian, DiscreteLaplace, RoundedLaplace)


def test_a_single_measurement_has_the_quantile_of_its_law() -> None:
    """And a variance that of a mean of measurements."""
    assert half_width(RoundedGaussian(5, 1), NINETY_FIVE) == gaussian.whole_half_width(
        Fraction(50), NINETY_FIVE
    )
    assert half_width(DiscreteLaplace(5, 1), NINETY_FIVE) == 7
    assert half_width(RoundedLaplace(5, 1), NINETY_FIVE) == 7
    assert half_width(Fraction(50), NINETY_FIVE) == gaussian.half_width(Fraction(50), NINETY_FIVE)


@settings(deadline=None)
@given(
    st.sampled_from(LAWS),
    st.fractions(1, 10**6),
    st.fractions(Fraction(1), Fraction(9999, 100), max_denominator=1000),
)
def test_the_noise_for_a_half_width_meets_it(
    law: type[RoundedGaussian], width: Fraction, confidence: Fraction
) -> None:
    """Of every law, and it is not much narrower than it might be."""
    noise: Noise = widest(law, width, confidence)
    assert type(noise) is law
    assert half_width(noise, confidence) <= width
    wider = type(noise)(noise.multiplier, noise.shift - 1)
    if width >= 2:
        assert half_width(wider, confidence) > width / 2


def test_twenty_five_at_ninety_five() -> None:
    """Scale 8.517 of either Laplace law, sigma 12.5 of the Gaussian."""
    scales = [float(widest(law, Fraction(25), NINETY_FIVE).scale) for law in LAWS[1:]]
    assert [round(scale, 3) for scale in scales] == [8.517, 8.512]
    sigma = float(widest(RoundedGaussian, Fraction(25), NINETY_FIVE).variance) ** 0.5
    assert round(sigma, 4) == 12.5002
    assert laplace.rate_for(Fraction(25), NINETY_FIVE) * 25 < 3


def test_it_needs_nothing_but_the_standard_library() -> None:
    """The notebook's part computes intervals too; and no float comes near one."""
    for path in Path(accuracy.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                first, _, rest = module.partition(".")
                assert first in sys.stdlib_module_names or rest.startswith(("accuracy", "terms"))
            assert not (isinstance(node, ast.Constant) and type(node.value) is float)
            assert not (isinstance(node, ast.Name) and node.id == "float")


def test_a_float_is_refused_also_where_its_fraction_is_known() -> None:
    """A cache would take one for the other: 25.0 == Fraction(25)."""
    noise, width = DiscreteLaplace(5, 1), Fraction(25)
    half_width(noise, NINETY_FIVE)
    laplace.rate_for(width, NINETY_FIVE)
    gaussian.whole_half_width(width, NINETY_FIVE)
    gaussian.z(NINETY_FIVE)
    for refused in (
        lambda: half_width(noise, 95.0),  # type: ignore[arg-type]
        lambda: laplace.rate_for(25.0, NINETY_FIVE),  # type: ignore[arg-type]
        lambda: laplace.rate_for(width, 95.0),  # type: ignore[arg-type]
        lambda: gaussian.whole_half_width(25.0, NINETY_FIVE),  # type: ignore[arg-type]
        lambda: gaussian.z(95.0),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match="Fraction"):
            refused()


def test_what_no_noise_meets_is_refused() -> None:
    """Half a step is what rounding uses up."""
    with pytest.raises(ValueError, match="half a step"):
        widest(RoundedGaussian, Fraction(1, 2), NINETY_FIVE)
    with pytest.raises(ValueError, match="not negative"):
        widest(DiscreteLaplace, Fraction(-1), NINETY_FIVE)
    with pytest.raises(ValueError, match="not negative"):
        half_width(Fraction(-1), NINETY_FIVE)
