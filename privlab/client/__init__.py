"""The notebook's half: asks a curator, keeps releases, shows them.

What it does not know: keys, rows, noise, the ledger.  It verifies every
release against the curator's public key before handing it on.
Where to start: ``session.py``, then ``frames.py``.
"""
