"""Row expressions of a plan as Polars expressions.  Total: a value or null, never an error.

The same meaning as ``reference_expressions.py``:

* whole numbers are exact in int64; a result outside it is null;
* as soon as a decimal is involved, float64; a result that is NaN is null;
* a comparison, test or part of null is null; AND and OR are Kleene's;
* a decimal constant is the nearest float64 beside decimals, and exact beside
  whole numbers.

Where to start: ``translate``; then a file per family.
"""

from privlab.engine.expressions.translate import translate
from privlab.engine.expressions.typed import Typed, divided, fitted, nearest, saturated

__all__ = ["Typed", "divided", "fitted", "nearest", "saturated", "translate"]
