"""Who may do what: Cedar policies, checked at start and decided per request.

For: turning a request and the clock it came at into a Permit or a denial with
reasons.  Knows no ledger: whether a budget still covers a charge is not a
policy question.  Start with ``decide``; ``sets/`` holds the shipped policies.
"""
