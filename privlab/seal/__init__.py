"""Signatures and digests: bytes in, bytes out.

For: signing what leaves the curator and checking what comes back.  Knows
nothing of releases, ledgers or queries, and reads no file.  Start with
``keys``, then ``dsse``.  Checking needs only the standard library and
``cryptography``; ``canonical`` (RFC 8785) is needed by signers alone.
"""
