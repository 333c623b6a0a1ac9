"""The notebook's skin: magics, completion, pictures, and the panel's relay.

``magics.py`` turns a cell into one `Session.ask`; ``serverext.py`` runs inside
the Jupyter server and passes the panel what the curator says.  Everything here
can be done without it: the magics are thin shells over ``privlab.ask``.
What it does not know: keys, rows, noise, the ledger.
Where to start: ``magics.py``.
"""
