"""What an account already holds, and what is missing.

A view is one measure of one plan.  Precision adds, so a second measurement buys
only the difference, and both are merged by inverse variance.  Pure: no disk.
"""
