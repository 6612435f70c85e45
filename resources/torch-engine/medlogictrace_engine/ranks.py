"""How rank 0 reaches the other ranks: a Unix socket in the runner's folder, over which it hands every message of the runner on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from .protocol import Connection

ACCEPT_SECONDS = 300
"""A rank that has not come by then never will: it only has to import PyTorch."""


def gather(folder: Path, ranks: int) -> list[Connection]:
    """Rank 0: connections to ranks 1 … in order. The socket is the owner's only."""
    if ranks == 1:
        return []
    path = folder / "ranks.sock"
    old = os.umask(0o177)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.settimeout(ACCEPT_SECONDS)
    listener.listen(ranks)
    found: dict[int, Connection] = {}
    while len(found) < ranks - 1:
        channel, _ = listener.accept()
        channel.settimeout(None)
        connection = Connection(channel)
        received = connection.receive()
        if received is not None:
            found[int(received[0].header["rank"])] = connection
    listener.close()
    path.unlink()
    return [found[rank] for rank in range(1, ranks)]


def connect(path: Path) -> Connection:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.connect(str(path))
    return Connection(channel)
