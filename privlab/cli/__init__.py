"""The ``privlab`` command: one file per noun.

What it is for: owners set a workspace up here, protect files and hand out
budgets; anyone verifies releases and asks from a terminal.
What it does not know: rows, keys and noise.  Every command is a thin shell over
the curator's or the client's functions, and prints what they return.
Where to start: ``app.py``, which lists the nouns.
"""
