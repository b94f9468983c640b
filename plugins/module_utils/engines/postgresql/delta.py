# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A base backup into a directory that already holds most of it: what is equal stays, what differs is transferred.

The master hashes its files piece by piece, the host hashes its own, and only blocks that differ travel. Torn pages are
mended by replay, as in every base backup. The manifest that comes of it is what pg_verifybackup checks.
Sources: PostgreSQL manual, "Making a Base Backup Using the Low Level API" (what to copy and what to leave out),
"Backup Manifest Format".
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import hashlib
import io
import json
import os
import re
import socket
import struct
import threading
import typing as t

from ...values import places
from . import database

#: bytes that are compared at once, and those of a page, to which a difference is narrowed down
PIECE, BLOCK = 1 << 20, 8192
#: bytes and pieces of one question to the master
BATCH, MOST = 32 << 20, 2000
#: until such a question has its answer
ANSWER_SECONDS = 120
#: how a session tells the master how far it is: bytes that are compared, and those of all files
APPLICATION = "hawq_mirroring_delta"
CONTROL = "global/pg_control"
#: directories whose contents each server makes itself
EMPTY = ("pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_wal")
#: what is each host's own, at the top of its data directory: not compared, not removed
OWN = ("conf.d", "current_logfiles", "log", "lost+found", "standby.signal", places.RECORD)
LEFT_OUT = re.compile(
    r"(.*/)?(pgsql_tmp[^/]*(/.*)?|pg_internal\.init[^/]*)"
    r"|postmaster\.(pid|opts)|backup_(label|manifest)(\.old)?|tablespace_map(\.old)?|[^/]+\.tmp"
    r"|base/\d+/t\d+_\d+(_[a-z]+)?(\.\d+)?|pg_tblspc/\d+/[^/]+/\d+/t\d+_\d+(_[a-z]+)?(\.\d+)?"
)
RELATION = re.compile(r"(?P<file>(.*/)?\d+)(_(?P<fork>[a-z]+))?(\.\d+)?")
FILES = """
WITH RECURSIVE files (path, size, isdir) AS (
    SELECT entry, this.size, this.isdir FROM pg_ls_dir('.', true, false) AS entry, pg_stat_file(entry, true) AS this
  UNION ALL
    SELECT parent.path || '/' || entry, this.size, this.isdir
    FROM files AS parent, pg_ls_dir(parent.path, true, false) AS entry,
         pg_stat_file(parent.path || '/' || entry, true) AS this
    WHERE parent.isdir AND parent.path <> ALL (%s)
)
SELECT path, size, isdir FROM files WHERE isdir IS NOT NULL ORDER BY path COLLATE "C"
"""
HASHES = """
SELECT sha256(pg_read_binary_file(path, piece_offset, piece_length, true)) AS hash
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS piece (path, piece_offset, piece_length, number)
ORDER BY number
"""
CONTENTS = HASHES.replace("sha256(", "(").replace(" AS hash", "")


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


class Master:
    """What the host asks the master for, and how many bytes came of it."""

    def __init__(self, cursor: t.Any) -> None:
        self._cursor = cursor
        self._total = 0
        self.received = 0

    def rows(self, query: str, parameters: t.Any = None, seconds: int = ANSWER_SECONDS) -> list[dict[str, t.Any]]:
        """Run a query and return its rows."""
        with self._bounded(seconds):
            return database.rows(self._cursor, query, parameters)

    def files(self) -> tuple[list[str], list[File]]:
        """Return the directories and files."""
        directories, files = wanted(self.rows(FILES, ([*EMPTY, *OWN],)))
        self._total = sum(file.size for file in files)
        return directories, files

    def hashes(self, asked: list[Piece], done: int | None = None) -> list[bytes | None]:
        """Return the SHA-256 of each piece, None where the file is gone. Tell it how many bytes are done, if said."""
        if done is not None:
            self.rows("SELECT set_config('application_name', %s, false)", (f"{APPLICATION} {done}/{self._total}",))
        return self._ask(HASHES, asked)

    def contents(self, asked: list[Piece]) -> list[bytes | None]:
        """Return the bytes of each piece, fewer where the file has become shorter."""
        return self._ask(CONTENTS, asked)

    def _ask(self, query: str, asked: list[Piece]) -> list[bytes | None]:
        if not asked:
            return []
        columns = [list(column) for column in zip(*asked)]
        statement = self._cursor.mogrify(query, columns).decode()
        answer = io.BytesIO()
        with self._bounded(ANSWER_SECONDS):
            self._cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", answer)
        self.received += answer.tell()
        return list(rows_of(answer.getvalue()))

    @contextlib.contextmanager
    def _bounded(self, seconds: int) -> t.Iterator[None]:
        """A master that is frozen never answers: the connection is ended then."""
        with socket.socket(fileno=os.dup(self._cursor.connection.fileno())) as line:
            timer = threading.Timer(seconds, line.shutdown, (socket.SHUT_RDWR,))
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()


