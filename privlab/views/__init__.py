"""What an account already holds, and what is missing.

A view is one measure of one plan.  In a gdp dataset precision adds, so a second
measurement buys only the difference, and both are merged by inverse variance; in
a pure dataset a finer measurement is paid in full and replaces.  Pure: no disk.
"""
