"""Folders that nobody else may write to: what is loaded from them is run."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from privlab.errors import BadContract


def private_folder(folder: Path) -> Path:
    """Make ``folder`` with mode 0700 if it is missing, and check that it is ours alone.

    For compiled code, which Numba keeps as pickles.

    :raises BadContract: PL152, it is somebody else's, a link, or open to others.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise BadContract(f"{folder} cannot be made: {error.strerror}", code="PL152") from None
    private = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    if not private or stat.S_IMODE(facts.st_mode) & 0o077:
        raise BadContract(
            f"{folder} is not a folder of yours alone",
            code="PL152",
            hint=f"type: chmod 700 {folder}",
        )
    return folder
