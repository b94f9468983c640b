# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host's side of a delta: the directory that becomes like the master's."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import hashlib
import os
import re
import typing as t

from ....host import files as host_files
from .. import own_files
from .comparison import CONTROL, PIECE, File, Piece, blocks, own, pieces, runs
from .master import Master


class Copy:
    """The directory that becomes like the master's."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._directory_mode, self._file_mode = own_files.modes(directory)
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
            if not os.path.isdir(self.path(name)):
                os.makedirs(self.path(name))
                os.chmod(self.path(name), self._directory_mode)

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
            with host_files.opened(self.path(piece.path)) as file:
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
        new = not os.path.exists(self.path(piece.path))
        if fresh or new:
            descriptor = os.open(self.path(piece.path), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                if new:
                    os.fchmod(descriptor, self._file_mode)
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
        with host_files.created(self.path(name)) as file:
            file.write(content)
            os.fchmod(file.fileno(), self._file_mode)
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
