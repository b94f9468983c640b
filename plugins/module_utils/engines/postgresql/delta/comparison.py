# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is compared and what is left out, in which pieces, and the manifest that comes of it. Pure.

Sources: PostgreSQL manual, "Making a Base Backup Using the Low Level API" (what to copy and what to leave out), "Backup
Manifest Format", "COPY".
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import typing as t

from ....values import places

#: bytes that are compared at once, and those of a page, to which a difference is narrowed down
PIECE, BLOCK = 1 << 20, 8192
#: bytes and pieces of one question to the master
BATCH, MOST = 32 << 20, 2000
#: how a session tells the master how far it is: bytes that are compared, and those of all files
APPLICATION = "hawq_mirroring_delta"
CONTROL = "global/pg_control"
#: what is each host's own, at the top of its data directory: not compared, not removed
OWN = ("conf.d", "current_logfiles", "log", "lost+found", "standby.signal", places.RECORD)
LEFT_OUT = re.compile(
    r"(.*/)?(pgsql_tmp[^/]*(/.*)?|pg_internal\.init[^/]*)"
    r"|postmaster\.(pid|opts)|backup_(label|manifest)(\.old)?|tablespace_map(\.old)?|[^/]+\.tmp"
    r"|base/\d+/t\d+_\d+(_[a-z]+)?(\.\d+)?|pg_tblspc/\d+/[^/]+/\d+/t\d+_\d+(_[a-z]+)?(\.\d+)?"
)
RELATION = re.compile(r"(?P<file>(.*/)?\d+)(_(?P<fork>[a-z]+))?(\.\d+)?")


class File(t.NamedTuple):
    """A file of the master, relative to its data directory, with its size in bytes when it was listed."""

    path: str
    size: int


class Piece(t.NamedTuple):
    """Bytes of one file."""

    path: str
    offset: int
    length: int


def own(path: str) -> bool:
    """Whether a path is the host's own."""
    top = path.partition("/")[0]
    return top in OWN or (top == path and path.endswith(".conf"))


def wanted(rows: list[dict[str, t.Any]]) -> tuple[list[str], list[File]]:
    """Return the directories and files that a copy of the master has, without the control file, which comes last."""
    paths = {row["path"] for row in rows}
    directories, files = [], []
    for row in rows:
        path = row["path"]
        # a name that is no text cannot be asked for, and no server gives such a one
        if not path.isprintable():
            continue
        found = RELATION.fullmatch(path)
        unlogged = found and found["fork"] != "init" and f"{found['file']}_init" in paths
        if path == CONTROL or own(path) or LEFT_OUT.fullmatch(path) or unlogged:
            continue
        if row["isdir"]:
            directories.append(path)
        else:
            files.append(File(path, int(row["size"])))
    return directories, files


def pieces(files: list[File]) -> t.Iterator[list[Piece]]:
    """Return the files cut into pieces, so many at a time as one question asks for."""
    batch: list[Piece] = []
    total = 0
    for file in files:
        for offset in range(0, file.size, PIECE) or [0]:
            piece = Piece(file.path, offset, min(PIECE, file.size - offset))
            if batch and (total + piece.length > BATCH or len(batch) >= MOST):
                yield batch
                batch, total = [], 0
            batch.append(piece)
            total += piece.length
    if batch:
        yield batch


def blocks(piece: Piece) -> list[Piece]:
    """Return the pages of a piece."""
    ends = range(0, piece.length, BLOCK)
    return [Piece(piece.path, piece.offset + at, min(BLOCK, piece.length - at)) for at in ends]


def runs(found: list[Piece]) -> list[Piece]:
    """Return neighbouring blocks of one piece as one."""
    joined: list[Piece] = []
    for each in found:
        last = joined[-1] if joined else None
        if last and (last.path, last.offset + last.length) == (each.path, each.offset) and each.offset % PIECE:
            joined[-1] = last._replace(length=last.length + each.length)
        else:
            joined.append(each)
    return joined


def rows_of(binary: bytes) -> t.Iterator[bytes | None]:
    """Return the values of one column from COPY's binary format (PostgreSQL manual, "COPY", "Binary Format")."""
    at = 19 + struct.unpack_from("!i", binary, 15)[0]
    while struct.unpack_from("!h", binary, at)[0] == 1:
        length = struct.unpack_from("!i", binary, at + 2)[0]
        at += 6
        yield None if length < 0 else binary[at : at + length]
        at += max(length, 0)


def manifest(rows: list[dict[str, t.Any]], timeline: int, begin: str, end: str) -> str:
    """Return the text of backup_manifest for files with their size and hash."""
    document = {
        "PostgreSQL-Backup-Manifest-Version": 1,
        "Files": rows,
        "WAL-Ranges": [{"Timeline": timeline, "Start-LSN": begin, "End-LSN": end}],
    }
    # as the server writes it: the hash is that of all that comes before its own line
    text = json.dumps(document)[:-1] + ",\n"
    return text + f'"Manifest-Checksum": "{hashlib.sha256(text.encode()).hexdigest()}"}}\n'
