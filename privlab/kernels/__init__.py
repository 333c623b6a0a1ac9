"""Numba kernels: arrays and random words in, integers and a status out.

For: the two loops that run once per row and once per noisy cell.  Knows no
entropy, clock, disk, plan or price, and owns no state: whoever calls brings
the words and the keys.  Everything is compiled when the module is imported.
Start with ``gaussian``; ``bounding`` is what turns rows into sums.
"""
