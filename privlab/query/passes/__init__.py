"""The steps from what was typed to a plan: one file, one function each.

What it is for: each pass takes values and gives values, and can be read and
tested alone; ``compile.py`` says in which order they run.
What it does not know: SQL, Polars, prices.
Where to start: ``check_types`` (names and types), ``normalise`` (one form for
what means the same), ``infer_interval`` (bounds), ``key_space`` (public
groups), ``lower_aggregate`` (what is measured).
"""
