"""The composition root: the one process that holds keys, policy and ledger.

What it is for: to be asked.  It decides, charges, has the engine compute,
signs, records, and only then answers.
What it does not know: rows.  It never imports Polars, Numba or a kernel.
Where to start: ``answer.py``, which is the life of one query in one function.
"""
