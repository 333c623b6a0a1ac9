"""Where master keys are kept, by URI.

For: bringing 32 bytes from one start of the curator to the next.  Knows no keychain,
table or ledger.  Start with ``provider``; one module per scheme, and ``schemes`` for those
of other packages: a PKCS#11 token or a cloud's KMS is a class with the same five methods.
"""
