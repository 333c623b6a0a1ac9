"""Mechanisms: what is drawn, from which words, and who checks it.

For: turning a price into noise.  ``entropy`` makes the words, ``gaussian``
runs the kernel and settles its ties with ``exact``, ``opendp`` certifies a
charge before it is made.  Knows no table, plan, budget or analyst.  The
curator imports ``opendp`` only, which loads neither Numba nor Polars.  Start with ``gaussian``.
"""
