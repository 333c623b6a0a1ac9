"""What kept rows add to their groups: ones, and whole steps of numbers.

Which rows are kept is `bounding`'s.  Here each of them adds an integer that is at most
``radius`` in absolute value, whatever stands in the table; the caller has made sure
from public bounds that so many of them fit int64.  Decimals are coded as
`privlab.query.plan.Measure` says, in IEEE doubles and in that order of operations, so
that the plain reference agrees to the last bit.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

WHOLE_VALUE = 0
ABOVE = 1
BELOW = 2
INNER = 3
RIGHT = 4
LEFT = 5
"""What of a coded value a row adds: all of it, or a share (`privlab.query.shares`)."""

_jit: Any = nb.njit
_compile = _jit(nogil=True, error_model="numpy", inline="always")

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
Flags = NDArray[np.bool_]


@_compile
def _share(share: int, k: int, reach: int) -> Any:
    """`privlab.query.shares.share_of`, of a coded value."""
    if share == WHOLE_VALUE:
        return k
    k = max(k, 0)
    if share == ABOVE:
        return k
    if share == BELOW:
        return reach - k
    if share == INNER:
        return 32 * k * (reach - k)
    side = 4 * k - reach if share == RIGHT else 3 * reach - 4 * k
    return side * side


def _input(dtype: Any) -> Any:
    """A C-contiguous array that is only read, so that read-only buffers fit too."""
    return nb.types.Array(dtype, 1, "C", readonly=True)


@_jit(
    nb.void(_input(nb.int32), _input(nb.int32), _input(nb.boolean), nb.int64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def add_ones(rows: Shorts, codes: Shorts, valid: Flags, out: Ints) -> None:
    """Add one for each kept row that is valid.  k kept rows of n, G groups.

    rows, codes: [k] as `bounding.keep` listed them.  valid: [n], by the rows' places;
    or empty: all of them are.  out: [G].
    """
    if valid.size == 0:
        for at in range(codes.size):
            out[codes[at]] += 1
    else:
        for at in range(codes.size):
            out[codes[at]] += np.int64(valid[rows[at]])


@_jit(
    nb.void(
        _input(nb.int32),
        _input(nb.int32),
        _input(nb.boolean),
        _input(nb.int64),
        nb.int64,
        nb.int64,
        nb.int64,
        nb.int64,
        nb.int64,
        nb.int64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def add_whole(
    rows: Shorts,
    codes: Shorts,
    valid: Flags,
    values: Ints,
    low: int,
    high: int,
    centre: int,
    reach: int,
    share: int,
    out: Ints,
) -> None:
    """Add ``clamp(value, low, high) - centre``, clamped to reach, or a share of it.

    rows, codes, valid, out: as `add_ones`.  values: [n].  The differences of low and high
    from centre fit int64.
    """
    for at in range(codes.size):
        row = rows[at]
        if valid.size and not valid[row]:
            continue
        steps = min(max(values[row], low), high) - centre
        out[codes[at]] += _share(share, min(max(steps, -reach), reach), reach)


@_jit(
    nb.void(
        _input(nb.int32),
        _input(nb.int32),
        _input(nb.boolean),
        _input(nb.float64),
        nb.float64,
        nb.float64,
        nb.float64,
        nb.float64,
        nb.float64,
        nb.int64,
        nb.int64,
        nb.int64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def add_steps(
    rows: Shorts,
    codes: Shorts,
    valid: Flags,
    values: NDArray[np.float64],
    low: float,
    high: float,
    centre: float,
    up: float,
    down: float,
    reach: int,
    share: int,
    out: Ints,
) -> None:
    """Add ``floor((clamp(value, low, high) - centre) * up / down + 0.5)``, or a share of it.

    As `add_whole`; NaN adds nothing.  low, high and centre are finite, and steps
    between them are within reach but for rounding.
    """
    for at in range(codes.size):
        row = rows[at]
        value = values[row]
        if np.isnan(value) or (valid.size and not valid[row]):
            continue
        inside = min(max(value, low), high)
        found = np.floor((inside - centre) * up / down + 0.5)
        steps = np.int64(found)
        out[codes[at]] += _share(share, min(max(steps, -reach), reach), reach)
