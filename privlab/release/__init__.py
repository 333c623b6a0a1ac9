"""What leaves the curator: a signed statement of the numbers and of their privacy.

For: making one text that anyone with the curator's public key can check
offline, years later.  Knows no ledger, data or network.  Start with ``verify``,
which needs only the standard library and ``cryptography``; ``statement`` says
what is vouched for, ``bundle`` signs it; ``docs/spec/release.md`` is the format.
"""
