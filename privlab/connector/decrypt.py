"""An encrypted file's bytes as a frame, by either reader: the one door to rows.

Both are imported here: an engine child can open no file of this package any more.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from privlab.connector import scan
from privlab.connector.arrow import decoded
from privlab.connector.manifest import FOOTER_KEY
from privlab.connector.parts import FileFacts, check_bytes
from privlab.connector.reader import Reader


def open_part(
    facts: FileFacts,
    data: bytes,
    aad_prefix: bytes,
    keys: Mapping[str, bytes],
    reader: Reader = Reader.NATIVE,
) -> pl.LazyFrame:
    """The columns of a part's file that have a key, after checking these very bytes.

    keys: of the bucket, by column, the footer's under ``""``.  The native reader decrypts when
    the frame is collected, and only what is asked of it; the second one decrypts here.

    :raises IntegrityError: PL402, PL403, not the file that was signed.
    :raises EngineFailed: from the second reader, what is signed does not open.  The
        native one says so with its own errors, and later.
    """
    if reader is Reader.NATIVE:
        return scan.open_part(facts, data, aad_prefix, keys)
    check_bytes(facts, data)
    columns = {name: key for name, key in keys.items() if name != FOOTER_KEY}
    return decoded(data, aad_prefix, keys[FOOTER_KEY], columns).lazy()