class Copy:
    """The directory that becomes like the master's."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._hashes: dict[str, t.Any] = {}
        self._sizes: dict[str, int] = {}

    def path(self, name: str) -> str:
        """Return where a file of the master's is kept here."""
        return os.path.join(self._directory, name)

    def shape(self, directories: list[str], files: list[File]) -> None:
        """Remove what the master has not, make the directories that it has. Links to tablespaces must be there."""
        known = {CONTROL, *directories, *(file.path for file in files)}
        versions = [name for name in directories if re.fullmatch(r"pg_tblspc/\d+/[^/]+", name)]
        # a linked directory is walked only when it is the top
        for top in ("", "pg_wal", *versions):
            for parent, inner, names in os.walk(self.path(top), topdown=False):
                place = os.path.relpath(parent, self._directory)
                for name in [*names, *inner]:
                    self._remove_stranger(name if place == "." else f"{place}/{name}", known)
        for name in directories:
            os.makedirs(self.path(name), mode=0o700, exist_ok=True)

    def _remove_stranger(self, name: str, known: set[str]) -> None:
        full = self.path(name)
        linked = os.path.islink(full) and name != "pg_wal" and not re.fullmatch(r"pg_tblspc/\d+", name)
        if (name in known and not linked) or own(name) or not os.path.lexists(full):
            return
        if os.path.isdir(full) and not os.path.islink(full):
            os.rmdir(full)
        else:
            os.unlink(full)

    def fill(self, master: Master, files: list[File], progress: t.Callable[[int], None]) -> None:
        """Make the files the master's. While pieces are compared here, the master hashes the next ones."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
            batches, done = pieces(files), 0
            batch = next(batches, None)
            asked = pool.submit(master.hashes, batch, done) if batch else None
            while batch and asked:
                here = [self._read(piece) for piece in batch]
                mine = [_sha256(content) for content in here]
                theirs = asked.result()
                different = {piece: here[n] for n, piece in enumerate(batch) if theirs[n] not in (None, mine[n])}
                fresh = self._fresh(master, different)
                following, done = next(batches, None), done + sum(piece.length for piece in batch)
                asked = pool.submit(master.hashes, following, done) if following else None
                for piece, content, answer in zip(batch, here, theirs):
                    if answer is None:
                        self._forget(piece)
                    else:
                        self._keep(piece, content, fresh.get(piece, []))
                progress(sum(piece.length for piece in batch))
                batch = following
        for file in files:
            if file.path in self._hashes:
                os.truncate(self.path(file.path), file.size)
                self._sizes[file.path] = file.size

    def _read(self, piece: Piece) -> bytes:
        try:
            with open(self.path(piece.path), "rb") as file:
                file.seek(piece.offset)
                return file.read(piece.length)
        except FileNotFoundError:
            return b""

    @staticmethod
    def _fresh(master: Master, different: dict[Piece, bytes]) -> dict[Piece, list[tuple[int, bytes]]]:
        """Return for each differing piece the bytes that replace its own, and where in it.

        What the master has cut off meanwhile is filled with zeros, as a base backup does; replay cuts it off, too.
        """
        pages = [page for piece, content in different.items() if content for page in blocks(piece)]
        pieces_at = {(piece.path, piece.offset): piece for piece in different}

        def of(part: Piece) -> Piece:
            return pieces_at[part.path, part.offset - part.offset % PIECE]

        changed = []
        for page, theirs in zip(pages, master.hashes(pages)):
            begin = page.offset % PIECE
            if theirs != _sha256(different[of(page)][begin : begin + page.length]):
                changed.append(page)
        asked = [*(piece for piece, content in different.items() if not content), *runs(changed)]
        fresh: dict[Piece, list[tuple[int, bytes]]] = {}
        for part, content in zip(asked, master.contents(asked)):
            whole = (content or b"").ljust(part.length, b"\0")
            fresh.setdefault(of(part), []).append((part.offset % PIECE, whole))
        return fresh

    def _keep(self, piece: Piece, here: bytes, fresh: list[tuple[int, bytes]]) -> None:
        """Write what differs, and go on with the file's hash as it is to be read later."""
        whole = bytearray(here) + bytes(piece.length - len(here))
        for offset, content in fresh:
            whole[offset : offset + len(content)] = content
        if fresh or not os.path.exists(self.path(piece.path)):
            descriptor = os.open(self.path(piece.path), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                for offset, content in fresh:
                    os.pwrite(descriptor, content, piece.offset + offset)
            finally:
                os.close(descriptor)
        self._hashes.setdefault(piece.path, hashlib.sha256()).update(whole)

    def _forget(self, piece: Piece) -> None:
        """The master has removed the file meanwhile; replay would, too."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(piece.path))
        self._hashes.pop(piece.path, None)

    def put(self, name: str, content: bytes) -> None:
        """Write a whole file."""
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        self._hashes[name] = hashlib.sha256(content)
        self._sizes[name] = len(content)

    def entries(self) -> list[dict[str, t.Any]]:
        """Return the files for the manifest."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S GMT")
        return [
            {
                "Path": name,
                "Size": self._sizes[name],
                "Last-Modified": now,
                "Checksum-Algorithm": "SHA256",
                "Checksum": self._hashes[name].hexdigest(),
            }
            for name in sorted(self._hashes)
        ]


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
