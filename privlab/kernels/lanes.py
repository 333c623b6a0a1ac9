"""Compare one value with many at once: the answer is a bit for each of them.

Numba has no word for a vector comparison whose result is a mask, and what its
compiler makes of a loop that counts is several times slower.  So these few are
written in the compiler's own terms.  They are the same on every processor: one
without wide registers takes more instructions.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_ONE = ir.IntType(1)
_MASK = ir.IntType(64)

_intrinsic: Any = intrinsic


def _comparing(lanes: int, bits: int, item: Any, relation: str) -> Any:
    """``f(array, at, own)``: bit i says whether array[at + i] stands in ``relation`` to own."""

    def mask(typing: Any, array: Any, at: Any, own: Any) -> Any:
        del typing, at, own
        signature = types.uint64(array, types.int64, item)

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, given[0]).data
            vector = ir.VectorType(ir.IntType(bits), lanes)
            place = builder.bitcast(
                builder.gep(data, [given[1]], inbounds=True), vector.as_pointer()
            )
            read = builder.load(place, align=bits // 8)
            undefined = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(undefined, given[2], ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
            everywhere = builder.shuffle_vector(first, undefined, zeros)
            found = builder.icmp_unsigned(relation, read, everywhere)
            return builder.zext(builder.bitcast(found, ir.IntType(lanes)), _MASK)

        return signature, generate

    return _intrinsic(mask)


same_of_32 = _comparing(32, 32, types.int32, "==")
"""Which of array[at : at + 32], int32, are ``own``: uint64, its lowest 32 bits."""

same_of_64 = _comparing(64, 32, types.int32, "==")
"""Which of array[at : at + 64], int32, are ``own``: uint64."""

below_of_32 = _comparing(32, 16, types.uint16, "<")
"""Which of array[at : at + 32], uint16, are less than ``own``: uint64, its lowest 32 bits."""

below_of_64 = _comparing(64, 16, types.uint16, "<")
"""Which of array[at : at + 64], uint16, are less than ``own``: uint64."""


@_intrinsic
def ones(typing: Any, mask: Any) -> Any:
    """How many bits of a uint64 are set: int64."""
    del typing

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        del context, signature
        return builder.ctpop(given[0])

    return types.int64(types.uint64), generate
