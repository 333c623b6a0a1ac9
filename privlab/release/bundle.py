"""One text that holds a result and the signed statement about it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from privlab.release.verify import MEDIA_TYPE, PAYLOAD_TYPE, verify
from privlab.seal import dsse
from privlab.seal.canonical import Json, canonical
from privlab.seal.keys import SigningKey


def make(result_json: str, statement: Mapping[str, Json], key: SigningKey) -> str:
    """Sign ``statement`` and put it beside the result it is about.

    The bundle is checked as a reader would before it is returned: what is
    sealed is never found wanting later.

    :raises IntegrityError: PL407, the statement is not about this result.
    """
    bundle = json.dumps(
        {
            "mediaType": MEDIA_TYPE,
            "envelope": dsse.sign(PAYLOAD_TYPE, canonical(statement), key),
            "result": result_json,
        },
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    verify(bundle, key.public)
    return bundle
