"""The vocabulary: frozen values that every layer above shares.

Knows no clock, disk, network or entropy, and imports nothing of privlab but
the errors.  Start with ``loss`` (what is spent), then ``catalog`` (what can be
asked about), then ``noise`` (what is drawn).
"""
