"""Compiled kernels are kept under the hash of all kernels' sources.

Numba keeps machine code by the source of the one file that holds the compiled
function, so a change of a part that it takes from another file would go
unnoticed and the old code would run.  Importing this package therefore sets
Numba's cache to a folder of its own for each edition of the sources, below
``NUMBA_CACHE_DIR`` where that is set and below ``__pycache__`` where it is not.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import numba

_numba: Any = numba.config


def edition() -> str:
    """SHA-256 of every source file of this package, in the order of their names; 32 digits."""
    digest = hashlib.sha256()
    sources = (file for file in files(__package__).iterdir() if file.name.endswith(".py"))
    for source in sorted(sources, key=lambda file: file.name):
        text = source.read_bytes()
        digest.update(f"{source.name} {len(text)}\n".encode() + text)
    return digest.hexdigest()[:32]


def keep_apart() -> None:
    """Set Numba's cache folder; once, before any kernel is compiled."""
    base = _numba.CACHE_DIR or str(files(__package__) / "__pycache__")
    _numba.CACHE_DIR = f"{base}/{edition()}"
