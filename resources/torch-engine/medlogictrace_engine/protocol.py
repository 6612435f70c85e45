"""Frames: what runner, rank 0 and the other ranks say to one another over Unix sockets.

    4 bytes   "MLTE"
    u32       length of the header, little-endian
    u64       length of the body
    header    UTF-8 JSON; `tensors`: [[name, dtype, [shape]], ...] says how the body is cut
    body      the tensors' values, row-major, little-endian, one after the other

main/policy/torch/frame.ts is the other end.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MAGIC = b"MLTE"
PREFIX = struct.Struct("<4sIQ")
LARGEST_HEADER = 1 << 24
LARGEST_BODY = 1 << 32
DTYPES: dict[str, np.dtype[Any]] = {"i32": np.dtype("<i4"), "f32": np.dtype("<f4"), "u8": np.dtype("u1")}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class ProtocolError(Exception):
    """What came is no frame: the two ends do not speak the same language, so the connection is over."""


@dataclass
class Frame:
    header: dict[str, Any]
    tensors: dict[str, Array] = field(default_factory=dict)


def encode(header: dict[str, Any], tensors: dict[str, Array] | None = None) -> bytes:
    """One frame as bytes. Errors: KeyError for a dtype that frames do not carry."""
    parts: list[bytes] = []
    table: list[tuple[str, str, list[int]]] = []
    for name, values in (tensors or {}).items():
        table.append((name, NAMES[values.dtype.newbyteorder("<")], list(values.shape)))
        parts.append(np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
    text = json.dumps({**header, "tensors": table} if table else header, separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(parts)
    return PREFIX.pack(MAGIC, len(text), len(body)) + text + body


def decode(text: bytes, body: bytes) -> Frame:
    """Errors: ProtocolError naming what does not fit."""
    try:
        header = json.loads(text)
    except ValueError as error:
        raise ProtocolError(f"a frame's header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise ProtocolError("a frame's header is no object")
    tensors: dict[str, Array] = {}
    at = 0
    for entry in header.pop("tensors", []):
        try:
            name, kind, shape = entry
            dtype = DTYPES[kind]
            count = math.prod(shape)
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError(f"a frame describes a tensor as {entry!r}") from error
        end = at + count * dtype.itemsize
        if count < 0 or end > len(body):
            raise ProtocolError(f"tensor {name} reaches beyond its frame")
        tensors[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
        at = end
    if at != len(body):
        raise ProtocolError(f"a frame's tensors take {at} of its {len(body)} bytes")
    return Frame(header, tensors)


class Connection:
    """One end of a socket. Frames may be sent from any thread; one thread receives."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.sending = threading.Lock()

    def send(self, header: dict[str, Any], tensors: dict[str, Array] | None = None) -> None:
        self.send_bytes(encode(header, tensors))

    def send_bytes(self, frame: bytes) -> None:
        with self.sending:
            self.channel.sendall(frame)

    def receive(self) -> tuple[Frame, bytes] | None:
        """The next frame, and its bytes for passing on; None once the other end is gone. Errors: ProtocolError."""
        prefix = self.read(PREFIX.size)
        if prefix is None:
            return None
        magic, header_length, body_length = PREFIX.unpack(prefix)
        if magic != MAGIC or header_length > LARGEST_HEADER or body_length > LARGEST_BODY:
            raise ProtocolError("what came over the socket is no frame")
        text = self.read(header_length)
        body = self.read(body_length)
        if text is None or body is None:
            return None
        return decode(text, body), prefix + text + body

    def read(self, length: int) -> bytes | None:
        buffer = bytearray(length)
        view = memoryview(buffer)
        got = 0
        while got < length:
            count = self.channel.recv_into(view[got:])
            if count == 0:
                return None
            got += count
        return bytes(buffer)

    def close(self) -> None:
        try:
            self.channel.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The other end was first.
        self.channel.close()
