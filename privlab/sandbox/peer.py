"""Who is on the other end of a Unix socket: the uid, and nothing more.

The kernel fills these in when a connection is made.  A pid or a program's path
can be another's by the time it is looked at; a uid cannot.
"""

from __future__ import annotations

import socket
import struct
import sys


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected (SO_PEERCRED, or LOCAL_PEERCRED on macOS).

    :raises OSError: not a connected Unix socket.
    """
    if sys.platform == "darwin":
        # struct xucred of <sys/ucred.h>: version, uid, ...
        raw = connection.getsockopt(0, 1, 76)
        return int(struct.unpack_from("=II", raw)[1])
    if connection.family is not socket.AF_UNIX:
        raise OSError("only a Unix socket knows its peer")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=iII"))
    pid, uid, _ = struct.unpack("=iII", raw)
    if pid == 0 and uid == 2**32 - 1:
        raise OSError("this socket is not connected")
    return int(uid)
