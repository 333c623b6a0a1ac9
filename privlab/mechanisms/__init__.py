"""Mechanisms: what is drawn, from which words, and who checks it.

For: turning a price into noise or a choice.  ``entropy`` makes the words; ``draw``
adds the noise of any law, ``gaussian`` and ``laplace`` being the laws, ``vector``
the loop that runs a kernel and ``exact`` what settles its ties; ``choose``,
``quantile``, ``partition``, ``threshold`` and ``bernoulli`` select; ``opendp``
certifies a charge before it is made.  Knows no table, plan, budget or analyst.
The curator imports nothing here that loads Numba or Polars.  Start with ``draw``.
"""
