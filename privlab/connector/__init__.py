"""Contracts, keys and the files of a table version.

What it is for: read what an owner states, write her rows as encrypted parts,
keep the keys, and check that what lies on disk is what was signed.
What it does not know: questions, budgets, who is asking.
Where to start: ``contract``, then ``protect`` (writes) and ``manifest`` (checks).
``contract``, ``keys``, ``manifest`` and ``catalog`` decode no Parquet and may be
imported by the curator; all others may not.  Rows go from ``source`` (with
``delimited``) through ``counts``, ``pseudonyms`` and ``spill`` to ``write``.
``docs/spec/table.md`` describes the files.
"""
