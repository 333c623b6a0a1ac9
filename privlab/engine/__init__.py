"""From encrypted rows to noisy integers, in a process of its own.

What it is for: decrypt the columns of one question, bound what each privacy
unit adds, sum, add noise, and forget.  What it does not know: budgets,
analysts, prices, the ledger, keys of other columns.
Where to start: ``job`` and ``handle`` (the curator's half, no Polars), then
``zygote`` (processes) and ``run`` (rows to integers); ``practice`` and
``invented`` are the same for rows that a contract makes up.  ``reference`` says in
plain Python what ``run`` computes.
"""
