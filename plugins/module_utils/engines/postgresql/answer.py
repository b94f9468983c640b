# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a server gives no session, by the code of its answer: its words may be in any language.

libpq does not tell the code of an answer that comes before the session, so it is asked for directly.

Sources: PostgreSQL manual, "Message Flow", "Message Formats", "Error and Notice Message Fields", "Error Codes".
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
import typing as t

from ...host.module import Instance
from . import database

TOO_MANY = "53300"
CANNOT_NOW = "57P03"
PROTOCOL = 196608
SECONDS = 2
MOST = 1 << 20


class Answer(t.NamedTuple):
    """The code of what a server says instead of a session, and its words."""

    code: str
    words: str


def ask(instance: Instance, seconds: float = SECONDS) -> Answer | None:
    """Return what the server answers to a login over its socket; None when that is no refusal, or nothing at all."""
    place = database.postmaster(instance)
    directory, port = place.get("socket_directory"), place.get("port", instance.port)
    if not directory:
        return None
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(seconds)
        line.connect(os.path.join(str(directory), f".s.PGSQL.{port}"))
        line.sendall(greeting(instance.user, database.where(instance)))
        return _refusal(line, time.monotonic() + seconds)
    return None


def greeting(user: str, where: str = database.DATABASES[0]) -> bytes:
    """Return the message that begins a session."""
    words = [b"user", os.fsencode(user), b"database", os.fsencode(where), b"application_name", b"hawq_mirroring", b""]
    text = struct.pack("!I", PROTOCOL) + b"".join(word + b"\0" for word in words)
    return struct.pack("!I", len(text) + 4) + text


def _refusal(line: socket.socket, deadline: float) -> Answer | None:
    """Read until it is an error, or the session begins."""
    while time.monotonic() < deadline:
        kind, length = struct.unpack("!cI", _exactly(line, 5))
        if not 4 <= length <= MOST:
            return None
        body = _exactly(line, length - 4)
        if kind == b"E":
            return parse(body)
        # an authentication that asks for something more, or the end of the beginning
        if kind == b"Z" or (kind == b"R" and body[:4] != b"\0\0\0\0"):
            return None
    return None


def _exactly(line: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = line.recv(length - len(found))
        if not piece:
            raise ConnectionResetError
        found += piece
    return found


def parse(body: bytes) -> Answer:
    """Return what an error's message says."""
    fields = {part[:1]: part[1:].decode(errors="surrogateescape") for part in body.split(b"\0") if part}
    words = " ".join(": ".join(filter(None, (fields.get(b"M"), fields.get(b"D")))).split())
    return Answer(fields.get(b"C", ""), words)


def of(instance: Instance, error: Exception) -> Answer | None:
    """Return what the server has answered in a session that failed, or answers now to a login."""
    code = getattr(error, "pgcode", None) or getattr(error.__cause__, "pgcode", None)
    return Answer(str(code), str(error)) if code else ask(instance)
