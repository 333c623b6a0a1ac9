"""Budgets, charges, sealed answers and the record of who did what.

For: one durable file that makes the stated loss true through crashes, retries
and concurrency.  Knows no data, keys or policies, and draws nothing: it is told
costs and vectors.  Start with ``ledger``; ``schema.sql`` holds the invariants a
second time, as triggers; ``docs/spec/ledger.md`` is the protocol.
"""
