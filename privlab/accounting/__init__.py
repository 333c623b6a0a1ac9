"""Accounting: what an amount of mu^2 means, and how much to give out.

For: reading the ledger's integers as epsilon and delta, and back.  ``gdp``
converts, with interval arithmetic, always to the safe side; ``levels`` turns
"so many analysts, so many questions" into budgets.  Knows no ledger, table or
analyst.  Start with ``gdp``.
"""
