"""privlab: ask questions of tables you may not see.

The names below are the notebook's part.  The curator's part needs
``privlab[curator]`` and is reached through the ``privlab`` command.
"""
