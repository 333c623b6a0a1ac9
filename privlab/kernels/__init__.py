"""Numba kernels: arrays and random words in, integers and a status out.

For: the loops that run once per row, once per candidate and once per noisy cell.
Knows no entropy, clock, disk, plan or price, and owns no state: whoever calls
brings the words and the keys.  Everything is compiled when the module is imported.
Start with ``trial``, which ``gaussian`` and ``laplace`` share; ``choose`` picks a
candidate, ``bounding`` turns rows into sums.  ``blake2b``, ``rowtag`` and ``buckets``
put a table's rows into their places when it is protected.
"""

from privlab.kernels.edition import keep_apart

keep_apart()
