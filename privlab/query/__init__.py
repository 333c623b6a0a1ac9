"""Text to plan to price.

What it is for: turn SQL or Polars text into one canonical `Plan` with integer
sensitivities, price it, and finish the released vector into the answer's table.
What it does not know: rows, keys, clocks, disks, the ledger.  It is a pure
function of the text, the catalog and the asker's own account.
Where to start: ``plan.py``, then ``compile.py``.
"""
