"""Mechanisms: what is drawn, from which words, and who checks it.

For: turning a price into noise.  ``spec`` says what is drawn and what it
costs, ``entropy`` makes the words, ``gaussian`` runs the kernel and settles
its ties with ``exact``, ``opendp`` certifies a charge before it is made.
Knows no table, plan, budget or analyst.  The curator imports ``spec`` and
``opendp`` only; neither loads Numba or Polars.  Start with ``gaussian``.
"""
