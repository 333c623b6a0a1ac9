"""Accuracy: how far off a released number may be.

For: intervals after a release, and the precision a wanted interval needs.
`query.law` says which are for which currency.  Needs nothing but whole numbers; results
are Fractions rounded to the side that keeps the promise.  Knows no budget, question or
table.  Start with ``gaussian`` and ``laplace``; ``normal`` and ``exponential`` are their
arithmetic, ``laws`` asks either; ``ratio``, ``ratio_box`` and ``ratio_joint`` are for
means and shares, ``choice`` for ranks, ``confidence`` makes many intervals hold
together.  ``shown`` and ``bias`` wait for thresholds and for words in captions.
"""
