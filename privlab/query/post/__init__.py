"""After the release: what is made of noisy numbers, and how far off it may be.

For: outputs that are expressions over released vectors, with an interval each.
Everything here is post-processing and costs nothing.  It knows no rows, no
prices and no accounts.  Start with ``tree``; ``reading`` works the numbers out.
"""
