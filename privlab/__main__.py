"""``python -m privlab`` is the ``privlab`` command."""

from __future__ import annotations

from privlab.cli.app import main

if __name__ == "__main__":
    main()
