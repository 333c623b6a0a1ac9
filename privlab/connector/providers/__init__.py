"""Where master keys are kept, by URI.

For: bringing 32 bytes from one start of the curator to the next.  Knows no keychain,
table or ledger.  Start with ``provider``; one module per scheme.  A PKCS#11 token
or a cloud's KMS is one more module with the same five methods.
"""
