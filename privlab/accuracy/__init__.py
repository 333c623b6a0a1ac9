"""Accuracy: how far off a released number may be.

For: intervals after a release, and the precision a wanted interval needs.
The curator and the client both compute them, so this needs nothing but whole
numbers; results are Fractions rounded to the side that keeps the promise.
Knows no budget, question or table.  Start with ``laws``; ``ratio`` and
``ratio_box`` are for means, ``shown`` is for counts that passed a threshold,
``confidence`` makes many intervals hold together, and ``bias`` says in words
what no interval covers.
"""
