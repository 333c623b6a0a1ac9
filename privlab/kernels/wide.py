"""The high half of a 64 by 64 bit product.

Numba has no 128-bit integers, so this one instruction is written in LLVM.
It knows nothing of what is multiplied.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _high_word(typingctx: Any, a: Any, b: Any) -> Any:
    if a != types.uint64 or b != types.uint64:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        left, right = (builder.zext(arg, wide) for arg in args)
        product = builder.mul(left, right)
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


high_word: Any = intrinsic(_high_word)
"""``floor(a * b / 2^64)`` of two np.uint64, exact.  Other types do not compile."""
