"""Exact Laplace noise, compiled: discrete, and continuous but rounded.

A trial (`privlab.kernels.trial`) makes an exponential real of mean 2: V has
``P(V >= v) = exp(-v / 2)`` and the chance of being kept is ``exp(-x / 2)``, so the
kept ``V + x`` has density ``exp(-(V + x) / 2) / 2``.  Half of it, scaled by
``multiplier / 2^shift`` and given a sign, is a Laplace variable of that scale.

  rounded   to the nearest integer
  discrete  rounded down, which makes a geometric variable of an exponential
            one; "minus zero" is dropped, so that zero has no double weight

Steps of a half rather than of one keep 79 trials of 100 instead of 63.
``docs/proofs/laplace.md`` has the argument; the plain Python twin is
``tests/kernels/twin_laplace.py`` and the two must agree word for word.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels import trial
from privlab.kernels.trial import full_decay, half_decay, half_table, inlined

STEP_BITS = 1
"""A whole step of V is 2^-1."""

V_TABLE = np.array(
    [
        0x325D340E41A7D806,
        0x50E95393A6219072,
        0x6370788DB4A3E29B,
        0x6EAD555C407E3460,
        0x757E3D1FB585EDAC,
        0x79A093CCCC53D44D,
        0x7C227DFCE3601341,
        0x7DA7D548FBD86171,
        0x7E93FAFB96A3BE8C,
        0x7F233600FF95644F,
        0x7F7A15AD29AC46BC,
        0x7FAEC6B83BB0ACA8,
        0x7FCEBC3CEAD5600B,
        0x7FE21E9463DB5671,
        0x7FEDE0645BF0CE2B,
        0x7FF501EF7DF7EC29,
        0x7FF9552F0131AFD7,
        0x7FFBF4C376B66AE9,
        0x7FFD8C18EB56CE03,
        0x7FFE832864A9B836,
        0x7FFF1901ECE04AFA,
        0x7FFF73E55EE384C4,
        0x7FFFAB05CA261FD3,
        0x7FFFCC7567897886,
        0x7FFFE0BD12C09719,
        0x7FFFED09FAC467E2,
        0x7FFFF47FE3458B5D,
        0x7FFFF9064E4093FA,
        0x7FFFFBC4EBF0B65A,
        0x7FFFFD6F146BBB02,
        0x7FFFFE718EC7F88E,
        0x7FFFFF0E5522288B,
        0x7FFFFF6D6BD93E38,
        0x7FFFFFA71873A296,
        0x7FFFFFCA13A2DB07,
        0x7FFFFFDF4B3AE72C,
        0x7FFFFFEC29A88927,
        0x7FFFFFF3F7D48069,
        0x7FFFFFF8B3C85283,
        0x7FFFFFFB92DE6A83,
        0x7FFFFFFD50B8A022,
        0x7FFFFFFE5F24F2F2,
        0x7FFFFFFF032A0CBA,
        0x7FFFFFFF66A5BA07,
        0x7FFFFFFFA2FCA751,
        0x7FFFFFFFC795B037,
        0x7FFFFFFFDDC84B91,
        0x7FFFFFFFEB3EF870,
        0x7FFFFFFFF3697C14,
        0x7FFFFFFFF85D7216,
        0x7FFFFFFFFB5E80BB,
        0x7FFFFFFFFD30F5AB,
        0x7FFFFFFFFE4BE146,
        0x7FFFFFFFFEF77AD6,
        0x7FFFFFFFFF5F8F77,
        0x7FFFFFFFFF9EB03F,
        0x7FFFFFFFFFC4FA42,
        0x7FFFFFFFFFDC337A,
        0x7FFFFFFFFFEA496F,
        0x7FFFFFFFFFF2D48F,
        0x7FFFFFFFFFF8031E,
        0x7FFFFFFFFFFB27B7,
        0x7FFFFFFFFFFD0FBA,
        0x7FFFFFFFFFFE37B9,
        0x7FFFFFFFFFFEEB41,
        0x7FFFFFFFFFFF5825,
        0x7FFFFFFFFFFF9A30,
        0x7FFFFFFFFFFFC23F,
        0x7FFFFFFFFFFFDA8B,
        0x7FFFFFFFFFFFE948,
        0x7FFFFFFFFFFFF238,
        0x7FFFFFFFFFFFF7A4,
        0x7FFFFFFFFFFFFAEE,
        0x7FFFFFFFFFFFFCEC,
        0x7FFFFFFFFFFFFE22,
        0x7FFFFFFFFFFFFEDE,
        0x7FFFFFFFFFFFFF50,
        0x7FFFFFFFFFFFFF95,
        0x7FFFFFFFFFFFFFBF,
        0x7FFFFFFFFFFFFFD8,
        0x7FFFFFFFFFFFFFE8,
        0x7FFFFFFFFFFFFFF1,
        0x7FFFFFFFFFFFFFF7,
        0x7FFFFFFFFFFFFFFA,
        0x7FFFFFFFFFFFFFFC,
        0x7FFFFFFFFFFFFFFE,
        0x7FFFFFFFFFFFFFFE,
        0x7FFFFFFFFFFFFFFF,
    ],
    dtype=np.uint64,
)
"""floor(2^63 P(V <= v)), v = 0..87.  The last is the largest U: beyond it, a tie."""

V_HALVES = half_table(V_TABLE)

_ONE = np.uint64(1)
_STEP_BITS = np.uint64(STEP_BITS)

_jit: Any = nb.njit
_types: Any = nb.types
_compile: Any = _jit(
    _types.UniTuple(nb.uint64, 3)(
        nb.uint64[::1], nb.uint64, nb.uint64, nb.uint64, nb.uint64[::1], nb.uint64
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)


@inlined
def half_chance(_: np.uint64, x: np.uint64) -> Any:
    """2^32 exp(-x / 2) within 3, for any V and x in units of 2^-32."""
    return half_decay(x >> _ONE)


@inlined
def full_chance(_: np.uint64, x: np.uint64) -> Any:
    """2^64 exp(-x / 2) within 3, for any V and x in units of 2^-64."""
    return full_decay(x >> _ONE)


@inlined
def laplace(
    rounded: bool,
    width: np.uint64,
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """Both kernels below, on words of which ``width`` bits are known."""
    return trial.add_noise(
        half_chance,
        full_chance,
        V_HALVES,
        V_TABLE,
        rounded,
        width,
        values,
        cell,
        multiplier,
        shift + _STEP_BITS,
        words,
        at,
    )


@_compile
def add_discrete_laplace(
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """Add noise with ``P(k) ~ exp(-|k| 2^shift / multiplier)`` to ``values``, in place.

    Arguments, statuses and what they mean are those of
    `privlab.kernels.gaussian.add_rounded_gaussian`.
    """
    return laplace(trial.DOWN, trial.WIDTH, values, cell, multiplier, shift, words, at)


@_compile
def add_rounded_laplace(
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """Add Laplace noise of scale ``multiplier / 2^shift``, rounded to integers, in place.

    Arguments, statuses and what they mean are those of
    `privlab.kernels.gaussian.add_rounded_gaussian`.
    """
    return laplace(trial.NEAREST, trial.WIDTH, values, cell, multiplier, shift, words, at)
