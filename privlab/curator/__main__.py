"""``python -I -m privlab.curator --workspace FOLDER``: run in the foreground."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from privlab.connector.providers import provider
from privlab.curator.boot import serve
from privlab.errors import PrivlabError
from privlab.wire.locate import LOCKED


def main() -> int:
    """Exit status: 0 stopped or already running, 1 refused to start, 4 locked."""
    parser = argparse.ArgumentParser(prog="privlab curator", description=serve.__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--passphrase-fd", type=int)
    arguments = parser.parse_args()
    try:
        serve(arguments.workspace, arguments.passphrase_fd)
    except PrivlabError as error:
        print(error, file=sys.stderr)
        return LOCKED if error.what == provider.LOCKED else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
