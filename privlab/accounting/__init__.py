"""Accounting: what an event costs, what still fits, and what a loss means.

For: the integers that the ledger adds up, and reading them.  ``charge`` says
what an event costs in its dataset's currency, ``filter`` what a budget still
admits; ``gdp`` and ``pure`` convert, with interval arithmetic, always to the
safe side; ``words`` says what an attacker gains; ``levels`` turns "so many
analysts, so many questions" into budgets.  Knows no ledger, table or analyst,
and draws no noise.  Start with ``charge``.
"""
