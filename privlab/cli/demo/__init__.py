"""The demo workspace: real flights and a synthetic clinic.

What it is for: files, contracts and budgets that the notebooks, the tests and a
newcomer's first hour share.
What it does not know: how a file is protected or a question answered.
Where to start: ``build.py``; ``flights.py`` and ``clinic.py`` make the files.
"""
