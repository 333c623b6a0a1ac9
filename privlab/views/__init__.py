"""What an account already holds, and what is missing.

A view is one measure of one plan.  Gaussian precision adds, so a second
measurement buys only the difference, and both are merged by inverse variance.
Laplace measurements and choices are not merged: a finer one is paid in full and
replaces.  Pure: no disk.
"""
