"""What an owner has published of her columns elsewhere, read for a draft.

Dictionaries are statements, not rows: a Frictionless schema, a dbt schema file, the
OMOP Common Data Model, the names of columns.  Nothing here opens a table.  Start at
`stated`.
"""
